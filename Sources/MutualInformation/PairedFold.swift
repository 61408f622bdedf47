public import LinearAlgebra

/// Rows of x and y, split into training and held-out rows, ready to be paired in many ways.
///
/// A pairing maps row i of y to row `pairing[i]` of x and keeps training rows among training rows; x and y are each
/// whitened on their training rows once, whatever the pairing.
public struct PairedFold: Sendable {
  /// Training rows.
  public let train: [Int]
  /// Held-out rows.
  public let test: [Int]
  /// x whitened on training rows, [n, dx].
  public let x: Matrix
  /// y whitened on training rows, [n, dy].
  public let y: Matrix
  let yTrain: Matrix
  let yTest: Matrix

  /// Whitens; O(n d²).
  ///
  /// - Parameters:
  ///   - x: [n, dx], y: [n, dy], rows paired as recorded.
  ///   - train: rows that may be fitted on.
  ///   - test: rows to evaluate on.
  /// - Throws: `LinearAlgebraError` if a block is singular on the training rows.
  public init(x: Matrix, y: Matrix, train: [Int], test: [Int]) throws {
    precondition(x.rows == y.rows, "x and y differ in rows")
    self.train = train
    self.test = test
    self.x = try Self.whiten(x, on: train)
    self.y = try Self.whiten(y, on: train)
    yTrain = self.y.gatheringRows(train)
    yTest = self.y.gatheringRows(test)
  }

  /// Rows of x that go with the training rows of y.
  func xTrain(_ pairing: [Int]?) -> Matrix {
    x.gatheringRows(pairing.map { p in train.map { p[$0] } } ?? train)
  }

  /// Rows of x that go with the held-out rows of y.
  func xTest(_ pairing: [Int]?) -> Matrix {
    x.gatheringRows(pairing.map { p in test.map { p[$0] } } ?? test)
  }

  /// Mean 0 and covariance I on the training rows, by the Cholesky factor of their covariance.
  private static func whiten(_ rows: Matrix, on train: [Int]) throws -> Matrix {
    let fitted = rows.gatheringRows(train)
    let n = Double(train.count)
    var result = rows
    for column in 0..<rows.columns {
      // Sums from the first row, so that a constant column becomes 0 exactly and not rounding.
      let first = fitted[0, column]
      let mean = first + (0..<fitted.rows).reduce(0.0) { $0 + (fitted[$1, column] - first) } / n
      for row in 0..<rows.rows { result[row, column] -= mean }
    }
    let covariance = result.gatheringRows(train).gram(scale: n)
    let factor = try covariance.cholesky()
    for column in 0..<rows.columns {
      // Variance that the earlier columns leave; below 1e-10 of the whole it is rounding.
      let left = factor[column, column] * factor[column, column]
      guard left > 1e-10 * covariance[column, column] else {
        throw LinearAlgebraError(
          description: "column \(column) depends on the columns before it on the training rows")
      }
    }
    return factor.forwardSubstituting(rows: result)
  }
}
