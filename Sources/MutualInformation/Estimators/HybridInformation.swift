private import Foundation
internal import LinearAlgebra

/// The hybrid: a critic that is the log ratio of the Gaussian copula, in closed form, and a network for what it leaves,
/// trained by logistic regression, read on rows that neither saw.
///
/// A fitted critic reads new rows too low, by what it missed and by the error of its fit; and its own rows too high, by
/// that error again (Akaike's optimism, to first order the same in both). Held-out and in-sample readings therefore
/// bracket the truth, but for what no amount of such data would teach this critic; the value is their mean.
struct HybridInformation {
  let input: HybridInput
  private var options: EstimationOptions { input.options }

  /// One fold's critic and what it says.
  struct Reading: Sendable {
    var scores: HeldOutScores
    /// `normalizedMean` of the untouched rows, and of the training rows.
    var heldOut: Double
    var influence: [Double]
    var inSample: Double
    /// Loss on the stopping rows, and that of the closed form alone.
    var loss: Double
    var firstLoss: Double
    var steps: Int
    /// p-value of the critic's scores; 1 where they were not tested.
    var p: Double
  }

  struct Result: Sendable {
    var estimate: Estimate
    /// Mean over folds.
    var heldOut: Double
    var inSample: Double
    /// What held-out readings lose when half of the training rows are taken away from the network; the closed form is
    /// fitted on the stopping rows too, nine sixteenths of its own.
    var slope: Double
    /// Correlations that the closed form has.
    var parameters: Int
    var architecture: Architecture
  }

  /// Nats that fitting correlations may cost a reading without a flag.
  private static let costliest = 0.2

  /// Mismatched partners of each row in readings: of rows that are tested, one for each pairing.
  private func shifts(isTested: Bool) -> Int {
    max(64, isTested ? options.pairings : min(199, options.pairings))
  }

  func run() throws -> Result {
    let candidates =
      input.isWide
      ? [
        Architecture(activation: .elu, isCompressed: true),
        .init(activation: .relu, isCompressed: true),
      ]
      : [
        Architecture(activation: .elu, isCompressed: false),
        .init(activation: .relu, isCompressed: false),
      ]
        + (max(input.x.scores.columns, input.y.scores.columns) > 2
          ? [Architecture(activation: .elu, isCompressed: true)] : [])
    let isShrunk = try Self.prefersShrinkage(input)
    let gaussians = try Parallel.map(input.folds.count) { number in
      try FoldGaussian(
        input, input.folds[number].rest, test: input.folds[number].test, isShrunk: isShrunk)
    }
    // Networks are compared on the stopping rows of the first fold.
    let first = Parallel.map(candidates.count) { number in
      read(
        input.folds[0], gaussians[0], candidates[number], seed: options.seed,
        isTested: options.pairings > 0)
    }
    let best = first.indices.min { first[$0].loss < first[$1].loss }!
    let halved = min(2, input.folds.count - 1)
    let others = input.folds.count - 1
    let rest = try Parallel.map(others + halved) { place in
      let number = place % others + 1
      var fold = input.folds[number]
      if place >= others { fold.train = Array(fold.train.prefix(fold.train.count / 2)) }
      return read(
        fold,
        place < others
          ? gaussians[number]
          : try FoldGaussian(
            input, fold.train + fold.stopping, test: fold.test, isShrunk: isShrunk),
        candidates[best], seed: options.seed &+ UInt64(number))
    }
    let readings = [first[best]] + rest[..<others]
    let slope =
      halved == 0
      ? 0
      : (0..<halved).reduce(0.0) { $0 + rest[$1].heldOut - rest[others + $1].heldOut }
        / Double(halved)
    return try combine(readings, slope: slope, architecture: candidates[best])
  }

  /// Whether correlations predict new rows better shrunk: by logistic loss on the first fold's stopping rows. A few strong
  /// ones do; many weak ones, each within the noise, do not.
  private static func prefersShrinkage(_ input: HybridInput) throws -> Bool {
    let fold = input.folds[0]
    let both = try FoldGaussian.both(input, fold.train, test: fold.stopping)
    return both.shrunk.loss(input, on: fold.stopping) <= both.plain.loss(input, on: fold.stopping)
  }

  private func combine(
    _ readings: [Reading], slope: Double, architecture: Architecture
  ) throws -> Result {
    let n = readings.reduce(0) { $0 + $1.scores.count }
    func mean(_ values: (Reading) -> Double) -> Double {
      readings.reduce(0) { $0 + values($1) * Double($1.scores.count) } / Double(n)
    }
    let heldOut = mean(\.heldOut)
    // Over all folds, so that chance between rows inside and outside a fold cancels.
    let optimism = max(0, mean(\.inSample) - heldOut)
    let inSample = heldOut + optimism
    var contributions = [Double](repeating: 0, count: n)
    for reading in readings {
      for (row, value) in zip(reading.scores.rows, reading.influence) {
        contributions[row] = value + optimism / 2
      }
    }
    let value = (heldOut + inSample) / 2
    let smallest = readings.map(\.scores.count).min() ?? 1
    var estimate = Estimate(
      value: value, kind: .bracket, contributions: contributions, ceiling: log(Double(smallest)))
    let spread = readings.map(\.heldOut).deviation / Double(readings.count).squareRoot()
    estimate.standardError = spread.isFinite ? spread : 0
    estimate.low = heldOut
    estimate.high = max(inSample, heldOut + slope)
    if options.pairings > 0 { estimate.null = try null(readings) }
    estimate.estimator = Estimator.hybrid.rawValue
    estimate.seed = options.seed
    let parameters = input.x.scores.columns * input.y.scores.columns
    // A covariance of dx dy correlations costs a critic dx dy / 2n nats on new rows: more than that is not resolved.
    let cost = Double(parameters) / Double(2 * n)
    if cost > Self.costliest { estimate.flags.insert(.fewRows) }
    let gain = readings.reduce(0.0) { $0 + $1.firstLoss - $1.loss } / Double(readings.count)
    estimate.notes.append(
      gain > 0
        ? "Closed-form Gaussian critic of ranks and a network (\(architecture.name)), \(readings.reduce(0) { $0 + $1.steps } / readings.count) steps."
        : "Closed-form Gaussian critic of ranks; a network found nothing beyond it on held-out rows."
    )
    estimate.notes.append(
      "Held-out rows read \(AutoInformation.text(heldOut)) nats, the critic's own \(AutoInformation.text(inSample)); half of the rows would cost \(AutoInformation.text(slope))."
    )
    return Result(
      estimate: estimate, heldOut: heldOut, inSample: inSample, slope: slope,
      parameters: parameters, architecture: architecture)
  }

  /// A network on top of a closed-form critic, trained on a fold.
  func train(
    _ fold: Fold, _ gaussian: FoldGaussian, _ architecture: Architecture, seed: UInt64
  ) -> TrainedCritic {
    let data = input.rows(architecture, gaussian)
    let critic = JointCritic(
      xWidth: data.xWidth, yWidth: data.yWidth, hidden: options.widths(),
      activation: architecture.activation, startsAtZero: true)
    var training = CriticTraining.Options()
    training.batch = options.batch
    training.steps = options.steps
    training.seed = seed
    training.optimizer.rate = 2e-3
    training.optimizer.warmUp = 50
    training.optimizer.averaged = 200
    let outcome = CriticTraining(options: training).run(
      critic, data, train: fold.train, stopping: fold.stopping)
    return TrainedCritic(critic: critic, data: data, outcome: outcome)
  }

  /// Trains on a fold and reads it.
  private func read(
    _ fold: Fold, _ gaussian: FoldGaussian, _ architecture: Architecture, seed: UInt64,
    isTested: Bool = false
  ) -> Reading {
    let trained = train(fold, gaussian, architecture, seed: seed)
    let outcome = trained.outcome
    let cap = trained.largestScore(fold.train)
    let inSample = trained.scores(fold.train, shifts: 8, cap: cap).normalizedMean().value
    let shifts = shifts(isTested: isTested)
    let scores = trained.scores(fold.test, shifts: shifts, cap: cap)
    let (value, influence) = scores.normalizedMean()
    var p = 1.0
    if isTested {
      // A critic that its stopping rows sent back to where it began scores all alike: then the one that training ended with.
      let parameters = trained.isProgress ? outcome.parameters : outcome.last
      p = trained.pairingTest(
        fold.test,
        scored: trained.isProgress
          ? scores : trained.scores(fold.test, shifts: shifts, cap: cap, parameters: parameters),
        units: input.units, cap: cap, parameters: parameters, pairings: options.pairings, seed: seed
      )
    }
    return Reading(
      scores: scores, heldOut: value, influence: influence, inSample: inSample, loss: outcome.loss,
      firstLoss: outcome.firstLoss, steps: outcome.steps,
      p: p)
  }

  /// Two permutation tests, each exact but for shifts, which are some of all.
  ///
  /// The first fold's critic scores its untouched rows as recorded and paired anew: given the critic, all are as likely where
  /// there is no dependence. Folds are not pooled: each one's untouched rows trained the others' critics, and chance that
  /// all share would pass for dependence (seen: 17 % findings at 5 %). All rows are tested for correlation.
  private func null(_ readings: [Reading]) throws -> Estimate.Null {
    // What the reading would be for shifted pairs: each pairing in the matched one's place.
    let n = readings.reduce(0.0) { $0 + Double($1.scores.count) }
    let shifted = readings.reduce(0.0) { sum, reading in
      let means = reading.scores.blockMeans.dropFirst()
      let logMean = Double(reading.heldOut) - reading.scores.blockMeans[0]
      return sum + (means.mean + logMean)
        * Double(reading.scores.count) / n
    }
    return Estimate.Null(
      mean: shifted, tests: [readings[0].p, try correlationTest()], pairings: options.pairings,
      leasts: [readings[0].scores.rows, Array(0..<input.xScores.rows)].map {
        RandomPairings.least(units: input.units, of: $0, pairings: options.pairings)
      })
  }

  /// Most multiplications of the test of correlation.
  private static let testCost = 2e10

  /// p-value of the sum of squared canonical correlations (Pillai 1955, doi:10.1214/aoms/1177728599) by pairing anew.
  private func correlationTest() throws -> Double {
    let n = input.xScores.rows
    var generator = SeededGenerator(seed: options.seed, stream: 0x9111)
    func few(_ scores: Matrix) throws -> Matrix {
      let most = min(HybridInput.widest * 2, n / 2)
      return scores.columns > most
        ? try scores.principalScores(most, seed: options.seed) : scores
    }
    let (x, y) = (try few(input.xScores), try few(input.yScores))
    let cost = Double(options.pairings * x.columns * y.columns)
    let rows = RandomPairings.rows(
      max(1000, Int(Self.testCost / cost)), of: input.units, count: n, &generator)
    // Columns that vary among all rows may not among some: then nothing is tested, and nothing found.
    guard
      let fold = try? PairedFold(
        x: x.gatheringRows(rows), y: y.gatheringRows(rows), train: Array(rows.indices), test: [])
    else { return 1 }
    let random = RandomPairings(
      units: input.units.map { units in rows.map { units[$0] } }, count: rows.count,
      seed: options.seed, stream: 0x9111)
    @Sendable func sum(_ x: Matrix) -> Double {
      x.times(fold.y, transposeSelf: true).elements.reduce(0) { $0 + $1 * $1 }
    }
    let sums = Parallel.map(options.pairings) { sum(fold.x.gatheringRows(random($0))) }
    return Estimate.Null.share(sums, reaching: sum(fold.x))
  }
}
