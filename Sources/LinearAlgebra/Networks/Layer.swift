/// A differentiable map of rows [rows, inputs] to rows [rows, outputs].
///
/// Parameters lie in one vector of the whole network, so that an optimizer, a copy and a norm are one loop each; a layer
/// is told where its own begin. It may keep what its forward pass found for the backward pass that follows.
package protocol Layer<Scalar>: AnyObject {
  associatedtype Scalar: NetworkScalar

  /// Width of a row that goes in.
  var inputs: Int { get }
  /// Width of a row that comes out.
  var outputs: Int { get }
  /// Numbers that are learned.
  var parameterCount: Int { get }

  /// Makes room for so many rows.
  func reserve(rows: Int)

  /// Draws the parameters.
  func initialize(_ parameters: UnsafeMutablePointer<Scalar>, _ generator: inout SeededGenerator)

  /// Computes `output` [rows, outputs] from `input` [rows, inputs].
  func forward(
    _ input: UnsafePointer<Scalar>, _ parameters: UnsafePointer<Scalar>,
    _ output: UnsafeMutablePointer<Scalar>, rows: Int)

  /// The gradient of a loss with respect to the input, from that with respect to the output of the last forward pass;
  /// adds that with respect to the parameters.
  ///
  /// - Parameters:
  ///   - inputGradient: [rows, inputs], overwritten; nil where nobody asks for it.
  ///   - parameterGradient: added to.
  func backward(
    _ input: UnsafePointer<Scalar>, _ output: UnsafePointer<Scalar>,
    _ parameters: UnsafePointer<Scalar>, _ outputGradient: UnsafePointer<Scalar>,
    _ inputGradient: UnsafeMutablePointer<Scalar>?,
    _ parameterGradient: UnsafeMutablePointer<Scalar>, rows: Int)
}
