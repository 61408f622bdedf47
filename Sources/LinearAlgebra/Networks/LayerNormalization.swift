/// Each row to mean 0 and variance 1, then scaled and shifted by column (Ba, Kiros & Hinton 2016, arXiv 1607.06450);
/// parameters are the scales [width], then the shifts [width].
package final class LayerNormalization<Scalar: NetworkScalar>: Layer {
  package let inputs: Int
  /// Added to the variance, so that a constant row stays finite.
  private let floor: Scalar = 1e-5
  private var standardized = Buffer<Scalar>(count: 0)
  private var inverse = Buffer<Scalar>(count: 0)

  /// Normalises rows of this width.
  package init(width: Int) { inputs = width }

  package var outputs: Int { inputs }
  package var parameterCount: Int { 2 * inputs }

  package func reserve(rows: Int) {
    guard inverse.count < rows else { return }
    standardized = Buffer(count: rows * inputs)
    inverse = Buffer(count: rows)
  }

  package func initialize(
    _ parameters: UnsafeMutablePointer<Scalar>, _ generator: inout SeededGenerator
  ) {
    parameters.update(repeating: 1, count: inputs)
    (parameters + inputs).update(repeating: 0, count: inputs)
  }

  package func forward(
    _ input: UnsafePointer<Scalar>, _ parameters: UnsafePointer<Scalar>,
    _ output: UnsafeMutablePointer<Scalar>, rows: Int
  ) {
    Kernels.normalize(
      input, parameters, floor, standardized.start, inverse.start, output, inputs, rows)
  }

  package func backward(
    _ input: UnsafePointer<Scalar>, _ output: UnsafePointer<Scalar>,
    _ parameters: UnsafePointer<Scalar>, _ outputGradient: UnsafePointer<Scalar>,
    _ inputGradient: UnsafeMutablePointer<Scalar>?,
    _ parameterGradient: UnsafeMutablePointer<Scalar>, rows: Int
  ) {
    Kernels.differentiateNormalization(
      standardized.start, inverse.start, parameters, outputGradient, inputGradient,
      parameterGradient, inputs, rows)
  }
}

extension Kernels {
  @specialized(where S == Float)
  @specialized(where S == Double)
  static func normalize<S: NetworkScalar>(
    _ input: UnsafePointer<S>, _ parameters: UnsafePointer<S>, _ floor: S,
    _ standardized: UnsafeMutablePointer<S>, _ inverse: UnsafeMutablePointer<S>,
    _ output: UnsafeMutablePointer<S>, _ width: Int, _ rows: Int
  ) {
    for row in 0..<rows {
      let (x, z) = (input + row &* width, standardized + row &* width)
      let y = output + row &* width
      var (mean, variance) = (S(0), S(0))
      for column in 0..<width { mean += x[column] }
      mean /= S(width)
      for column in 0..<width { variance += (x[column] - mean) * (x[column] - mean) }
      let scale = 1 / (variance / S(width) + floor).squareRoot()
      inverse[row] = scale
      for column in 0..<width {
        z[column] = (x[column] - mean) * scale
        y[column] = z[column] * parameters[column] + parameters[width &+ column]
      }
    }
  }

  @specialized(where S == Float)
  @specialized(where S == Double)
  static func differentiateNormalization<S: NetworkScalar>(
    _ standardized: UnsafePointer<S>, _ inverse: UnsafePointer<S>, _ parameters: UnsafePointer<S>,
    _ gradient: UnsafePointer<S>, _ inputGradient: UnsafeMutablePointer<S>?,
    _ parameterGradient: UnsafeMutablePointer<S>, _ width: Int, _ rows: Int
  ) {
    for row in 0..<rows {
      let (z, dy) = (standardized + row &* width, gradient + row &* width)
      var (sum, product) = (S(0), S(0))
      for column in 0..<width {
        parameterGradient[column] += dy[column] * z[column]
        parameterGradient[width &+ column] += dy[column]
        let scaled = dy[column] * parameters[column]
        sum += scaled
        product += scaled * z[column]
      }
      guard let dx = inputGradient.map({ $0 + row &* width }) else { continue }
      for column in 0..<width {
        dx[column] =
          inverse[row]
          * (dy[column] * parameters[column] - (sum + z[column] * product) / S(width))
      }
    }
  }
}
