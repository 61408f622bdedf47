internal import LinearAlgebra

/// Distances in little precision, a row to all others at a time, with a bound on how wrong they are.
protocol RoughDistances: Sendable {
  /// What is stored are distances times this.
  var scale: Double { get }
  /// Whether they are squared.
  var isSquared: Bool { get }
  /// Numbers that are stored of a row: of every row, and of what fills the last block.
  var stride: Int { get }

  /// Stores distances of some rows, a multiple of 4, to every row: [rows, stride] in x and in y.
  func measure(_ rows: [Int], x: Buffer<Float>, y: Buffer<Float>)

  /// Most that a scaled distance near `distance` of row i, not squared, may be wrong by.
  func error(_ i: Int, _ distance: Double) -> Double
}

extension RoughDistances {
  /// A scaled distance as it is stored.
  func stored(_ distance: Double) -> Float { Float(isSquared ? distance * distance : distance) }

  /// The scaled distance that is stored so.
  func distance(stored: Float) -> Double {
    isSquared ? Double(stored).squareRoot() : Double(stored)
  }
}
