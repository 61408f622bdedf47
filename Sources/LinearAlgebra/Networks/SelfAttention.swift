/// Multi-head scaled dot-product self-attention over the tokens of each row (Vaswani et al. 2017, arXiv 1706.03762):
/// a row [tokens * width] holds its tokens one after another.
///
/// Parameters are W_q, W_k, W_v and W_o, [width, width] each, without biases. Scores cost O(rows tokens² width).
package final class SelfAttention<Scalar: NetworkScalar>: Layer {
  private let tokens: Int
  private let width: Int
  private let heads: Int
  private var headWidth: Int { width / heads }
  /// Queries, keys, values and mixed values, [rows * tokens, width] each; the same for their gradients.
  private var projected = [Buffer<Scalar>](repeating: Buffer(count: 0), count: 4)
  private var gradients = [Buffer<Scalar>](repeating: Buffer(count: 0), count: 4)
  /// Weights of each head, [rows, heads, tokens, tokens].
  private var weights = Buffer<Scalar>(count: 0)
  private var weightGradients = Buffer<Scalar>(count: 0)

  /// Attention among `tokens` tokens of `width` numbers; `heads` divides `width`.
  package init(tokens: Int, width: Int, heads: Int) {
    precondition(width % heads == 0, "heads must divide the width")
    (self.tokens, self.width, self.heads) = (tokens, width, heads)
  }

  package var inputs: Int { tokens * width }
  package var outputs: Int { tokens * width }
  package var parameterCount: Int { 4 * width * width }

  package func reserve(rows: Int) {
    guard projected[0].count < rows * inputs else { return }
    projected = (0..<4).map { _ in Buffer(count: rows * inputs) }
    gradients = (0..<4).map { _ in Buffer(count: rows * inputs) }
    weights = Buffer(count: rows * heads * tokens * tokens)
    weightGradients = Buffer(count: tokens * tokens)
  }

  package func initialize(
    _ parameters: UnsafeMutablePointer<Scalar>, _ generator: inout SeededGenerator
  ) {
    let scale = 1 / Double(width).squareRoot()
    for index in 0..<parameterCount { parameters[index] = Scalar(scale * generator.normal()) }
  }

  package func forward(
    _ input: UnsafePointer<Scalar>, _ parameters: UnsafePointer<Scalar>,
    _ output: UnsafeMutablePointer<Scalar>, rows: Int
  ) {
    let all = rows * tokens
    for which in 0..<3 {
      Scalar.multiply(
        false, false, all, width, width, 1, input, width, parameters + which * width * width, width,
        0, projected[which].start, width)
    }
    let scale = 1 / Scalar(headWidth).squareRoot()
    forEachHead(rows) { place, head in
      Scalar.multiply(
        false, true, tokens, tokens, headWidth, scale, projected[0].start + place, width,
        projected[1].start + place, width, 0, weights.start + head, tokens)
      Kernels.softmax(weights.start + head, tokens, rows: tokens)
      Scalar.multiply(
        false, false, tokens, headWidth, tokens, 1, weights.start + head, tokens,
        projected[2].start + place, width, 0, projected[3].start + place, width)
    }
    Scalar.multiply(
      false, false, all, width, width, 1, projected[3].start, width,
      parameters + 3 * width * width, width, 0, output, width)
  }

  package func backward(
    _ input: UnsafePointer<Scalar>, _ output: UnsafePointer<Scalar>,
    _ parameters: UnsafePointer<Scalar>, _ outputGradient: UnsafePointer<Scalar>,
    _ inputGradient: UnsafeMutablePointer<Scalar>?,
    _ parameterGradient: UnsafeMutablePointer<Scalar>, rows: Int
  ) {
    let all = rows * tokens
    Scalar.multiply(
      true, false, width, width, all, 1, projected[3].start, width, outputGradient, width, 1,
      parameterGradient + 3 * width * width, width)
    Scalar.multiply(
      false, true, all, width, width, 1, outputGradient, width, parameters + 3 * width * width,
      width, 0, gradients[3].start, width)
    let scale = 1 / Scalar(headWidth).squareRoot()
    forEachHead(rows) { place, head in
      Scalar.multiply(
        true, false, tokens, headWidth, tokens, 1, weights.start + head, tokens,
        gradients[3].start + place, width, 0, gradients[2].start + place, width)
      Scalar.multiply(
        false, true, tokens, tokens, headWidth, 1, gradients[3].start + place, width,
        projected[2].start + place, width, 0, weightGradients.start, tokens)
      Kernels.differentiateSoftmax(
        weights.start + head, weightGradients.start, tokens, rows: tokens)
      Scalar.multiply(
        false, false, tokens, headWidth, tokens, scale, weightGradients.start, tokens,
        projected[1].start + place, width, 0, gradients[0].start + place, width)
      Scalar.multiply(
        true, false, tokens, headWidth, tokens, scale, weightGradients.start, tokens,
        projected[0].start + place, width, 0, gradients[1].start + place, width)
    }
    for which in 0..<3 {
      Scalar.multiply(
        true, false, width, width, all, 1, input, width, gradients[which].start, width, 1,
        parameterGradient + which * width * width, width)
      if let inputGradient {
        Scalar.multiply(
          false, true, all, width, width, 1, gradients[which].start, width,
          parameters + which * width * width, width, which == 0 ? 0 : 1, inputGradient, width)
      }
    }
  }

  /// Calls with the place of each head's part of a row's first token, and of its weights.
  private func forEachHead(_ rows: Int, _ body: (Int, Int) -> Void) {
    for row in 0..<rows {
      for head in 0..<heads {
        body(
          row * inputs + head * headWidth, (row * heads + head) * tokens * tokens)
      }
    }
  }
}

extension Kernels {
  /// Each row becomes its softmax.
  @specialized(where S == Float)
  @specialized(where S == Double)
  static func softmax<S: NetworkScalar>(_ values: UnsafeMutablePointer<S>, _ width: Int, rows: Int)
  {
    for row in 0..<rows {
      let x = values + row &* width
      var (largest, sum) = (x[0], S(0))
      for column in 0..<width { largest = max(largest, x[column]) }
      for column in 0..<width {
        x[column] = S.exponential(x[column] - largest)
        sum += x[column]
      }
      for column in 0..<width { x[column] /= sum }
    }
  }

  /// Gradients of softmax's outputs become those of its inputs.
  @specialized(where S == Float)
  @specialized(where S == Double)
  static func differentiateSoftmax<S: NetworkScalar>(
    _ outputs: UnsafePointer<S>, _ gradient: UnsafeMutablePointer<S>, _ width: Int, rows: Int
  ) {
    for row in 0..<rows {
      let (p, g) = (outputs + row &* width, gradient + row &* width)
      var mean = S(0)
      for column in 0..<width { mean += p[column] * g[column] }
      for column in 0..<width { g[column] = p[column] * (g[column] - mean) }
    }
  }
}
