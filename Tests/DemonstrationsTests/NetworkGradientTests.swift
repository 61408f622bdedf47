import Demonstrations
import LinearAlgebra
import Testing

@Suite("Network gradients")
struct NetworkGradientTests {
  /// A network to differentiate, described by what it exercises.
  struct Case: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var network: Network
    var inputs: Int

    init(_ description: String, inputs: Int, _ layers: [Network.NamedLayer]) {
      testDescription = description
      self.inputs = inputs
      network = Network(layers, seed: 5)
      // Initial biases are all zero; a fault that only shows otherwise must not hide.
      var generator = SeededGenerator(seed: 6)
      for layer in network.parameters.indices {
        for index in network.parameters[layer].indices {
          network.parameters[layer][index] += 0.1 * generator.normal()
        }
      }
    }
  }

  private static func convolution(
    _ channels: Int, _ size: Int, _ outputs: Int, _ kernel: Int, stride: Int = 1, padding: Int = 0
  ) -> NetworkLayer {
    .convolution(
      Convolution(
        channels: channels, size: size, outputs: outputs, kernel: kernel, stride: stride,
        padding: padding))
  }

  static let cases = [
    Case("dense", inputs: 5, [.init("fc", .dense(inputs: 5, outputs: 3))]),
    Case(
      "dense, relu, dense", inputs: 4,
      [
        .init("a", .dense(inputs: 4, outputs: 6)), .init("r", .relu),
        .init("b", .dense(inputs: 6, outputs: 3)),
      ]),
    Case("convolution", inputs: 2 * 16, [.init("c", convolution(2, 4, 3, 4))]),
    Case(
      "convolutions with stride and padding", inputs: 2 * 25,
      [
        .init("a", convolution(2, 5, 3, 3, padding: 2)), .init("r", .relu),
        .init("b", convolution(3, 7, 2, 2, stride: 3)), .init("r2", .relu),
        .init("c", convolution(2, 2, 4, 2)),
      ]),
    Case(
      "mlp of the digits", inputs: 64,
      [
        .init("fc1", .dense(inputs: 64, outputs: 32)), .init("relu1", .relu),
        .init("fc2", .dense(inputs: 32, outputs: 32)), .init("relu2", .relu),
        .init("fc3", .dense(inputs: 32, outputs: 10)),
      ]),
    Case(
      "cnn of the digits", inputs: 64,
      [
        .init("conv1", convolution(1, 8, 8, 3, padding: 1)), .init("relu1", .relu),
        .init("conv2", convolution(8, 8, 16, 3, stride: 2, padding: 1)), .init("relu2", .relu),
        .init("fc", .dense(inputs: 256, outputs: 10)),
      ]),
  ]

  /// Cross-entropy of each example from the logits alone.
  private func losses(_ network: Network, _ inputs: Matrix, _ labels: [Int32]) -> [Double] {
    let logits = network.logits(inputs)
    return labels.enumerated().map { row, label in
      logSumExp(logits.row(row)) - logits[row, Int(label)]
    }
  }

  @Test("each example's gradient is the slope of its own loss", arguments: cases)
  func finiteDifferences(of item: Case) {
    let network = item.network
    var generator = SeededGenerator(seed: 7)
    let inputs = generator.normalMatrix(rows: 3, columns: item.inputs)
    let labels: [Int32] = [0, 2, 1]
    let gradients = network.gradients(inputs, labels: labels)
    #expect(gradients.losses == losses(network, inputs, labels))
    // Central differences: truncation of order h², rounding 2^-53 / h; both near 1e-10 relative to slopes of order 1.
    let h = 1e-5
    for (position, layer) in network.trainable.enumerated() {
      var slopes = Matrix(rows: 3, columns: network.parameters[layer].count)
      for index in network.parameters[layer].indices {
        var moved = network
        moved.parameters[layer][index] += h
        let above = losses(moved, inputs, labels)
        moved.parameters[layer][index] -= 2 * h
        let below = losses(moved, inputs, labels)
        for row in 0..<3 { slopes[row, index] = (above[row] - below[row]) / (2 * h) }
      }
      let found = gradients.perExample[position]
      for row in 0..<3 {
        let size = norm(slopes.row(row))
        let error = norm(zip(found.row(row), slopes.row(row)).map { $0 - $1 })
        #expect(size > 0.01, "layer \(layer) takes part")
        #expect(error < 1e-6 * size, "layer \(layer), example \(row)")
      }
    }
  }

  @Test("a convolution is the sum that defines it", arguments: [(1, 0), (1, 1), (2, 1), (3, 2)])
  func forward(stride: Int, padding: Int) {
    let shape = Convolution(
      channels: 2, size: 5, outputs: 3, kernel: 3, stride: stride, padding: padding)
    let network = Network([.init("c", .convolution(shape))], seed: 1)
    var generator = SeededGenerator(seed: 2)
    let input = generator.normalMatrix(rows: 2, columns: 50)
    let side = (5 + 2 * padding - 3) / stride + 1
    #expect(shape.outputSize == side)
    var parameters = network.parameters[0]
    for output in 0..<3 { parameters[54 + output] = Double(output + 1) }
    var biased = network
    biased.parameters[0] = parameters
    let expected = Matrix(rows: 2, columns: 3 * side * side) { row, column in
      let (output, place) = (column / (side * side), column % (side * side))
      var sum = parameters[54 + output]
      for channel in 0..<2 {
        for dy in 0..<3 {
          for dx in 0..<3 {
            let y = place / side * stride + dy - padding
            let x = place % side * stride + dx - padding
            guard (0..<5).contains(y), (0..<5).contains(x) else { continue }
            sum +=
              parameters[((output * 2 + channel) * 3 + dy) * 3 + dx]
              * input[row, (channel * 5 + y) * 5 + x]
          }
        }
      }
      return sum
    }
    // 18 terms of order 1.
    let found = biased.logits(input)
    let differences = zip(found.elements, expected.elements).map { abs($0 - $1) }
    #expect(found.columns == expected.columns && differences.allSatisfy { $0 < 1e-13 })
  }

  @Test("a dense layer is W x + b, W row by row and then b")
  func dense() {
    var network = Network([.init("fc", .dense(inputs: 2, outputs: 3))], seed: 1)
    network.parameters = [[1, 2, 3, 4, 5, 6, 0.5, 0.25, 0]]
    let logits = network.logits(Matrix(rows: 1, columns: 2, elements: [10, 100]))
    #expect(logits.elements == [210.5, 430.25, 650])
  }

  @Test("the mean of per-example gradients is the gradient of the mean loss")
  func meanGradient() {
    let network = Self.cases[5].network
    var generator = SeededGenerator(seed: 8)
    let inputs = generator.normalMatrix(rows: 6, columns: 64)
    let labels: [Int32] = [3, 1, 4, 1, 5, 9]
    let gradients = network.gradients(inputs, labels: labels)
    // Along a random direction: one slope checks every parameter at once.
    let direction = network.parameters.map { $0.map { _ in generator.normal() } }
    func meanLoss(_ step: Double) -> Double {
      var moved = network
      for (layer, values) in direction.enumerated() {
        for (index, value) in values.enumerated() { moved.parameters[layer][index] += step * value }
      }
      return losses(moved, inputs, labels).reduce(0, +) / 6
    }
    let h = 1e-6
    let slope = (meanLoss(h) - meanLoss(-h)) / (2 * h)
    var product = 0.0
    for (position, layer) in network.trainable.enumerated() {
      for (sum, value) in zip(gradients.sums[position], direction[layer]) {
        product += sum / 6 * value
      }
    }
    // The direction has length 60: truncation is of order (60 h)² of the slope, rounding 1e-10.
    #expect(abs(slope) > 0.1 && abs(product - slope) < 1e-6 * abs(slope))
  }
}

func norm(_ values: some Sequence<Double>) -> Double {
  values.reduce(0) { $0 + $1 * $1 }.squareRoot()
}
