private import Foundation
internal import LinearAlgebra

/// One side of the rows as critics see it.
struct CriticFeatures: Sendable {
  /// Normal scores of each column, [n, d]; what the closed-form critic is fitted on.
  var scores: Matrix
  /// Norms of the rows as recorded and of heavy-tailed scores, standardised, [n, 2]: how far out a row lies, which decides
  /// how strongly elliptical and rotated rows depend on each other, is hard to learn from coordinates.
  var radii: Matrix

  /// Networks take features within these bounds: beyond the training rows a critic says anything.
  static let largest = 4.0

  /// - Parameter isLabel: whether the one column is a label; it is then given by indicators.
  init(_ rows: Matrix, isLabel: Bool) {
    guard !isLabel else {
      scores = Self.indicators(rows)
      radii = Matrix(rows: rows.rows, columns: 0)
      return
    }
    let scores = RankTransform.normalScores(rows)
    self.scores = scores
    let n = rows.rows
    let d = Double(rows.columns)
    let recorded = Self.scaled(rows)
    let near = (0..<n).map { row in
      log(0.1 + recorded.row(row).reduce(0) { $0 + $1 * $1 } / d)
    }
    // Student's t of 2 degrees by its quantile, from normal scores by their rank.
    let far = (0..<n).map { row in
      log(
        0.1
          + scores.row(row).reduce(0) { sum, score in
            let p = 0.5 * erfc(-score / 2.0.squareRoot())
            return sum + (2 * p - 1) * (2 * p - 1) / (2 * p * (1 - p))
          } / d)
    }
    var radii = Matrix(rows: n, columns: 2) { $1 == 0 ? near[$0] : far[$0] }
    Self.standardize(&radii)
    self.radii = radii
  }

  /// Columns by median and quartiles, so that a tail does not set the scale; within bounds whose squares are numbers.
  private static func scaled(_ rows: Matrix) -> Matrix {
    var result = rows
    for column in 0..<rows.columns {
      // Differences of the largest numbers are none.
      let sorted = (0..<rows.rows).map { rows[$0, column] / 4 }.sorted()
      let n = sorted.count
      let spread = (sorted[n * 3 / 4] - sorted[n / 4]) / 1.349
      let scale = spread > 0 ? spread : max(sorted[n - 1] - sorted[0], .leastNormalMagnitude)
      for row in 0..<n {
        let value = (rows[row, column] / 4 - sorted[n / 2]) / scale
        result[row, column] = min(max(value, -1e100), 1e100)
      }
    }
    return result
  }

  /// Rows that a value needs to have an indicator of its own.
  private static let fewestOfValue = 20

  /// Indicators of all values but the most frequent, standardised; rare values are told apart by their normal scores.
  private static func indicators(_ rows: Matrix) -> Matrix {
    let counts = Dictionary(rows.elements.map { ($0, 1) }, uniquingKeysWith: +)
    let frequent = counts.keys.sorted { (counts[$0]!, $0) > (counts[$1]!, $1) }
    let named = frequent.dropFirst().filter { counts[$0]! >= fewestOfValue }
    let place = Dictionary(uniqueKeysWithValues: named.enumerated().map { ($1, $0) })
    var result = Matrix(rows: rows.rows, columns: named.count)
    for row in 0..<rows.rows {
      if let column = place[rows[row, 0]] { result[row, column] = 1 }
    }
    standardize(&result)
    guard named.count < counts.count - 1 || named.isEmpty else { return result }
    return RankTransform.normalScores(rows).appendingColumns(result)
  }

  /// Mean 0, variance 1, within the bounds.
  static func standardize(_ rows: inout Matrix, within largest: Double = largest) {
    let n = Double(rows.rows)
    for column in 0..<rows.columns {
      let mean = (0..<rows.rows).reduce(0.0) { $0 + rows[$1, column] } / n
      let variance =
        (0..<rows.rows).reduce(0.0) {
          $0 + (rows[$1, column] - mean) * (rows[$1, column] - mean)
        } / n
      // The mean of equal values may be off by rounding.
      let isConstant = (1..<max(1, rows.rows)).allSatisfy { rows[$0, column] == rows[0, column] }
      let scale = variance > 0 && !isConstant ? 1 / variance.squareRoot() : 0
      for row in 0..<rows.rows {
        rows[row, column] = min(max((rows[row, column] - mean) * scale, -largest), largest)
      }
    }
  }

  /// Scores and radii side by side.
  var full: Matrix { scores.appendingColumns(radii) }
}
