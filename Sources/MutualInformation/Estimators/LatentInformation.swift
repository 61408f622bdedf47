private import Foundation
internal import LinearAlgebra

/// Latent compression (Gowri et al. 2024, arXiv 2409.02732): codes of x and of y that predict each other, at most eight
/// numbers each, then nearest neighbours between codes of rows that the encoders did not see.
///
/// Codes are the leading canonical variates, as few as shrinkage keeps, and the encoders of a separable critic that is
/// trained on what those leave. Compression only loses information, and neighbours understate: an estimate from below.
struct LatentInformation {
  let input: HybridInput
  private var options: EstimationOptions { input.options }

  /// Numbers of a learned code; with the variates, at most eight.
  private static let learned = 3
  private static let variates = 5

  func run() throws -> Estimate {
    let readings = try Parallel.map(input.folds.count) { number in
      try read(
        input.folds[number], seed: options.seed &+ UInt64(number),
        isTested: number == 0 && options.pairings > 0)
    }
    let n = input.x.scores.rows
    var contributions = [Double](repeating: 0, count: n)
    var ceiling = Double.infinity
    for (fold, estimate) in zip(input.folds, readings) {
      ceiling = min(ceiling, estimate.ceiling)
      for (row, value) in zip(fold.test, estimate.contributions) { contributions[row] = value }
    }
    var estimate = Estimate(
      value: contributions.reduce(0, +) / Double(n), kind: .estimate, contributions: contributions,
      ceiling: ceiling)
    let spread =
      readings.map(\.value).deviation
      / Double(readings.count).squareRoot()
    estimate.setInterval(
      standardError: max(estimate.clusteredError(input.units), spread),
      of: Units.effective(input.units, rows: n))
    estimate.flagSaturation()
    // Of the first fold, as the hybrid's: pooled folds are not exact.
    estimate.null = readings[0].null
    estimate.seed = options.seed
    estimate.notes.append("Neighbours between codes, in each fold's untouched rows.")
    return estimate
  }

  private struct Reading: Sendable {
    var value: Double
    var ceiling: Double
    var contributions: [Double]
    var null: Estimate.Null?
  }

  private func read(_ fold: Fold, seed: UInt64, isTested: Bool) throws -> Reading {
    let gaussian = try FoldGaussian(input, fold.rest, test: fold.test)
    let compressed = Architecture(activation: .elu, isCompressed: input.isWide)
    let data = input.rows(compressed, gaussian)
    let critic = SeparableCritic(
      xWidth: data.xWidth, yWidth: data.yWidth, hidden: options.widths(), width: Self.learned,
      activation: .elu)
    var training = CriticTraining.Options()
    training.batch = options.batch
    training.steps = options.steps
    training.seed = seed
    training.negatives = 16
    training.optimizer.averaged = 200
    training.optimizer.warmUp = 50
    training.optimizer.clip = 10
    let outcome = CriticTraining(options: training).run(
      critic, data, train: fold.train, stopping: fold.stopping)
    let width = min(Self.variates, gaussian.leading.x.columns)
    var (u, v) = (
      gaussian.leading.x.prefixColumns(width).gatheringRows(fold.test),
      gaussian.leading.y.prefixColumns(width).gatheringRows(fold.test)
    )
    // Encoders that learned nothing would only add noise to the distances.
    if outcome.loss < outcome.firstLoss {
      let (g, h) = critic.codes(data, rows: fold.test, outcome.parameters)
      u = u.appendingColumns(RankTransform.normalScores(g))
      v = v.appendingColumns(RankTransform.normalScores(h))
    }
    guard u.columns > 0 else {
      return Reading(
        value: 0, ceiling: log(Double(fold.test.count)),
        contributions: fold.test.map { _ in 0 },
        null: isTested ? .init(mean: 0, tests: [1], pairings: options.pairings, leasts: [0]) : nil)
    }
    let neighbours = NearestNeighbours(x: u, y: v, norm: .euclidean)
    let k = min(options.neighbours[0], fold.test.count / 4)
    let estimate = neighbours.estimate(k: max(1, k))
    var null: Estimate.Null?
    if isTested {
      // Each pairing is searched anew.
      let units = input.units.map { units in fold.test.map { units[$0] } }
      var generator = SeededGenerator(seed: seed, stream: 0x1b)
      let some = RandomPairings.rows(
        NeighbourInformation.nullRows, of: units, count: fold.test.count, &generator)
      let few = NearestNeighbours(
        x: u.gatheringRows(some), y: v.gatheringRows(some), norm: .euclidean)
      let k = min(k, some.count - 1)
      let random = RandomPairings(
        units: units.map { units in some.map { units[$0] } }, count: some.count, seed: seed,
        stream: 0x1a)
      null = Estimate.Null(
        observed: few.estimate(k: max(1, k)).value,
        values: (0..<options.pairings).map {
          few.estimate(k: max(1, k), pairing: random($0)).value
        }, least: RandomPairings.least(units: units, of: some, pairings: options.pairings))
    }
    return Reading(
      value: estimate.value, ceiling: estimate.ceiling, contributions: estimate.contributions,
      null: null)
  }
}
