/// Layers one after another, and their parameters' place in one vector.
package final class Sequential<Scalar: NetworkScalar>: Layer {
  private let layers: [any Layer<Scalar>]
  private let offsets: [Int]
  private let isResidual: Bool
  /// What each layer but the last gives, [rows, outputs], and its gradient.
  private var activations: [Buffer<Scalar>] = []
  private var gradients: [Buffer<Scalar>] = []
  private var capacity = 0
  package let parameterCount: Int

  /// Chains layers whose widths fit.
  ///
  /// - Parameter isResidual: the input is added to the output (He et al. 2016, arXiv 1512.03385).
  package init(_ layers: [any Layer<Scalar>], isResidual: Bool = false) {
    precondition(!layers.isEmpty, "expected a layer")
    for (one, next) in zip(layers, layers.dropFirst()) {
      precondition(one.outputs == next.inputs, "widths of layers do not fit")
    }
    precondition(
      !isResidual || layers[0].inputs == layers.last!.outputs, "a residual keeps its width")
    self.layers = layers
    self.isResidual = isResidual
    var offsets: [Int] = []
    var count = 0
    for layer in layers {
      offsets.append(count)
      count += layer.parameterCount
    }
    self.offsets = offsets
    parameterCount = count
  }

  /// Dense layers with an activation between them: widths[0] numbers in, widths.last out; the last starts at zero if
  /// asked to, so that the whole does.
  package static func perceptron(
    _ widths: [Int], _ activation: Activation, startsAtZero: Bool = false
  ) -> Sequential {
    var layers: [any Layer<Scalar>] = []
    for index in 1..<widths.count {
      let isLast = index == widths.count - 1
      layers.append(
        DenseLayer<Scalar>(
          widths[index - 1], widths[index],
          gain: isLast ? (startsAtZero ? 0 : 1) : 2.0.squareRoot()))
      if !isLast { layers.append(ActivationLayer<Scalar>(activation, width: widths[index])) }
    }
    return Sequential(layers)
  }

  package var inputs: Int { layers[0].inputs }
  package var outputs: Int { layers.last!.outputs }

  package func reserve(rows: Int) {
    guard capacity < rows else { return }
    capacity = rows
    activations = layers.dropLast().map { Buffer(count: rows * $0.outputs) }
    gradients = layers.dropLast().map { Buffer(count: rows * $0.outputs) }
    for layer in layers { layer.reserve(rows: rows) }
  }

  package func initialize(
    _ parameters: UnsafeMutablePointer<Scalar>, _ generator: inout SeededGenerator
  ) {
    for (layer, offset) in zip(layers, offsets) {
      layer.initialize(parameters + offset, &generator)
    }
  }

  package func forward(
    _ input: UnsafePointer<Scalar>, _ parameters: UnsafePointer<Scalar>,
    _ output: UnsafeMutablePointer<Scalar>, rows: Int
  ) {
    precondition(rows <= capacity, "reserve rows first")
    // By index: an iterator would put each layer into a box of its own.
    for index in layers.indices {
      layers[index].forward(
        index == 0 ? input : UnsafePointer(activations[index - 1].start),
        parameters + offsets[index],
        index == layers.count - 1 ? output : activations[index].start, rows: rows)
    }
    if isResidual { Kernels.add(input, to: output, rows * inputs) }
  }

  package func backward(
    _ input: UnsafePointer<Scalar>, _ output: UnsafePointer<Scalar>,
    _ parameters: UnsafePointer<Scalar>, _ outputGradient: UnsafePointer<Scalar>,
    _ inputGradient: UnsafeMutablePointer<Scalar>?,
    _ parameterGradient: UnsafeMutablePointer<Scalar>, rows: Int
  ) {
    for index in layers.indices.reversed() {
      let isLast = index == layers.count - 1
      layers[index].backward(
        index == 0 ? input : UnsafePointer(activations[index - 1].start),
        isLast ? output : UnsafePointer(activations[index].start), parameters + offsets[index],
        isLast ? outputGradient : UnsafePointer(gradients[index].start),
        index == 0 ? inputGradient : gradients[index - 1].start,
        parameterGradient + offsets[index], rows: rows)
    }
    if isResidual, let inputGradient {
      Kernels.add(outputGradient, to: inputGradient, rows * inputs)
    }
  }
}

extension Kernels {
  @specialized(where S == Float)
  @specialized(where S == Double)
  static func add<S: NetworkScalar>(
    _ source: UnsafePointer<S>, to target: UnsafeMutablePointer<S>, _ count: Int
  ) {
    for index in 0..<count { target[index] += source[index] }
  }
}
