package import LinearAlgebra

/// An inner product of two perceptrons: f(x, y) = g(x) · h(y) / √width. Each row passes through a network once,
/// however many pairs it is in.
package final class SeparableCritic: Critic {
  private let width: Int
  private let xEncoder: Sequential<Float>
  private let yEncoder: Sequential<Float>
  private var g = Buffer<Float>(count: 0)
  private var h = Buffer<Float>(count: 0)
  private var gGradient = Buffer<Float>(count: 0)
  private var hGradient = Buffer<Float>(count: 0)
  private let scale: Float

  package init(xWidth: Int, yWidth: Int, hidden: [Int], width: Int, activation: Activation) {
    self.width = width
    xEncoder = .perceptron([xWidth] + hidden + [width], activation)
    yEncoder = .perceptron([yWidth] + hidden + [width], activation)
    scale = 1 / Float(width).squareRoot()
  }

  package var parameterCount: Int { xEncoder.parameterCount + yEncoder.parameterCount }

  package func initialize(
    _ parameters: UnsafeMutablePointer<Float>, _ generator: inout SeededGenerator
  ) {
    xEncoder.initialize(parameters, &generator)
    yEncoder.initialize(parameters + xEncoder.parameterCount, &generator)
  }

  package func reserve(size: Int, blocks: Int) {
    guard g.count < size * width else { return }
    g = Buffer(count: size * width)
    h = Buffer(count: size * width)
    gGradient = Buffer(count: size * width)
    hGradient = Buffer(count: size * width)
    xEncoder.reserve(rows: size)
    yEncoder.reserve(rows: size)
  }

  package func scores(
    _ batch: PairBatch, _ allParameters: Buffer<Float>, into allScores: Buffer<Float>, at place: Int
  ) {
    let (parameters, scores) = (allParameters.start, allScores.start + place)
    let size = batch.size
    xEncoder.forward(batch.x.start, parameters, g.start, rows: size)
    yEncoder.forward(
      batch.y.start, parameters + xEncoder.parameterCount, h.start, rows: size)
    for (block, shift) in batch.shifts.enumerated() {
      for i in 0..<size {
        let j = i + shift < size ? i + shift : i + shift - size
        let (a, b) = (g.start + i &* width, h.start + j &* width)
        var sum: Float = 0
        for k in 0..<width { sum += a[k] * b[k] }
        scores[block &* size &+ i] = sum * scale
      }
    }
  }

  package func backward(
    _ batch: PairBatch, _ allParameters: Buffer<Float>, _ allScoreGradients: Buffer<Float>,
    into allGradients: Buffer<Float>
  ) {
    let (parameters, scoreGradient) = (allParameters.start, allScoreGradients.start)
    let gradient = allGradients.start
    let size = batch.size
    gGradient.fill(0)
    hGradient.fill(0)
    for (block, shift) in batch.shifts.enumerated() {
      for i in 0..<size {
        let j = i + shift < size ? i + shift : i + shift - size
        let weight = scoreGradient[block &* size &+ i] * scale
        let (a, b) = (g.start + i &* width, h.start + j &* width)
        let (da, db) = (gGradient.start + i &* width, hGradient.start + j &* width)
        for k in 0..<width {
          da[k] += weight * b[k]
          db[k] += weight * a[k]
        }
      }
    }
    xEncoder.backward(
      batch.x.start, g.start, parameters, gGradient.start, nil, gradient, rows: size)
    yEncoder.backward(
      batch.y.start, h.start, parameters + xEncoder.parameterCount, hGradient.start, nil,
      gradient + xEncoder.parameterCount, rows: size)
  }

  /// The encoders' outputs of these rows, [rows, width] each.
  func codes(_ data: CriticRows, rows: [Int], _ parameters: Buffer<Float>) -> (Matrix, Matrix) {
    reserve(size: rows.count, blocks: 1)
    let batch = PairBatch(size: rows.count, blocks: 1, like: data)
    batch.fill(data, rows: rows, shifts: [0])
    withExtendedLifetime(batch) {
      xEncoder.forward(batch.x.start, parameters.start, g.start, rows: rows.count)
      yEncoder.forward(
        batch.y.start, parameters.start + xEncoder.parameterCount, h.start, rows: rows.count)
    }
    func matrix(_ codes: Buffer<Float>) -> Matrix {
      Matrix(
        rows: rows.count, columns: width,
        elements: (0..<rows.count * width).map { Double(codes[$0]) })
    }
    return (matrix(g), matrix(h))
  }
}
