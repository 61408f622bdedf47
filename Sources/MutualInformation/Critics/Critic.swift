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
