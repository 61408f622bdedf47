/// `y = x W + b`; parameters are W [inputs, outputs] row-major, then b [outputs].
package final class DenseLayer<Scalar: NetworkScalar>: Layer {
  package let inputs: Int
  package let outputs: Int
  private let gain: Double

  /// A layer whose weights start with variance gain² / inputs; biases start at 0.
  ///
  /// - Parameter gain: √2 keeps variance through ReLU (He et al. 2015, arXiv 1502.01852); 0 starts at zero.
  package init(_ inputs: Int, _ outputs: Int, gain: Double = 2.0.squareRoot()) {
    self.inputs = inputs
    self.outputs = outputs
    self.gain = gain
  }

  package var parameterCount: Int { (inputs + 1) * outputs }

  package func reserve(rows: Int) {}

  package func initialize(
    _ parameters: UnsafeMutablePointer<Scalar>, _ generator: inout SeededGenerator
  ) {
    let scale = gain / Double(max(1, inputs)).squareRoot()
    for index in 0..<inputs * outputs {
      parameters[index] = scale == 0 ? 0 : Scalar(scale * generator.normal())
    }
    for index in inputs * outputs..<parameterCount { parameters[index] = 0 }
  }

  package func forward(
    _ input: UnsafePointer<Scalar>, _ parameters: UnsafePointer<Scalar>,
    _ output: UnsafeMutablePointer<Scalar>, rows: Int
  ) {
    Kernels.broadcast(parameters + inputs * outputs, outputs, into: output, rows: rows)
    Scalar.multiply(
      false, false, rows, outputs, inputs, 1, input, inputs, parameters, outputs, 1, output, outputs
    )
  }

  package func backward(
    _ input: UnsafePointer<Scalar>, _ output: UnsafePointer<Scalar>,
    _ parameters: UnsafePointer<Scalar>, _ outputGradient: UnsafePointer<Scalar>,
    _ inputGradient: UnsafeMutablePointer<Scalar>?,
    _ parameterGradient: UnsafeMutablePointer<Scalar>, rows: Int
  ) {
    Scalar.multiply(
      true, false, inputs, outputs, rows, 1, input, inputs, outputGradient, outputs, 1,
      parameterGradient, outputs)
    Kernels.addColumnSums(
      outputGradient, outputs, rows: rows, to: parameterGradient + inputs * outputs)
    if let inputGradient {
      Scalar.multiply(
        false, true, rows, inputs, outputs, 1, outputGradient, outputs, parameters, outputs, 0,
        inputGradient, inputs)
    }
  }
}
