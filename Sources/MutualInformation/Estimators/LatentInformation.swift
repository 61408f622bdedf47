internal import LinearAlgebra

#if canImport(Darwin)
  private import Darwin
#else
  private import Glibc
#endif

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
      try read(input.folds[number], seed: options.seed &+ UInt64(number))
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
    estimate.setInterval(standardError: max(estimate.clusteredError(), spread))
    estimate.flagSaturation()
    if options.pairings > 0 { estimate.null = null(readings: readings) }
    estimate.seed = options.seed
    estimate.notes.append("Neighbours between codes, in each fold's untouched rows.")
    return estimate
  }

  private struct Reading: Sendable {
    var value: Double
    var ceiling: Double
    var contributions: [Double]
    var shuffled: [Double]
  }

  private func read(_ fold: Fold, seed: UInt64) throws -> Reading {
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
        contributions: fold.test.map { _ in 0 }, shuffled: [])
    }
    let neighbours = NearestNeighbours(x: u, y: v, norm: .euclidean)
    let k = min(options.neighbours[0], fold.test.count / 4)
    let estimate = neighbours.estimate(k: max(1, k))
    var generator = SeededGenerator(seed: seed, stream: 0x1a)
    let shuffled = (0..<min(99, options.pairings)).map { _ in
      neighbours.estimate(k: max(1, k), pairing: generator.permutation(fold.test.count)).value
    }
    return Reading(
      value: estimate.value, ceiling: estimate.ceiling, contributions: estimate.contributions,
      shuffled: shuffled)
  }

  /// Of the first fold, as the hybrid's: pooled folds are not exact.
  private func null(readings: [Reading]) -> Estimate.Null? {
    let values = readings[0].shuffled
    guard !values.isEmpty else {
      return Estimate.Null(mean: 0, tests: [1], pairings: options.pairings)
    }
    return Estimate.Null(
      mean: values.mean,
      tests: [Double(1 + values.count { $0 >= readings[0].value }) / Double(values.count + 1)],
      pairings: values.count)
  }
}
