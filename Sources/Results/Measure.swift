/// What a figure measures.
///
/// Raw values are the names used in analysis files and in JSON.
public enum Measure: String, Codable, Sendable, CaseIterable {
  /// I(feature; token + sigma Z) of a Gaussian model: mean log density ratio, corrected for optimism and by the mean
  /// over mismatched pairings. An estimate.
  case gaussian
  /// The Donsker-Varadhan bound of the critic that was asked for, on held-out rows. A lower bound.
  case donskerVaradhan = "donsker_varadhan"
  /// Kraskov, Stögbauer and Grassberger's nearest-neighbour estimate on the first components.
  case ksg
  /// H(Y) minus held-out cross-entropy of a classifier from token to label. A lower bound.
  case label
  /// Share of held-out rows whose label the same classifier gets right.
  case labelAccuracy = "label_accuracy"
  /// Share of held-out tokens that rank their own record first among the candidates.
  case reidentification
  /// Held-out, variance-weighted R² of a least-squares regression from token to feature.
  case recoverableVariance = "recoverable_variance"

  /// The unit in which values of this measure are stored.
  public var unit: Unit {
    switch self {
    case .gaussian, .donskerVaradhan, .ksg, .label: .nats
    case .labelAccuracy, .reidentification, .recoverableVariance: .share
    }
  }

  /// Whether the figure is a bound, an estimate or a held-out score.
  public var kind: Kind {
    switch self {
    case .gaussian, .ksg: .estimate
    case .donskerVaradhan, .label: .lowerBound
    case .labelAccuracy, .reidentification, .recoverableVariance: .score
    }
  }

  /// Unit of a stored value.
  public enum Unit: String, Codable, Sendable {
    /// Natural units of information; divide by ln 2 for bits.
    case nats
    /// A dimensionless share; 1 is everything.
    case share
  }

  /// What may be claimed from a figure.
  public enum Kind: String, Codable, Sendable {
    /// An asymptotic lower bound, evaluated on rows that nothing was fitted on.
    case lowerBound = "lower_bound"
    /// May lie on either side of the truth.
    case estimate
    /// A held-out score, not an information figure.
    case score
  }
}
