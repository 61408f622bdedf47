private import Foundation
internal import LinearAlgebra

/// MINE, NWJ, InfoNCE and the logistic density ratio as in their papers, cross-fitted: a critic is trained on some
/// records, stopped by others and read on the rest.
struct NeuralInformation {
  let x: Matrix
  let y: Matrix
  /// `Units`.
  let units: [Int]?
  let objective: Objective
  let options: EstimationOptions

  func run() throws -> Estimate {
    let folds = try Folds.split(units, rows: x.rows, into: options.folds, seed: options.seed)
    let data = CriticRows(x: x, y: y)
    let readings = Parallel.map(folds.count) { number in
      read(
        folds[number], data, seed: options.seed &+ UInt64(number),
        isTested: number == 0 && options.pairings > 0)
    }
    var contributions = [Double](repeating: 0, count: x.rows)
    for reading in readings {
      for (row, value) in zip(reading.rows, reading.influence) { contributions[row] = value }
    }
    let smallest = folds.map(\.test.count).min() ?? 1
    var estimate = Estimate(
      value: contributions.mean, kind: .lowerBound,
      contributions: contributions,
      ceiling: log(Double(objective == .infoNCE ? min(options.batch, smallest) : smallest)))
    let spread =
      readings.map(\.value).deviation / Double(readings.count).squareRoot()
    estimate.setInterval(
      standardError: max(estimate.clusteredError(units), spread.isFinite ? spread : 0),
      of: Units.effective(units, rows: x.rows))
    estimate.flagSaturation()
    if readings.contains(where: { !$0.isConverged }) { estimate.flags.insert(.notConverged) }
    if options.pairings > 0 { estimate.null = null(readings) }
    estimate.seed = options.seed
    return estimate
  }

  private struct Reading: Sendable {
    var rows: [Int]
    var value: Double
    var influence: [Double]
    var blockMeans: [Double]
    /// p-value of the scores; 1 where they were not tested.
    var p: Double
    var isConverged: Bool
  }

  private func read(
    _ fold: Fold, _ data: CriticRows, seed: UInt64, isTested: Bool
  ) -> Reading {
    let critic: any Critic =
      options.critic == .joint
      ? JointCritic(
        xWidth: data.xWidth, yWidth: data.yWidth, hidden: options.widths(objective),
        activation: .relu,
        startsAtZero: false)
      : SeparableCritic(
        xWidth: data.xWidth, yWidth: data.yWidth, hidden: options.widths(objective), width: 32,
        activation: .relu)
    var training = CriticTraining.Options()
    training.objective = objective
    training.batch = options.batch
    training.steps = options.steps
    training.seed = seed
    // All pairs of a batch where the objective is made of them; else a few.
    training.negatives = objective == .infoNCE ? 0 : 4
    training.optimizer.warmUp = 50
    training.optimizer.averaged = 200
    training.optimizer.clip = 10
    let outcome = CriticTraining(options: training).run(
      critic, data, train: fold.train, stopping: fold.stopping)
    let candidates = objective == .infoNCE ? min(options.batch, fold.test.count) - 1 : 64
    let trained = TrainedCritic(critic: critic, data: data, outcome: outcome)
    let all = trained.scores(fold.test, shifts: max(candidates, options.pairings))
    let scores = objective == .infoNCE ? all.prefix(blocks: candidates + 1) : all
    let (value, influence) =
      switch objective {
      case .logistic, .donskerVaradhan: scores.donskerVaradhan()
      case .nwj: scores.nwj()
      case .infoNCE: scores.infoNCE()
      }
    return Reading(
      rows: fold.test, value: value, influence: influence, blockMeans: all.blockMeans,
      p: isTested
        ? trained.pairingTest(
          fold.test, scored: all, units: units, pairings: options.pairings,
          seed: seed) : 1,
      isConverged: outcome.isConverged)
  }

  /// Pairings of the first fold's untouched rows under its critic, as the hybrid's: pooled folds are not exact.
  private func null(_ readings: [Reading]) -> Estimate.Null {
    let (value, means) = (readings[0].value, readings[0].blockMeans)
    let shifted = means.dropFirst().reduce(0, +) / Double(max(1, means.count - 1))
    return Estimate.Null(
      mean: value + shifted - means[0],
      tests: [readings[0].p], pairings: options.pairings,
      leasts: [
        RandomPairings.least(units: units, of: readings[0].rows, pairings: options.pairings)
      ])
  }
}

extension HeldOutScores {
  /// The first blocks only.
  func prefix(blocks: Int) -> HeldOutScores {
    HeldOutScores(
      Buffer(Array(scores.prefix(blocks * count))), rows: rows,
      shifts: Array(shifts.prefix(blocks)))
  }
}
