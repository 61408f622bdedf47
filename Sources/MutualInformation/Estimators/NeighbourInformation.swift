internal import LinearAlgebra

/// Nearest-neighbour estimates with their error and null.
struct NeighbourInformation {
  let x: Matrix
  let y: Matrix
  /// `Units`.
  let units: [Int]?
  let options: EstimationOptions

  /// Dimensions in all above which such an estimate understates too much to go without a flag: by a quarter and more of a
  /// nat at 10,000 rows (docs/benchmarks.md).
  static let mostDimensions = 6
  /// Disjoint parts that rows are cut into for the error.
  private static let parts = 10
  /// Most rows that the null is drawn for.
  static let nullRows = 1000

  /// - Throws: `tooFewRows` for fewer than 4 rows for each neighbour.
  func run(_ algorithm: NearestNeighbours.Algorithm) throws(InformationError) -> Estimate {
    let most = options.neighbours.max() ?? 4
    guard x.rows >= 4 * most else {
      throw InformationError(
        .tooFewRows, "expected at least \(4 * most) rows for k = \(most), found \(x.rows)",
        remedy: "Record more rows, or use fewer neighbours.")
    }
    var estimate = value(Array(0..<x.rows), algorithm)
    var generator = SeededGenerator(seed: options.seed, stream: 0x5b)
    if let parts = subsampling(algorithm, &generator) {
      estimate.setInterval(standardError: parts.error, of: 2 * parts.count)
      estimate.shortfall =
        max(0, estimate.value - parts.value) / (Double(parts.count).squareRoot() - 1)
    } else {
      estimate.setInterval(
        standardError: estimate.clusteredError(units), of: Units.effective(units, rows: x.rows))
    }
    estimate.flagSaturation()
    if x.columns + y.columns > Self.mostDimensions { estimate.flags.insert(.manyDimensions) }
    if options.pairings > 0 { estimate.null = null(algorithm, &generator) }
    estimate.seed = options.seed
    return estimate
  }

  /// The mean over all k of the options.
  private func value(
    _ rows: [Int], _ algorithm: NearestNeighbours.Algorithm, _ pairing: [Int]? = nil
  )
    -> Estimate
  {
    let neighbours = NearestNeighbours(
      x: x.gatheringRows(rows), y: y.gatheringRows(rows), norm: options.norm)
    let all = options.neighbours.map {
      neighbours.estimate(k: $0, algorithm: algorithm, pairing: pairing)
    }
    guard all.count > 1 else { return all[0] }
    let count = Double(all.count)
    let contributions = (0..<rows.count).map { row in
      all.reduce(0) { $0 + $1.contributions[row] } / count
    }
    return Estimate(
      value: all.reduce(0) { $0 + $1.value } / count, kind: .estimate,
      contributions: contributions, ceiling: all.map(\.ceiling).min()!)
  }

  /// Error by subsampling without replacement (Politis & Romano 1994, doi:10.1214/aos/1176325770; Holmes & Nemenman 2019,
  /// doi:10.1103/PhysRevE.100.022404): the spread over disjoint parts, scaled to all rows. A bootstrap would draw rows
  /// twice, and a row's copy is its nearest neighbour.
  ///
  /// - Returns: the error, the mean over parts and their number; nil where there would be fewer than 3.
  private func subsampling(
    _ algorithm: NearestNeighbours.Algorithm, _ generator: inout SeededGenerator
  ) -> (error: Double, value: Double, count: Int)? {
    let members = Units.members(units, count: x.rows)
    let count = min(Self.parts, x.rows / (4 * (options.neighbours.max() ?? 4)), members.count)
    guard count >= 3 else { return nil }
    var squares: [Double] = []
    var means: [Double] = []
    for _ in 0..<2 {
      var parts = [[Int]](repeating: [], count: count)
      for (place, unit) in generator.permutation(members.count).enumerated() {
        parts[place % count] += members[unit]
      }
      guard parts.allSatisfy({ $0.count > 2 * (options.neighbours.max() ?? 4) }) else {
        return nil
      }
      let values = parts.map { value($0, algorithm).value }
      squares.append(values.deviation)
      means.append(values.reduce(0, +) / Double(count))
    }
    let mean = squares.reduce(0) { $0 + $1 * $1 } / Double(squares.count)
    return ((mean / Double(count)).squareRoot(), means.mean, count)
  }

  /// Random pairings of some of the rows; each is estimated anew, as nothing was fitted.
  private func null(
    _ algorithm: NearestNeighbours.Algorithm, _ generator: inout SeededGenerator
  ) -> Estimate.Null {
    let rows = RandomPairings.rows(Self.nullRows, of: units, count: x.rows, &generator)
    let neighbours = NearestNeighbours(
      x: x.gatheringRows(rows), y: y.gatheringRows(rows), norm: options.norm)
    let k = min(options.neighbours[0], rows.count - 1)
    let random = RandomPairings(
      units: units.map { units in rows.map { units[$0] } }, count: rows.count, seed: options.seed,
      stream: 0x5c)
    return Estimate.Null(
      observed: neighbours.estimate(k: k, algorithm: algorithm).value,
      values: Parallel.map(options.pairings) {
        neighbours.estimate(k: k, algorithm: algorithm, pairing: random($0)).value
      }, least: RandomPairings.least(units: units, of: rows, pairings: options.pairings))
  }
}
