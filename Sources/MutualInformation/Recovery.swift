public import LinearAlgebra

/// How much of the data an observer could get back with simple means: readings for people, not bounds.
public enum Recovery {
  /// Re-identification: does each held-out token rank its own record first among candidates?
  ///
  /// - Parameters:
  ///   - scores: for each fold, [test, test] with matched pairs on the diagonal.
  ///   - candidates: records to choose among, the right one included; at most the smallest fold's rows.
  ///   - generator: draws the other candidates, without replacement.
  /// - Returns: for each held-out row, 1 for a unique first place, 1/m for a first place shared by m.
  public static func reidentification(
    _ scores: [Matrix], candidates: Int, using generator: inout SeededGenerator
  ) -> [Double] {
    scores.flatMap { matrix in
      (0..<matrix.rows).map { row in
        let own = matrix[row, row]
        var ties = 1
        var drawn = 1
        for other in generator.permutation(matrix.columns) where other != row {
          guard drawn < candidates else { break }
          drawn += 1
          // A score that is not a number identifies nobody.
          guard matrix[row, other] <= own else { return 0 }
          if matrix[row, other] == own { ties += 1 }
        }
        return 1 / Double(ties)
      }
    }
  }

  /// Held-out, variance-weighted R² of least squares from token to feature.
  public struct Variance: Sendable {
    /// 1 - sum of squared errors / sum of squares about the training mean; negative if worse than that mean, 0 if
    /// nothing varies.
    public var value: Double
    /// Influence of each held-out row; they average to `value`.
    public var contributions: [Double]
  }

  /// Fits on training rows, reads on held-out rows; columns that are constant on the training rows are left out.
  ///
  /// - Parameters:
  ///   - folds: y holds the tokens.
  ///   - features: [n, width], unencoded.
  ///   - pairing: row of `features` for each row of y; nil as recorded.
  public static func variance(
    _ folds: [PairedFold], features: Matrix, pairing: [Int]? = nil
  ) throws -> Variance {
    var errors: [Double] = []
    var totals: [Double] = []
    for fold in folds {
      let rows = { (indices: [Int]) in
        features.gatheringRows(pairing.map { p in indices.map { p[$0] } } ?? indices)
      }
      var (train, test) = (rows(fold.train), rows(fold.test))
      centre(&train, &test)
      let n = Double(fold.train.count)
      // Training tokens are white, so least squares needs no inverse.
      let weights = (1 / n) * fold.yTrain.times(train, transposeSelf: true)
      let predicted = fold.yTest.times(weights)
      for row in 0..<test.rows {
        var (error, total) = (0.0, 0.0)
        for column in 0..<test.columns {
          let value = test[row, column]
          error += (value - predicted[row, column]) * (value - predicted[row, column])
          total += value * value
        }
        errors.append(error)
        totals.append(total)
      }
    }
    let meanTotal = totals.mean
    guard meanTotal > 0 else { return Variance(value: 0, contributions: totals.map { _ in 0 }) }
    let value = 1 - errors.mean / meanTotal
    // Delta method for a ratio of means.
    let contributions = zip(errors, totals).map { value - ($0 - (1 - value) * $1) / meanTotal }
    return Variance(value: value, contributions: contributions)
  }

  /// Subtracts the training mean from both and zeroes columns that are constant in training.
  private static func centre(_ train: inout Matrix, _ test: inout Matrix) {
    var sums = [Double](repeating: 0, count: train.columns)
    var isConstant = [Bool](repeating: true, count: train.columns)
    for row in 0..<train.rows {
      for column in 0..<train.columns {
        sums[column] += train[row, column]
        isConstant[column] = isConstant[column] && train[row, column] == train[0, column]
      }
    }
    let means = sums.map { $0 / Double(train.rows) }
    func shift(_ rows: inout Matrix) {
      for row in 0..<rows.rows {
        for column in 0..<rows.columns {
          rows[row, column] = isConstant[column] ? 0 : rows[row, column] - means[column]
        }
      }
    }
    shift(&train)
    shift(&test)
  }
}
