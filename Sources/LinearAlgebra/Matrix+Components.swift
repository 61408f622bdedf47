extension Matrix {
  /// This matrix's columns, then another's.
  package func appendingColumns(_ other: Matrix) -> Matrix {
    Matrix(rows: rows, columns: columns + other.columns) {
      $1 < columns ? self[$0, $1] : other[$0, $1 - columns]
    }
  }

  /// The scores of the rows on their first principal components, by subspace iteration with a seeded start
  /// (Halko, Martinsson & Tropp 2011, doi:10.1137/090771806), each of variance 1; O(n d components).
  package func principalScores(_ count: Int, seed: UInt64) throws -> Matrix {
    let wanted = Swift.min(count, Swift.min(rows, columns))
    let n = Double(rows)
    let means = (0..<columns).map { column in
      (0..<rows).reduce(0.0) { $0 + self[$1, column] } / n
    }
    let centred = Matrix(rows: rows, columns: columns) { self[$0, $1] - means[$1] }
    var generator = SeededGenerator(seed: seed, stream: 0x9ca)
    var basis = generator.normalMatrix(
      rows: columns, columns: Swift.min(wanted + 8, Swift.min(rows, columns)))
    for _ in 0..<4 {
      let product = centred.times(centred.times(basis), transposeSelf: true)
      basis = try product.singularValues().u
    }
    let (u, s, _) = try centred.times(basis).singularValues()
    let kept = s.prefix(wanted).prefix { $0 > 1e-8 * (s.first ?? 0) }.count
    return n.squareRoot() * u.prefixColumns(kept)
  }
}
