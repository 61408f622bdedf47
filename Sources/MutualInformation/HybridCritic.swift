public import LinearAlgebra

/// The hybrid's critic for rows that were encoded for each fold apart: a Gaussian log ratio in closed form, and a network
/// for what it leaves.
public enum HybridCritic {
  /// Scores of every held-out y row against every held-out x row, by critics that are fitted on the training rows.
  ///
  /// The closed form is of the rows as they are (shrunk and tempered) or of their normal scores (shrunk or not), whichever
  /// tells matched from mismatched pairs better on training rows kept back; the same rows stop the network, and send it
  /// back to the closed form where it does not improve on it. The critic sees normal scores: each side's ranks among all
  /// rows, held-out ones included, but never which rows belong together.
  ///
  /// O(steps) of training, then O(test²) scores.
  ///
  /// - Parameters:
  ///   - fold: x and y as encoded for it.
  ///   - units: of all rows: what is kept back together.
  ///   - networks: trained, from other weights; the critic is their mean.
  ///   - options: widths, batch, steps and seed.
  /// - Returns: [test, test] with matched pairs on the diagonal.
  public static func heldOutScores(
    _ fold: PairedFold, units: [Int], networks: Int = 1, options: EstimationOptions
  ) throws -> Matrix {
    let inner = Folds.keepingBack(fold.train, units, test: fold.test, seed: options.seed)
    let input = try HybridInput(
      x: CriticFeatures(fold.x, isLabel: false), y: CriticFeatures(fold.y, isLabel: false),
      folds: [inner], options: options)
    let gaussian = try closedForm(input, fold, inner)
    let architecture = Architecture(activation: .elu, isCompressed: input.isWide)
    var sum: Matrix?
    for network in 0..<max(1, networks) {
      let trained = HybridInformation(input: input).train(
        inner, gaussian, architecture, seed: options.seed &+ UInt64(network) << 32)
      let cap = trained.largestScore(inner.train)
      let factor = GaussianInformation.temperature(trained.allPairs(inner.stopping, cap: cap))
      let scores = factor * trained.allPairs(fold.test, cap: cap)
      sum = sum.map { $0 + scores } ?? scores
    }
    return networks > 1 ? (1 / Double(networks)) * sum! : sum!
  }

  /// The closed form that does best on rows kept back, fitted again with them.
  private static func closedForm(
    _ input: HybridInput, _ fold: PairedFold, _ inner: Fold
  ) throws -> FoldGaussian {
    let rows = inner.stopping
    let ranks = try FoldGaussian.both(input, inner.train, test: rows)
    var candidates = [
      (ranks.plain.loss(input, on: rows), { try FoldGaussian.both(input, $0, test: $1).plain }),
      (ranks.shrunk.loss(input, on: rows), { try FoldGaussian.both(input, $0, test: $1).shrunk }),
    ]
    // Few rows may leave a column without variance: then ranks it is.
    if let own = try? PairedFold(x: fold.x, y: fold.y, train: inner.train, test: rows) {
      let leading = ranks.plain.leading
      candidates.append(
        (
          try recorded(own, leading).loss(input, on: rows), { _, _ in try recorded(fold, leading) }
        ))
    }
    let best = candidates.min { $0.0 < $1.0 }!
    return try best.1(inner.rest, inner.test)
  }

  /// The shrunk and tempered critic of the rows as they are.
  private static func recorded(
    _ fold: PairedFold, _ leading: (x: Matrix, y: Matrix)
  ) throws -> FoldGaussian {
    let critic = try GaussianCritic(fold: fold, shrinkage: .optimal)
    return FoldGaussian(
      offset: critic.offset(fold).scaled(by: GaussianInformation.temperature(critic, fold)),
      leading: leading)
  }
}
