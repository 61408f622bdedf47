/// An estimator by its name; docs/estimators has a page on each.
public enum Estimator: String, Sendable, CaseIterable, Codable {
  /// Chooses and combines by held-out evidence.
  case auto
  /// Canonical correlations of the rows as they are: I of the Gaussian with the same covariance.
  case gaussian
  /// The same of normal scores: I of the Gaussian copula.
  case copula
  /// Kraskov, Stögbauer and Grassberger's first estimator.
  case ksg
  /// Their second estimator.
  case ksg2
  /// Ross's estimator for a label and continuous rows.
  case ross
  /// Counts of discrete rows, with Miller and Madow's correction.
  case plugin
  /// MINE: the Donsker-Varadhan bound.
  case mine
  /// Nguyen, Wainwright and Jordan's bound.
  case nwj
  /// InfoNCE.
  case infonce
  /// Logistic density ratio, read by the Donsker-Varadhan bound.
  case logistic
  /// Closed-form Gaussian log ratio of normal scores and a network for what it leaves.
  case hybrid
  /// Encoders of x and of y that predict each other, then nearest neighbours between their codes.
  case latent

  /// An option that not every estimator has a use for.
  package enum Option: String, CaseIterable, Sendable {
    case transform, critic, folds, neighbours, norm
  }

  /// Whether an option may be given.
  package func takes(_ option: Option) -> Bool {
    let critics: Set = [Estimator.mine, .nwj, .infonce, .logistic]
    return switch option {
    // The others rank columns or count rows.
    case .transform: ![.auto, .hybrid, .latent, .plugin].contains(self)
    case .critic: critics.contains(self)
    case .folds: critics.union([.auto, .hybrid, .latent]).contains(self)
    case .neighbours: [.auto, .ksg, .ksg2, .ross, .latent].contains(self)
    case .norm: [.auto, .ksg, .ksg2, .ross].contains(self)
    }
  }
}

/// How an estimate is made.
public struct EstimationOptions: Sendable, Equatable {
  /// What is done to each column first.
  public enum Transform: String, Sendable, CaseIterable {
    /// Nothing.
    case none
    /// Mean 0 and variance 1; networks take what lies beyond ±4 as that.
    case standard
    /// Normal scores of ranks.
    case ranks
  }

  /// How a critic sees a pair.
  public enum CriticForm: String, Sendable, CaseIterable {
    /// One network of x and y together.
    case joint
    /// An inner product of a network of x and one of y.
    case separable
  }

  /// Folds of cross-fitting, at least 2.
  public var folds = 5
  /// Repetitions with other folds and initial weights, averaged; their spread enters the error.
  public var seeds = 1
  /// Mismatched pairings of the null; 0: none is drawn.
  public var pairings = 199
  /// Pairings that everything is fitted to again, instead of scored by what was fitted to the recorded pairs; 0: none.
  public var retrainedPairings = 0
  /// k of nearest neighbours; of several, the mean by `ksg` and `ksg2`. Others, and tests, take the first.
  public var neighbours = [4]
  /// Distance within each side.
  public var norm = NearestNeighbours.Norm.maximum
  /// Transform of columns; nil: what the estimator's paper has (nothing for neighbours, standard for critics). Refused by
  /// auto, hybrid and latent, which rank columns, and by plugin, which counts.
  public var transform: Transform?
  /// Form of the critic of MINE, NWJ, InfoNCE and logistic.
  public var critic = CriticForm.joint
  /// Hidden widths of critics; nil: 64 and 64, or for InfoNCE, whose joint critic sees every pair of a batch, 16 and 8.
  public var hidden: [Int]?
  /// Rows of a batch, and candidates of InfoNCE.
  public var batch = 256
  /// Most steps of training.
  public var steps = 3000
  /// Seed of folds, weights, batches and pairings.
  public var seed: UInt64 = 1

  /// The defaults.
  public init() {}

  /// Refuses what no estimator can work with.
  func check() throws(InformationError) {
    for (name, isFine) in [
      ("folds of at least 2", folds >= 2), ("at least 1 seed", seeds >= 1),
      ("at least 0 pairings", min(pairings, retrainedPairings) >= 0),
      ("numbers of neighbours from 1", !neighbours.isEmpty && neighbours.allSatisfy { $0 >= 1 }),
      ("hidden widths from 1", hidden.map { !$0.isEmpty && $0.allSatisfy { $0 >= 1 } } ?? true),
      ("batches of at least 2", batch >= 2), ("at least 1 step", steps >= 1),
    ] where !isFine {
      throw InformationError(
        .unsuitable, "expected \(name) among the options, found otherwise",
        remedy: "See EstimationOptions.")
    }
  }

  /// Hidden widths in force.
  func widths(_ objective: Objective = .logistic) -> [Int] {
    hidden ?? (objective == .infoNCE && critic == .joint ? [16, 8] : [64, 64])
  }
}
