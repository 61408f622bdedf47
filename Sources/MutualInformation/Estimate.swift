internal import LinearAlgebra

/// A mutual-information figure in nats, with what is needed to judge it.
public struct Estimate: Sendable {
  /// What may be claimed from a figure.
  public enum Kind: String, Sendable, Codable {
    /// An asymptotic lower bound: evaluated on rows that the critic never saw.
    case lowerBound = "lower_bound"
    /// May lie on either side of the truth.
    case estimate
    /// Between a reading that is too low and one that is too high, to first order; the value is their mean.
    case bracket
  }

  /// What a reader must know before believing a figure.
  public enum Flag: String, Sendable, Codable, CaseIterable {
    /// Near the most that so many rows can show: the truth may be anything above.
    case saturated
    /// More rows, or another method, read markedly more: the truth is likely to be larger.
    case notConverged = "not_converged"
    /// Mismatched pairs do as well at 5 %: nothing was found.
    case nullNotBeaten = "null_not_beaten"
    /// Too few rows for the method's assumptions.
    case fewRows = "few_rows"
    /// Rows occur more than once; copies were left out.
    case duplicates
    /// Nearest neighbours in so many dimensions understate.
    case manyDimensions = "many_dimensions"
    /// A side does not vary.
    case constant
  }

  /// The figure, nats. Never clipped at zero: below, it says that nothing was found.
  public var value: Double
  /// What may be claimed.
  public var kind: Kind
  /// Each evaluated row's contribution; they average to `value`. Empty where the method has none.
  public var contributions: [Double]
  /// The largest value that so many rows can vouch for, nats; what is read above 80 % of it is saturated.
  public var ceiling: Double
  /// Standard error, nats: of rows or clusters, and of folds and seeds.
  public var standardError = Double.nan
  /// Lower end of the 95 % interval, nats.
  public var low = Double.nan
  /// Upper end; infinite where the figure is saturated.
  public var high = Double.nan
  /// What chance does; nil where it was not asked.
  public var null: Null?
  /// Rows that were evaluated.
  public var rows: Int
  /// What to know before believing it.
  public var flags: Set<Flag> = []
  /// The estimator, as `Estimator` names it.
  public var estimator = ""
  /// What was done and why, in sentences.
  public var notes: [String] = []
  /// Seed of folds, initial weights and pairings.
  public var seed: UInt64 = 0

  /// Share of the ceiling from which on a figure is saturated.
  package static let saturation = 0.8

  /// What neighbours in so few rows probably miss, nats: from a part of the rows to all of them readings rise by some, and
  /// fall short by c / √n at worst.
  var shortfall = 0.0

  /// An estimate from its parts.
  public init(value: Double, kind: Kind, contributions: [Double], ceiling: Double) {
    self.value = value
    self.kind = kind
    self.contributions = contributions
    self.ceiling = ceiling
    rows = contributions.count
  }

  /// One estimate of all folds' held-out rows, in their order; of the first one's kind.
  package static func pooled(_ folds: [Estimate]) -> Estimate {
    let contributions = folds.flatMap(\.contributions)
    return Estimate(
      value: contributions.mean, kind: folds[0].kind, contributions: contributions,
      ceiling: folds.map(\.ceiling).min() ?? .infinity)
  }

  /// Standard error of the mean of the contributions, taken as independent across clusters.
  ///
  /// - Parameter clusters: cluster of each row; nil: every row is its own.
  public func clusteredError(_ clusters: [Int]? = nil) -> Double {
    Clustered.standardError(ofMean: contributions, clusters: clusters)
  }

  /// Fills in the 95 % interval about the value.
  ///
  /// - Parameter terms: independent terms that the error is of.
  mutating func setInterval(standardError error: Double, of terms: Int) {
    standardError = error
    let reach = error > 0 ? Clustered.reach(of: terms) * error : 0
    (low, high) = (value - reach, value + reach)
  }

  /// Information is at most the entropy of a label: a figure close to it is not saturated, but nearly all there is.
  mutating func boundHigh(byEntropy entropy: Double) {
    flags.remove(.saturated)
    high = min(high, max(entropy, value))
    low = min(low, high)
  }

  /// Flags a figure that is close to its ceiling, and says that the truth may be anything above; neither the value nor the
  /// lower end is above the ceiling.
  mutating func flagSaturation() {
    guard ceiling.isFinite, value > Self.saturation * ceiling else { return }
    flags.insert(.saturated)
    low = min(low, ceiling)
    high = .infinity
    let excess = value - ceiling
    guard excess > 1e-9 else { return }
    notes.append(
      "Read \(AutoInformation.text(value)) nats, more than so many rows can vouch for: the ceiling is given."
    )
    value = ceiling
    contributions = contributions.map { $0 - excess }
  }
}
