private import CKernels
package import LinearAlgebra

/// A function of pairs that is learned: f(x_i, y_j), for pairs laid out as in `PairBatch`.
package protocol Critic: AnyObject {
  var parameterCount: Int { get }
  func initialize(_ parameters: UnsafeMutablePointer<Float>, _ generator: inout SeededGenerator)
  /// Makes room for batches of so many rows and blocks of pairs.
  func reserve(size: Int, blocks: Int)
  /// Writes the score of each pair, [blocks, size], from an element of `scores` on.
  func scores(
    _ batch: PairBatch, _ parameters: Buffer<Float>, into scores: Buffer<Float>, at place: Int)
  /// Adds the parameters' gradient from the scores' gradient [blocks, size] of the last call to `scores`.
  func backward(
    _ batch: PairBatch, _ parameters: Buffer<Float>, _ scoreGradient: Buffer<Float>,
    into gradient: Buffer<Float>)
}

/// A perceptron of x and y side by side.
///
/// The first layer is linear in each, so that its part of x and its part of y are computed once for each row and added
/// for each pair: exact, and for wide rows most of the cost saved.
package final class JointCritic: Critic {
  private let xWidth: Int
  private let yWidth: Int
  private let hidden: Int
  private let tail: Sequential<Float>
  private var xPart = Buffer<Float>(count: 0)
  private var yPart = Buffer<Float>(count: 0)
  private var sums = Buffer<Float>(count: 0)
  private var sumGradients = Buffer<Float>(count: 0)
  private var output = Buffer<Float>(count: 0)
  private var xGradient = Buffer<Float>(count: 0)
  private var yGradient = Buffer<Float>(count: 0)

  package init(
    xWidth: Int, yWidth: Int, hidden: [Int], activation: Activation, startsAtZero: Bool
  ) {
    self.xWidth = xWidth
    self.yWidth = yWidth
    self.hidden = hidden[0]
    var layers: [any Layer<Float>] = [ActivationLayer<Float>(activation, width: hidden[0])]
    for (one, next) in zip(hidden, hidden.dropFirst()) {
      layers.append(DenseLayer<Float>(one, next))
      layers.append(ActivationLayer<Float>(activation, width: next))
    }
    layers.append(DenseLayer<Float>(hidden.last!, 1, gain: startsAtZero ? 0 : 1))
    tail = Sequential(layers)
  }

  private var firstCount: Int { (xWidth + yWidth + 1) * hidden }
  package var parameterCount: Int { firstCount + tail.parameterCount }

  package func initialize(
    _ parameters: UnsafeMutablePointer<Float>, _ generator: inout SeededGenerator
  ) {
    let first = DenseLayer<Float>(xWidth + yWidth, hidden)
    first.initialize(parameters, &generator)
    tail.initialize(parameters + firstCount, &generator)
  }

  /// Pairs that pass through the network at a time: what lies between its layers then stays in the cache. With more than
  /// one such part, backward passes go forward again.
  private static let most = 2048
  private func part(_ size: Int) -> Int { max(1, Self.most / size) }

  package func reserve(size: Int, blocks: Int) {
    if xPart.count < size * hidden {
      xPart = Buffer(count: size * hidden)
      yPart = Buffer(count: size * hidden)
      xGradient = Buffer(count: size * hidden)
      yGradient = Buffer(count: size * hidden)
    }
    let pairs = size * min(blocks, part(size))
    if sums.count < pairs * hidden {
      sums = Buffer(count: pairs * hidden)
      sumGradients = Buffer(count: pairs * hidden)
    }
    if output.count < pairs { output = Buffer(count: pairs) }
    tail.reserve(rows: pairs)
  }

  package func scores(
    _ batch: PairBatch, _ allParameters: Buffer<Float>, into allScores: Buffer<Float>, at place: Int
  ) {
    let (parameters, scores) = (allParameters.start, allScores.start + place)
    let size = batch.size
    let bias = parameters + (xWidth + yWidth) * hidden
    for row in 0..<size { (xPart.start + row * hidden).update(from: bias, count: hidden) }
    Float.multiply(
      false, false, size, hidden, xWidth, 1, batch.x.start, xWidth, parameters, hidden, 1,
      xPart.start, hidden)
    Float.multiply(
      false, false, size, hidden, yWidth, 1, batch.y.start, yWidth, parameters + xWidth * hidden,
      hidden, 0, yPart.start, hidden)
    forEachPart(batch) { blocks in
      forward(batch, blocks, parameters, scores + blocks.lowerBound * size)
    }
  }

  private func forEachPart(_ batch: PairBatch, _ body: (Range<Int>) -> Void) {
    let (count, part) = (batch.shifts.count, part(batch.size))
    for first in stride(from: 0, to: count, by: part) { body(first..<min(count, first + part)) }
  }

  /// Scores of some blocks of pairs, and what their backward pass needs.
  private func forward(
    _ batch: PairBatch, _ blocks: Range<Int>, _ parameters: UnsafePointer<Float>,
    _ scores: UnsafeMutablePointer<Float>
  ) {
    let size = batch.size
    for (place, block) in blocks.enumerated() {
      ptoken_pair_sums(
        xPart.start, yPart.start, size, hidden, batch.shifts[block],
        sums.start + place * size * hidden)
    }
    tail.forward(sums.start, parameters + firstCount, scores, rows: size * blocks.count)
  }

  package func backward(
    _ batch: PairBatch, _ allParameters: Buffer<Float>, _ allScoreGradients: Buffer<Float>,
    into allGradients: Buffer<Float>
  ) {
    let (parameters, scoreGradient) = (allParameters.start, allScoreGradients.start)
    let gradient = allGradients.start
    let size = batch.size
    xGradient.fill(0)
    yGradient.fill(0)
    let isWhole = batch.shifts.count <= part(size)
    forEachPart(batch) { blocks in
      if !isWhole { forward(batch, blocks, parameters, output.start) }
      let scoreGradient = scoreGradient + blocks.lowerBound * size
      // The tail's last output is not needed: its last layer is linear.
      tail.backward(
        sums.start, scoreGradient, parameters + firstCount, scoreGradient, sumGradients.start,
        gradient + firstCount, rows: size * blocks.count)
      for (place, block) in blocks.enumerated() {
        ptoken_add_pairs(
          sumGradients.start + place * size * hidden, size, hidden, batch.shifts[block],
          xGradient.start, yGradient.start)
      }
    }
    Float.multiply(
      true, false, xWidth, hidden, size, 1, batch.x.start, xWidth, xGradient.start, hidden, 1,
      gradient, hidden)
    Float.multiply(
      true, false, yWidth, hidden, size, 1, batch.y.start, yWidth, yGradient.start, hidden, 1,
      gradient + xWidth * hidden, hidden)
    let bias = gradient + (xWidth + yWidth) * hidden
    for row in 0..<size {
      for k in 0..<hidden { bias[k] += xGradient.start[row &* hidden &+ k] }
    }
  }
}
