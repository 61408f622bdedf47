/// An activation function, element by element.
public enum Activation: String, Sendable, CaseIterable {
  /// max(x, 0).
  case relu
  /// x for x > 0, else e^x - 1 (Clevert et al. 2016, arXiv 1511.07289).
  case elu
  /// x Φ(x) by its tanh approximation (Hendrycks & Gimpel 2016, arXiv 1606.08415).
  case gelu
}

/// A layer that applies an activation function.
package final class ActivationLayer<Scalar: NetworkScalar>: Layer {
  package let inputs: Int
  private let function: Activation

  /// An activation of rows of this width.
  package init(_ function: Activation, width: Int) {
    self.function = function
    inputs = width
  }

  package var outputs: Int { inputs }
  package var parameterCount: Int { 0 }

  package func reserve(rows: Int) {}

  package func initialize(
    _ parameters: UnsafeMutablePointer<Scalar>, _ generator: inout SeededGenerator
  ) {}

  package func forward(
    _ input: UnsafePointer<Scalar>, _ parameters: UnsafePointer<Scalar>,
    _ output: UnsafeMutablePointer<Scalar>, rows: Int
  ) {
    Scalar.activate(function, input, output, rows * inputs)
  }

  package func backward(
    _ input: UnsafePointer<Scalar>, _ output: UnsafePointer<Scalar>,
    _ parameters: UnsafePointer<Scalar>, _ outputGradient: UnsafePointer<Scalar>,
    _ inputGradient: UnsafeMutablePointer<Scalar>?,
    _ parameterGradient: UnsafeMutablePointer<Scalar>, rows: Int
  ) {
    guard let inputGradient else { return }
    Scalar.differentiate(function, input, output, outputGradient, inputGradient, rows * inputs)
  }
}
