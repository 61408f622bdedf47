import Demonstrations
import LinearAlgebra
import Testing

@Suite("Network")
struct NetworkTests {
  private let network = Network(
    [
      .init("fc1", .dense(inputs: 6, outputs: 8)), .init("relu", .relu),
      .init("fc2", .dense(inputs: 8, outputs: 4)),
    ], seed: 3)

  private func gradients(rows: Int) -> Network.Gradients {
    var generator = SeededGenerator(seed: 4)
    let inputs = generator.normalMatrix(rows: rows, columns: 6)
    return network.gradients(inputs, labels: (0..<rows).map { Int32($0 % 4) })
  }

  @Test("layers without parameters have no gradients")
  func trainable() {
    #expect(network.trainable == [0, 2])
    #expect(network.parameters.map(\.count) == [56, 0, 36])
    #expect(gradients(rows: 5).perExample.map(\.columns) == [56, 36])
    #expect(gradients(rows: 5).perExample.map(\.rows) == [5, 5])
  }

  @Test("weights start He-normal, biases at zero, repeatable by the seed")
  func initialisation() {
    let layer = Network.NamedLayer("fc", .dense(inputs: 200, outputs: 100))
    let network = Network([layer], seed: 1)
    let weights = network.parameters[0].prefix(20_000)
    #expect(network.parameters[0].dropFirst(20_000).allSatisfy { $0 == 0 })
    let variance = weights.reduce(0) { $0 + $1 * $1 } / 20_000
    // Four standard errors of a variance over 20,000 numbers: a false alarm in 16,000 for a random seed.
    #expect(abs(variance / 0.01 - 1) < 4 * (2.0 / 20_000).squareRoot())
    #expect(Network([layer], seed: 1).parameters == network.parameters)
    #expect(Network([layer], seed: 2).parameters != network.parameters)
  }

  @Test("norms run over all layers")
  func norms() {
    let gradients = gradients(rows: 5)
    for row in 0..<5 {
      let all = gradients.perExample.flatMap { Array($0.row(row)) }
      #expect(abs(gradients.norms[row] - norm(all)) < 1e-14)
    }
  }

  @Test("clipping shortens long gradients to the bound and leaves short ones alone")
  func clip() throws {
    let before = gradients(rows: 20)
    let bound = before.norms.sorted()[10]
    var after = before
    after.clip(to: bound)
    #expect(before.norms.count { $0 > bound } == 9)
    for row in 0..<20 {
      let (old, new) = (before.norms[row], after.norms[row])
      // Rounding of a norm of 92 numbers.
      #expect(new <= bound * (1 + 1e-14))
      let factor = min(1, bound / old)
      for (a, b) in zip(before.perExample, after.perExample) {
        for (x, y) in zip(a.row(row), b.row(row)) { #expect(abs(y - factor * x) < 1e-15) }
        if old <= bound { #expect(a.row(row) == b.row(row)) }
      }
    }
  }

  @Test("noise has the stated variance, is fresh for each number and repeats by its seed")
  func noise() {
    let before = gradients(rows: 400)
    var (after, again) = (before, before)
    var generator = SeededGenerator(seed: 5)
    after.addNoise(deviation: 0.3, using: &generator)
    generator = SeededGenerator(seed: 5)
    again.addNoise(deviation: 0.3, using: &generator)
    #expect(after.perExample == again.perExample)
    #expect(after.losses == before.losses)
    let noise = zip(after.perExample, before.perExample).flatMap { a, b in
      zip(a.elements, b.elements).map { $0 - $1 }
    }
    let n = Double(noise.count)
    // Four standard errors each: a false alarm in 16,000 for a random seed.
    #expect(abs(noise.reduce(0, +) / n) < 4 * 0.3 / n.squareRoot())
    let variance = noise.reduce(0) { $0 + $1 * $1 } / n
    #expect(abs(variance / 0.09 - 1) < 4 * (2 / n).squareRoot())
    let lagged = zip(noise, noise.dropFirst(56)).reduce(0) { $0 + $1.0 * $1.1 } / n
    #expect(abs(lagged) < 4 * 0.09 / n.squareRoot())
  }

  @Test("sums add the examples")
  func sums() {
    let gradients = gradients(rows: 7)
    for (matrix, sum) in zip(gradients.perExample, gradients.sums) {
      for column in 0..<matrix.columns {
        let expected = (0..<7).reduce(0) { $0 + matrix[$1, column] }
        #expect(abs(sum[column] - expected) < 1e-14)
      }
    }
  }

  @Test("accuracy counts rows whose largest logit is at the label; ties guess the first class")
  func accuracy() {
    var network = Network([.init("fc", .dense(inputs: 2, outputs: 2))], seed: 1)
    network.parameters = [[1, 0, 0, 1, 0, 0]]
    let inputs = Matrix(rows: 4, columns: 2, elements: [2, 1, 1, 2, 5, 0, 0, 5])
    #expect(network.accuracy(inputs, labels: [0, 1, 0, 1]) == 1)
    #expect(network.accuracy(inputs, labels: [0, 1, 1, 1]) == 0.75)
    #expect(network.accuracy(inputs, labels: [1, 0, 1, 0]) == 0)
    network.parameters = [[0, 0, 0, 0, 0, 0]]
    #expect(network.accuracy(inputs, labels: [0, 1, 1, 1]) == 0.25)
    #expect(network.accuracy(Matrix(rows: 0, columns: 2), labels: []).isNaN)
  }
}
