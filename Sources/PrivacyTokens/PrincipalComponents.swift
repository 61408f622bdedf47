public import LinearAlgebra

/// Principal components of rows, standardised: the simplest privacy token, and the simplest view of a feature.
///
/// Fitted on training rows only (Pearson 1901; Jolliffe & Cadima 2016, doi:10.1098/rsta.2015.0202). On those rows
/// every component has mean 0 and variance 1, so that noise of standard deviation sigma means the same for each.
public struct PrincipalComponents: Sendable {
  /// Mean of the training rows, [width].
  public let mean: [Double]
  /// Directions as columns, each divided by its standard deviation: [width, components].
  public let projection: Matrix
  /// Variance of each component before standardising, largest first.
  public let variances: [Double]

  /// Components that could be fitted: fewer than asked for where the rows span less.
  public var count: Int { projection.columns }

  /// Fits on rows [n, width]; O(n d²) with d the smaller of n and width.
  ///
  /// - Parameter components: most components to keep. Directions whose variance is below 1e-10 of the largest are
  ///   rounding, not data, and are never kept; constant rows give none.
  /// - Throws: `LinearAlgebraError` if the eigenvalues do not converge.
  public init(fitting rows: Matrix, components: Int) throws {
    precondition(rows.rows >= 2, "principal components need two rows")
    let n = Double(rows.rows)
    // Summed from the first row, so that constant rows become 0 exactly and not rounding.
    let first = Array(rows.row(0))
    var mean = first
    for row in 1..<rows.rows {
      for (column, value) in rows.row(row).enumerated() {
        mean[column] += (value - first[column]) / n
      }
    }
    let centred = Self.subtract(mean, from: rows)
    let isWide = rows.columns > rows.rows
    let (values, vectors) =
      try isWide
      ? (1 / (n - 1) * centred.times(centred, transposeOther: true)).symmetricEigen()
      : centred.gram(scale: n - 1).symmetricEigen()
    let smallest = max(values.first ?? 0, 0) * 1e-10
    let kept = values.prefix(components).prefix { $0 > smallest }
    variances = Array(kept)
    var projection = vectors.prefixColumns(kept.count)
    if isWide {
      // Eigenvectors u of the row Gram matrix give directions v = Xᵀ u / sqrt((n - 1) lambda).
      projection = centred.times(projection, transposeSelf: true)
    }
    for (column, variance) in kept.enumerated() {
      let scale = isWide ? 1 / (variance * (n - 1).squareRoot()) : 1 / variance.squareRoot()
      for row in 0..<projection.rows { projection[row, column] *= scale }
    }
    self.projection = projection
    self.mean = mean
  }

  /// Tokens [n, count] of rows [n, width]; O(n width count).
  public func callAsFunction(_ rows: Matrix) -> Matrix {
    Self.subtract(mean, from: rows).times(projection)
  }

  /// Share of the rows' variance about the training mean that the components keep; NaN for constant rows.
  public func keptVariance(of rows: Matrix) -> Double {
    let centred = Self.subtract(mean, from: rows)
    let total = centred.elements.reduce(0) { $0 + $1 * $1 }
    let tokens = centred.times(projection)
    var kept = 0.0
    for row in 0..<tokens.rows {
      for (column, value) in tokens.row(row).enumerated() {
        kept += value * value * variances[column]
      }
    }
    return kept / total
  }

  private static func subtract(_ mean: [Double], from rows: Matrix) -> Matrix {
    precondition(rows.columns == mean.count, "rows differ in width from those fitted on")
    var result = rows
    var index = 0
    for _ in 0..<rows.rows {
      for column in mean.indices {
        result.elements[index] -= mean[column]
        index &+= 1
      }
    }
    return result
  }
}
