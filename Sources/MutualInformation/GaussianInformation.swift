private import Foundation
public import LinearAlgebra

/// Information between x and y by Gaussian critics that are fitted on training rows and read on held-out rows.
public enum GaussianInformation {
  /// The Gaussian estimate, corrected for optimism.
  ///
  /// A critic fitted on n rows reads its own rows too high and new rows too low, to first order by the same amount
  /// (dx dy / 2n nats, as in Akaike's and Efron's optimism); the value is the mean of both readings over the folds.
  /// Exact for Gaussian rows up to O(1/n²); for others it is the information of the Gaussian with the same
  /// covariance, which may lie on either side of the truth.
  ///
  /// - Parameters:
  ///   - folds: every row held out in exactly one fold.
  ///   - pairing: row of x for each row of y; nil as recorded.
  ///   - ceiling: what the estimand can reach at most, nats.
  /// - Returns: an estimate with contributions in the order of the folds' held-out rows.
  public static func estimate(
    _ folds: [PairedFold], pairing: [Int]? = nil, ceiling: Double = .infinity
  ) throws -> Estimate {
    var contributions: [Double] = []
    for fold in folds {
      let critic = try GaussianCritic(fold: fold, pairing: pairing, shrinkage: .none)
      let heldOut = critic.paired(x: fold.xTest(pairing), y: fold.yTest)
      // On its own rows, whitened, a Gaussian critic reads exactly its plug-in information.
      let inSample = critic.information
      let optimism = inSample - heldOut.mean
      contributions += heldOut.map { $0 + optimism / 2 }
    }
    return Estimate(
      value: contributions.mean, kind: .estimate,
      contributions: contributions, ceiling: ceiling)
  }

  /// Capacity of `components` parallel Gaussian channels with unit signal and noise sigma: d/2 ln(1 + 1/sigma²), the
  /// most that I(x; token + sigma Z) can be for standardised tokens, nats.
  public static func ceiling(components: Int, sigma: Double) -> Double {
    sigma > 0 ? Double(components) / 2 * log1p(1 / (sigma * sigma)) : .infinity
  }

  /// The Donsker-Varadhan bound (1983, doi:10.1002/cpa.3160360204) of a critic on held-out rows:
  /// mean f(x_i, y_i) - ln mean_{i, j} exp f(x_j, y_i), averaged over folds.
  ///
  /// The mean runs over matched pairs too. That makes the figure at most InfoNCE's (van den Oord et al. 2018,
  /// arXiv 1807.03748), whose expectation is a lower bound for every number of rows and every critic, and at most
  /// ln n. Mismatched pairs alone would miss the rare ones that carry the mean, and read above the truth.
  ///
  /// - Parameter scores: of one fold, as `heldOutScores` gives them.
  public static func donskerVaradhan(_ scores: Matrix) -> Estimate {
    let reading = HeldOutScores(allPairs: scores).donskerVaradhan()
    return Estimate(
      value: reading.value, kind: .lowerBound, contributions: reading.influence,
      ceiling: log(Double(scores.rows)))
  }

  /// The factor on a critic that is best for the Donsker-Varadhan bound on training rows: a Gaussian critic is
  /// overconfident where rows are not Gaussian, and one factor repairs most of it.
  static func temperature(_ critic: GaussianCritic, _ fold: PairedFold) -> Double {
    // A fixed number of rows, spread over all, bounds the cost.
    let stride = max(1, fold.train.count / 512)
    let rows = Swift.stride(from: 0, to: fold.train.count, by: stride).map { fold.train[$0] }
    return temperature(critic.all(x: fold.x.gatheringRows(rows), y: fold.y.gatheringRows(rows)))
  }

  /// The best factor on these scores of all pairs, at most 1.
  static func temperature(_ scores: Matrix) -> Double {
    let matched = (0..<scores.rows).map { scores[$0, $0] }.mean
    var best = (factor: 1.0, bound: -Double.infinity)
    for halvings in 0..<12 {
      let factor = pow(0.5, Double(halvings) / 2)
      let bound = factor * matched - logMeanExponential(scores.elements, scale: factor)
      // The bound is concave in the factor: once it falls it goes on falling.
      guard bound > best.bound else { break }
      best = (factor, bound)
    }
    return best.factor
  }

  private static func logMeanExponential(_ values: [Double], scale: Double) -> Double {
    let largest = scale * (values.max() ?? 0)
    return largest + log(values.reduce(0) { $0 + exp(scale * $1 - largest) } / Double(values.count))
  }

  /// Scores of every held-out y row against every held-out x row, by a critic that is fitted, shrunk and tempered on
  /// the training rows: [test, test] with matched pairs on the diagonal.
  public static func heldOutScores(_ fold: PairedFold) throws -> Matrix {
    let critic = try GaussianCritic(fold: fold, shrinkage: .optimal)
    return temperature(critic, fold) * critic.all(x: fold.xTest(nil), y: fold.yTest)
  }
}
