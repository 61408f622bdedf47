/// Errors of means of dependent rows.
public enum Clustered {
  /// Standard error of a mean whose terms are independent across clusters but not within
  /// (Liang & Zeger 1986, doi:10.1093/biomet/73.1.13); infinite for fewer than two clusters.
  public static func standardError(ofMean values: [Double], clusters: [Int]? = nil) -> Double {
    let n = Double(values.count)
    let mean = values.reduce(0, +) / n
    var sums: [Int: Double] = [:]
    if let clusters {
      for (value, cluster) in zip(values, clusters) { sums[cluster, default: 0] += value - mean }
    }
    let groups = clusters == nil ? values.count : sums.count
    guard groups >= 2 else { return .infinity }
    // Summed in the order of cluster numbers: dictionary order would change the last bits.
    let squares =
      clusters == nil
      ? values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      : sums.sorted { $0.key < $1.key }.reduce(0) { $0 + $1.value * $1.value }
    return (squares * Double(groups) / Double(groups - 1)).squareRoot() / n
  }

  /// How many clusters of one size would tell as much, n² / Σ n_c²; 1 where nearly all rows are of one.
  public static func effective(_ clusters: [Int]) -> Double {
    let sizes = Dictionary(clusters.map { ($0, 1.0) }, uniquingKeysWith: +).values.sorted()
    let rows = Double(clusters.count)
    return rows * rows / sizes.reduce(0) { $0 + $1 * $1 }
  }

  /// Standard errors to the end of a 95 % interval of a mean of so many independent terms: the 97.5 % quantile of Student's t;
  /// 1.96 from a thousand on, infinite for one.
  public static func reach(of terms: Int) -> Double {
    let known = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306]
    guard terms > 1 else { return .infinity }
    guard terms < 1000 else { return 1.96 }
    guard terms - 2 >= known.count else { return known[terms - 2] }
    // Fisher's expansion (Abramowitz & Stegun 26.7.5): good to 0.001 from nine degrees of freedom on.
    let (z, v) = (1.959964, Double(terms - 1))
    let (z3, z5, z7) = (z * z * z, z * z * z * z * z, z * z * z * z * z * z * z)
    return z + (z3 + z) / (4 * v) + (5 * z5 + 16 * z3 + 3 * z) / (96 * v * v)
      + (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * v * v * v)
  }

  /// Wilson's 95 % interval of a proportion (1927, doi:10.1080/01621459.1927.10502953): inside 0...1, and of some width
  /// even at its ends.
  ///
  /// - Parameter standardError: a clustered error; where it is larger than independent rows would give, the interval is
  ///   that of as many independent rows as would give it.
  public static func proportionInterval(
    _ value: Double, rows: Int, standardError: Double
  ) -> (low: Double, high: Double) {
    let spread = value * (1 - value)
    let effective =
      spread > 0 && standardError > 0
      ? min(Double(rows), spread / (standardError * standardError)) : Double(rows)
    let z2 = 1.96 * 1.96 / effective
    let centre = (value + z2 / 2) / (1 + z2)
    let half = (z2 * spread + z2 * z2 / 4).squareRoot() / (1 + z2)
    return (max(0, centre - half), min(1, centre + half))
  }
}
