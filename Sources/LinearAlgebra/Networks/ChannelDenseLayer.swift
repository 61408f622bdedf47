private import CKernels

/// `DenseLayer` in single precision for few inputs and outputs, at which products of matrices reach a tenth of their rate.
///
/// Rows lie side by side: input is [inputs, rows] and output [outputs, rows]. Parameters are as `DenseLayer` has them.
package final class ChannelDenseLayer: Layer {
  private let dense: DenseLayer<Float>

  /// Widths up to which this is the faster of the two.
  package static let widest = 32

  /// A layer that starts as `DenseLayer` does.
  package init(_ inputs: Int, _ outputs: Int, gain: Double = 2.0.squareRoot()) {
    dense = DenseLayer(inputs, outputs, gain: gain)
  }

  package var inputs: Int { dense.inputs }
  package var outputs: Int { dense.outputs }
  package var parameterCount: Int { dense.parameterCount }

  package func reserve(rows: Int) {}

  package func initialize(
    _ parameters: UnsafeMutablePointer<Float>, _ generator: inout SeededGenerator
  ) {
    dense.initialize(parameters, &generator)
  }

  package func forward(
    _ input: UnsafePointer<Float>, _ parameters: UnsafePointer<Float>,
    _ output: UnsafeMutablePointer<Float>, rows: Int
  ) {
    ptoken_channels_multiply(
      input, inputs, parameters, outputs, 1, parameters + inputs * outputs, output, outputs, rows)
  }

  package func backward(
    _ input: UnsafePointer<Float>, _ output: UnsafePointer<Float>,
    _ parameters: UnsafePointer<Float>, _ outputGradient: UnsafePointer<Float>,
    _ inputGradient: UnsafeMutablePointer<Float>?,
    _ parameterGradient: UnsafeMutablePointer<Float>, rows: Int
  ) {
    ptoken_channels_products(input, inputs, outputGradient, outputs, rows, parameterGradient)
    ptoken_channels_sums(outputGradient, outputs, rows, parameterGradient + inputs * outputs)
    if let inputGradient {
      ptoken_channels_multiply(
        outputGradient, outputs, parameters, 1, outputs, nil, inputGradient, inputs, rows)
    }
  }
}
