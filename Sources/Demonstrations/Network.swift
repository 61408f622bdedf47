private import Foundation
package import LinearAlgebra

/// A small feed-forward classifier with softmax cross-entropy loss and true per-example gradients.
package struct Network: Sendable {
  /// A layer and the name that its gradients are recorded under.
  package struct NamedLayer: Sendable {
    /// Name, such as `fc1`.
    package let name: String
    /// The layer.
    package let layer: NetworkLayer

    /// A named layer.
    package init(_ name: String, _ layer: NetworkLayer) {
      self.name = name
      self.layer = layer
    }
  }

  /// Losses and gradients of a batch.
  package struct Gradients: Sendable {
    /// Cross-entropy of each example, nats.
    package var losses: [Double]
    /// For each layer with parameters, [examples, parameters]: the gradient of each example's own loss.
    package var perExample: [Matrix]
  }

  /// All layers, in order.
  package let layers: [NamedLayer]
  /// Parameters of each layer; empty for layers that have none.
  package var parameters: [[Double]]

  /// A network with He-normal weights (He et al. 2015, arXiv 1502.01852) and zero biases.
  package init(_ layers: [NamedLayer], seed: UInt64) {
    self.layers = layers
    parameters = layers.enumerated().map { index, named in
      var generator = SeededGenerator(seed: seed, stream: UInt64(index))
      let count = named.layer.parameterCount
      let fanIn = named.layer.fanIn
      guard count > 0 else { return [] }
      let biases = count / (fanIn + 1)
      let scale = (2 / Double(fanIn)).squareRoot()
      return (0..<count).map { $0 < count - biases ? scale * generator.normal() : 0 }
    }
  }

  /// Layers that have parameters, by index into `layers`.
  package var trainable: [Int] { layers.indices.filter { layers[$0].layer.parameterCount > 0 } }

  /// Logits [n, classes] of inputs [n, features].
  package func logits(_ inputs: Matrix) -> Matrix {
    zip(layers, parameters).reduce(inputs) { $1.0.layer.forward($0, $1.1) }
  }

  /// Losses and per-example gradients; one forward and one backward pass, and n * parameters memory.
  package func gradients(_ inputs: Matrix, labels: [Int32]) -> Gradients {
    precondition(inputs.rows == labels.count, "one label per row")
    var activations = [inputs]
    for (named, weights) in zip(layers, parameters) {
      activations.append(named.layer.forward(activations.last!, weights))
    }
    let logits = activations.removeLast()
    var delta = logits
    var losses: [Double] = []
    for row in 0..<logits.rows {
      let total = logSumExp(logits.row(row))
      losses.append(total - logits[row, Int(labels[row])])
      for column in 0..<logits.columns {
        delta[row, column] = exp(logits[row, column] - total)
      }
      delta[row, Int(labels[row])] -= 1
    }
    var perExample: [Matrix] = []
    for index in layers.indices.reversed() {
      let result = layers[index].layer.backward(activations[index], parameters[index], delta)
      delta = result.input
      if layers[index].layer.parameterCount > 0 { perExample.append(result.parameters) }
    }
    return Gradients(losses: losses, perExample: perExample.reversed())
  }

  /// Share of rows whose largest logit is at their label; of equal logits the first is the guess.
  package func accuracy(_ inputs: Matrix, labels: [Int32]) -> Double {
    guard inputs.rows > 0 else { return .nan }
    let logits = logits(inputs)
    let right = labels.indices.count { row in
      let values = logits.row(row)
      guard let largest = values.max() else { return false }
      return values.firstIndex(of: largest) == values.startIndex + Int(labels[row])
    }
    return Double(right) / Double(inputs.rows)
  }
}

extension Network.Gradients {
  /// Euclidean norm of each example's gradient over all layers.
  package var norms: [Double] {
    var squares = [Double](repeating: 0, count: losses.count)
    for matrix in perExample {
      for row in 0..<matrix.rows {
        for value in matrix.row(row) { squares[row] += value * value }
      }
    }
    return squares.map { $0.squareRoot() }
  }

  /// The gradients of these rows.
  package func gathering(_ rows: [Int]) -> Network.Gradients {
    Network.Gradients(
      losses: rows.map { losses[$0] }, perExample: perExample.map { $0.gatheringRows(rows) })
  }

  /// Scales each example's gradient to a norm of at most `bound` (Abadi et al. 2016, arXiv 1607.00133).
  package mutating func clip(to bound: Double) {
    let factors = norms.map { $0 > bound ? bound / $0 : 1 }
    for index in perExample.indices {
      for row in 0..<perExample[index].rows where factors[row] < 1 {
        for column in 0..<perExample[index].columns {
          perExample[index][row, column] *= factors[row]
        }
      }
    }
  }

  /// Adds independent N(0, deviation²) noise to every element of every example's gradient.
  package mutating func addNoise(deviation: Double, using generator: inout SeededGenerator) {
    for index in perExample.indices {
      for element in perExample[index].elements.indices {
        perExample[index].elements[element] += deviation * generator.normal()
      }
    }
  }

  /// Sum over examples, for each layer with parameters.
  package var sums: [[Double]] {
    perExample.map { matrix in
      var sum = [Double](repeating: 0, count: matrix.columns)
      for row in 0..<matrix.rows {
        for (column, value) in matrix.row(row).enumerated() { sum[column] += value }
      }
      return sum
    }
  }
}
