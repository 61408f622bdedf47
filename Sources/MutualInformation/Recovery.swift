public import LinearAlgebra

/// How much of the data an observer could get back with simple means: readings for people, not bounds.
public enum Recovery {
  /// Re-identification: does each held-out token rank its own record first among candidates?
  ///
  /// - Parameters:
  ///   - scores: of a fold, [test, test] with matched pairs on the diagonal.
  ///   - candidates: records to choose among, the right one included; at most the smallest fold's rows.
  ///   - generator: draws the other candidates, without replacement.
  /// - Returns: for each held-out row, 1 for a unique first place, 1/m for a first place shared by m.
  public static func reidentification(
    _ scores: Matrix, candidates: Int, using generator: inout SeededGenerator
  ) -> [Double] {
    (0..<scores.rows).map { row in
      let own = scores[row, row]
      var ties = 1
      var drawn = 1
      for other in generator.permutation(scores.columns) where other != row {
        guard drawn < candidates else { break }
        drawn += 1
        // A score that is not a number identifies nobody.
        guard scores[row, other] <= own else { return 0 }
        if scores[row, other] == own { ties += 1 }
      }
      return 1 / Double(ties)
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
}
