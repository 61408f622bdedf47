private import CKernels
private import Foundation
package import LinearAlgebra

/// A perceptron of x and y side by side, whose first layer is a `PairLayer`.
package final class JointCritic: Critic {
  private let first: PairLayer
  private let tail: Sequential<Float>
  private var sums = Buffer<Float>(count: 0)
  private var sumGradients = Buffer<Float>(count: 0)
  private var scores = Buffer<Float>(count: 0)
  private var scoreGradients = Buffer<Float>(count: 0)

  package init(
    xWidth: Int, yWidth: Int, hidden: [Int], activation: Activation, startsAtZero: Bool
  ) {
    let isNarrow = hidden.max()! <= ChannelDenseLayer.widest
    first = PairLayer(
      xWidth: xWidth, yWidth: yWidth, width: hidden[0], layout: isNarrow ? .channels : .rows)
    func dense(_ inputs: Int, _ outputs: Int, gain: Double) -> any Layer<Float> {
      isNarrow
        ? ChannelDenseLayer(inputs, outputs, gain: gain)
        : DenseLayer<Float>(inputs, outputs, gain: gain)
    }
    var layers: [any Layer<Float>] = [ActivationLayer<Float>(activation, width: hidden[0])]
    for (one, next) in zip(hidden, hidden.dropFirst()) {
      layers.append(dense(one, next, gain: 2.0.squareRoot()))
      layers.append(ActivationLayer<Float>(activation, width: next))
    }
    layers.append(dense(hidden.last!, 1, gain: startsAtZero ? 0 : 1))
    tail = Sequential(layers)
  }

  package var parameterCount: Int { first.parameterCount + tail.parameterCount }

  package func initialize(
    _ parameters: UnsafeMutablePointer<Float>, _ generator: inout SeededGenerator
  ) {
    first.initialize(parameters, &generator)
    tail.initialize(parameters + first.parameterCount, &generator)
  }

  /// Numbers of a layer that pass through the network at a time: what lies between its layers then stays in the cache.
  private static let most = 1 << 17
  /// Blocks, or rows with all partners, of so many numbers.
  private func part(_ size: Int) -> Int {
    max(1, min(Self.most / first.width, 4096) / size)
  }

  package func reserve(size: Int, blocks: Int) {
    first.reserve(size: size)
    let pairs = size * min(blocks, part(size))
    if scores.count < pairs {
      sums = Buffer(count: pairs * first.width)
      sumGradients = Buffer(count: pairs * first.width)
      scores = Buffer(count: pairs)
      scoreGradients = Buffer(count: pairs)
    }
    tail.reserve(rows: pairs)
  }

  package func scores(
    _ batch: PairBatch, _ parameters: Buffer<Float>, into scores: Buffer<Float>, at place: Int
  ) {
    first.prepare(batch, parameters.start)
    forEachPart(of: batch.shifts.count, size: batch.size) { blocks in
      forward(
        batch, blocks, parameters.start, scores.start + place + blocks.lowerBound * batch.size)
    }
  }

  private func forEachPart(of count: Int, size: Int, _ body: (Range<Int>) -> Void) {
    let part = part(size)
    for first in stride(from: 0, to: count, by: part) { body(first..<min(count, first + part)) }
  }

  /// Scores of some blocks of pairs, and what their backward pass needs.
  private func forward(
    _ batch: PairBatch, _ blocks: Range<Int>, _ parameters: UnsafePointer<Float>,
    _ scores: UnsafeMutablePointer<Float>
  ) {
    first.sums(batch, blocks: blocks, into: sums.start)
    tail.forward(
      sums.start, parameters + first.parameterCount, scores, rows: batch.size * blocks.count)
  }

  /// From scores' gradients to the sums' in `sumGradients`; adds the tail's.
  private func backward(
    _ parameters: UnsafePointer<Float>, _ scoreGradient: UnsafePointer<Float>,
    _ gradient: UnsafeMutablePointer<Float>, pairs: Int
  ) {
    // The tail's last output is not needed: its last layer is linear.
    tail.backward(
      sums.start, scoreGradient, parameters + first.parameterCount, scoreGradient,
      sumGradients.start, gradient + first.parameterCount, rows: pairs)
  }

  /// With more blocks than a part has, goes forward again.
  package func backward(
    _ batch: PairBatch, _ parameters: Buffer<Float>, _ scoreGradient: Buffer<Float>,
    into gradient: Buffer<Float>
  ) {
    let size = batch.size
    let isWhole = batch.shifts.count <= part(size)
    first.clearGradients()
    forEachPart(of: batch.shifts.count, size: size) { blocks in
      if !isWhole { forward(batch, blocks, parameters.start, scores.start) }
      backward(
        parameters.start, scoreGradient.start + blocks.lowerBound * size, gradient.start,
        pairs: size * blocks.count)
      first.addGradients(batch, blocks: blocks, of: sumGradients.start)
    }
    first.finish(batch, into: gradient.start)
  }

  /// Adds the gradient of InfoNCE's loss of all pairs of a batch, and returns the loss.
  ///
  /// A row's loss is of its own scores: some rows with all their partners go forwards and back at a time, so that nothing
  /// is computed twice and what lies between layers stays in the cache.
  package func contrast(
    _ batch: PairBatch, _ parameters: Buffer<Float>, into gradient: Buffer<Float>
  ) -> Double {
    let size = batch.size
    first.prepare(batch, parameters.start)
    first.clearGradients()
    var total = 0.0
    forEachPart(of: size, size: size) { rows in
      let pairs = size * rows.count
      first.sums(batch, rows: rows, into: sums.start)
      tail.forward(
        sums.start, parameters.start + first.parameterCount, scores.start, rows: pairs)
      for (place, row) in rows.enumerated() {
        total += Double(
          ptoken_infonce_row(
            scores.start + place * size, size, row, scoreGradients.start + place * size))
      }
      backward(parameters.start, scoreGradients.start, gradient.start, pairs: pairs)
      first.addGradients(batch, rows: rows, of: sumGradients.start)
    }
    first.finish(batch, into: gradient.start)
    return total / Double(size) - log(Double(size))
  }
}
