internal import LinearAlgebra

/// Columns by their ranks: information does not change under invertible maps of x alone or of y alone, and ranks have no
/// tails. Equal values share their mean rank.
enum RankTransform {
  /// Each column's ranks as normal scores Φ⁻¹((rank - ½) / n); a constant column becomes 0.
  static func normalScores(_ rows: Matrix) -> Matrix {
    let n = Double(rows.rows)
    return columns(rows) { normalQuantile(($0 - 0.5) / n) }
  }

  /// Each column's ranks, 1 ... n, mapped by a function.
  private static func columns(_ rows: Matrix, _ map: (Double) -> Double) -> Matrix {
    var result = rows
    let n = rows.rows
    for c in 0..<rows.columns {
      let values = OrderedValues((0..<n).map { rows[$0, c] })
      for run in values.runs {
        let score = map(Double(run.lowerBound + run.upperBound + 1) / 2)
        for place in run { result[values.order[place], c] = score }
      }
    }
    return result
  }
}
