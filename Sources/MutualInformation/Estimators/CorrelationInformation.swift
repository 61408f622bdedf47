private import Foundation
internal import LinearAlgebra

/// Information of the Gaussian with the rows' covariance, through canonical correlations: -½ sum ln(1 - ρ²), with the exact
/// bias of log determinants of Gaussian samples taken off (digamma terms; Misra, Singh & Demchuk 2005,
/// doi:10.1016/j.jmva.2003.10.003). On normal scores it is the Gaussian copula's (Ince et al. 2017,
/// doi:10.1002/hbm.23471).
struct CorrelationInformation {
  let x: Matrix
  let y: Matrix
  /// `Units`.
  let units: [Int]?
  let options: EstimationOptions

  func run() throws -> Estimate {
    let n = x.rows
    guard n > 2 * (x.columns + y.columns) else {
      throw InformationError(
        .tooFewRows,
        "expected more rows than twice the columns (\(2 * (x.columns + y.columns))), found \(n)",
        remedy: "Use auto, which shrinks and compresses, or record more rows.")
    }
    let all = Array(0..<n)
    let fold: PairedFold
    do { fold = try PairedFold(x: x, y: y, train: all, test: all) } catch let error
      as LinearAlgebraError
    {
      throw InformationError(
        .unsuitable, "expected independent columns, found that \(error.description)",
        remedy: "Leave out columns that follow from others, or use auto.")
    }
    let critic = try GaussianCritic(fold: fold, shrinkage: .none)
    let plugIn = critic.information
    func bias(_ d: Int) -> Double {
      (1...d).reduce(0.0) { $0 + digamma(Double(n - $1) / 2) - log(Double(n) / 2) }
    }
    let value = plugIn - 0.5 * (bias(x.columns) + bias(y.columns) - bias(x.columns + y.columns))
    let contributions = critic.paired(x: fold.x, y: fold.y).map { $0 + value - plugIn }
    var estimate = Estimate(
      value: value, kind: .estimate, contributions: contributions, ceiling: .infinity)
    estimate.setInterval(
      standardError: estimate.clusteredError(units), of: Units.effective(units, rows: n))
    // A correlation of 1 - δ is told apart from 1 only where δ is larger than rounding: 10 nats each.
    estimate.ceiling = Double(min(x.columns, y.columns)) * 10.0
    if critic.correlations.contains(where: {
      GaussianCritic.information($0) > Estimate.saturation * 10
    }) {
      estimate.flags.insert(.saturated)
      estimate.high = .infinity
    }
    estimate.flagSaturation()
    if options.pairings > 0 {
      let random = RandomPairings(
        units: units, count: n, seed: options.seed, stream: 0xca)
      estimate.null = Estimate.Null(
        observed: value,
        values: try Parallel.map(options.pairings) { number in
          try GaussianCritic(fold: fold, pairing: random(number), shrinkage: .none).information
            + value - plugIn
        }, least: RandomPairings.least(units: units, of: all, pairings: options.pairings))
    }
    return estimate
  }
}
