private import Foundation
internal import LinearAlgebra

/// Information of rows that take few values: counted.
struct DiscreteInformation {
  /// Values of the rows.
  let x: RowCodes
  let y: RowCodes
  /// Unit of each row where rows may depend on each other.
  let units: [Int]?

  /// H(X) + H(Y) - H(X, Y), each by counting with Miller and Madow's correction (1955): (values seen - 1) / 2n.
  ///
  /// Rows' contributions are ln p(x, y) / p(x) p(y), shifted to the corrected mean. The null is drawn by pairing anew. The
  /// interval's lower end allows for pairs of values that were not seen.
  func run(options: EstimationOptions) -> Estimate {
    let n = Double(x.codes.count)
    let (value, plugIn, contributions) = Self.value(x.codes, y.codes)
    var estimate = Estimate(
      value: value, kind: .estimate, contributions: contributions.map { $0 + value - plugIn },
      ceiling: min(Self.entropy(x.codes), Self.entropy(y.codes)))
    if options.pairings > 0 {
      let random = RandomPairings(
        units: units, count: x.codes.count, seed: options.seed, stream: 0xd1)
      estimate.null = Estimate.Null(
        observed: value,
        values: (0..<options.pairings).map { number in
          Self.value(random(number).map { x.codes[$0] }, y.codes).value
        },
        least: RandomPairings.least(
          units: units, of: x.codes.indices, pairings: options.pairings))
    }
    estimate.setInterval(
      standardError: estimate.clusteredError(units),
      of: Units.effective(units, rows: x.codes.count))
    // Pairs of values that there are but were not seen count too: the figure is too high by so much.
    let rare = rarePairs
    // The next term of the series, Σ 1/p / 12 n² (Harris 1975), is some f / 6 n where f pairs of values occur once.
    let excess = rare.unseen / (2 * n) + rare.once / (6 * n)
    // But no lower than where it would lie about 0.
    let reach = value - estimate.low
    estimate.low = max(estimate.low - excess, min(estimate.low, -reach))
    // Miller and Madow's correction is the first term of a series in pairs of values / n.
    if Double(x.count * y.count) > n && rare.unseen > 0 || excess > estimate.standardError {
      estimate.flags.insert(.fewRows)
    }
    return estimate
  }

  /// Pairs of values that were seen once, and how many there are at least beside those seen, by those seen once and twice
  /// (Chao 1984, Scand. J. Statist. 11, 265-270).
  private var rarePairs: (once: Double, unseen: Double) {
    let joint = Dictionary(zip(x.codes, y.codes).map { ($0 << 32 | $1, 1) }, uniquingKeysWith: +)
    let (once, twice) = (joint.values.count { $0 == 1 }, joint.values.count { $0 == 2 })
    let most = Double(x.count * y.count - joint.count)
    return (Double(once), min(most, Double(once * (once - 1)) / Double(2 * (twice + 1))))
  }

  private static func value(_ x: [Int], _ y: [Int]) -> (
    value: Double, plugIn: Double, contributions: [Double]
  ) {
    let n = Double(x.count)
    let joint = Dictionary(zip(x, y).map { ($0 << 32 | $1, 1.0) }, uniquingKeysWith: +)
    let inX = Dictionary(x.map { ($0, 1.0) }, uniquingKeysWith: +)
    let inY = Dictionary(y.map { ($0, 1.0) }, uniquingKeysWith: +)
    let contributions = zip(x, y).map { log(n * joint[$0 << 32 | $1]! / (inX[$0]! * inY[$1]!)) }
    let plugIn = contributions.reduce(0, +) / n
    let correction = Double(inX.count - 1 + inY.count - 1 - (joint.count - 1)) / (2 * n)
    return (plugIn + correction, plugIn, contributions)
  }

  /// Entropy by counting, with Miller and Madow's correction, nats.
  static func entropy(_ codes: [Int]) -> Double {
    LabelInformation.entropy(codes.map { Int32($0) })
  }
}
