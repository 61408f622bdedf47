internal import LinearAlgebra
internal import MutualInformation
internal import Results
internal import SnapshotFormat

/// The figures of one layer in one window: a pure function of its rows, the settings and the seed.
struct CellTask: Sendable {
  var layer: Int
  var window: Int
  /// Recorded gradients of the window's selected rows, [n, width].
  var gradients: Matrix

  /// What the task found.
  struct Outcome: Sendable {
    var cell: Study.Cell
    /// What each measure is under mismatched pairings, where it was drawn.
    var null: [Measure: Null]
    var rows: AnalysisFile.CellRows
  }

  /// A statistic as recorded and under each mismatched pairing.
  struct Null: Sendable {
    var observed: Double
    var values: [Double]
  }

  /// Hidden widths of the critic's network: a window has hundreds of rows, not tens of thousands.
  private static let hidden = [32, 32]

  /// Rows below which a figure is flagged: its interval is then wider than most effects.
  static let fewRows = 300

  /// Median power of a token, 1 on average, below which a few rows set the scale and the others look alike.
  private static let lowPower = 0.1

  /// Computes; the encoders are fitted once per fold, the critics once per fold and pairing.
  func run(
    _ rows: WindowRows, settings: Study.Settings, timings: Timings
  ) throws -> Outcome {
    let n = gradients.rows
    var generator = SeededGenerator(
      seed: settings.seed, stream: 1 << 32 | UInt64(window) << 16 | UInt64(layer))
    let noise = settings.sigma * generator.normalMatrix(rows: n, columns: settings.components)

    let tokens = try timings.measure(.tokens) {
      try CellTokens(gradients, noise: noise, rows, settings: settings)
    }
    let (folds, components) = (tokens.folds, tokens.components)
    let isHeavyTailed = tokens.medianPower < Self.lowPower
    let order = rows.test.flatMap { $0 }
    // Where nearly all rows are of one step, there is no telling how steps differ.
    let steps = rows.isGrouped ? order.map { rows.steps[$0] } : nil
    let told = steps.map { Int(Clustered.effective($0)) } ?? n
    let clusters = told >= 2 ? steps : nil
    let reach = Clustered.reach(of: clusters == nil ? n : told)
    let ceiling = GaussianInformation.ceiling(
      components: components, sigma: settings.sigma)
    var gaussian = try timings.measure(.gaussian) {
      try GaussianInformation.estimate(folds, ceiling: ceiling)
    }
    let (bound, found, criticNull) = try timings.measure(.critic) {
      try criticFigures(folds, rows, settings, &generator)
    }
    let ksg = timings.measure(.neighbours) {
      Self.neighbourEstimate(tokens.neighbours, settings.neighbours, rows, nil)
    }
    let variance = timings.measure(.recovery) {
      rows.recovery!.variance(folds)
    }
    let label = try timings.measure(.labels) {
      try rows.labels.map { try LabelInformation.estimate(folds, labels: $0) }
    }
    var shuffled = try shuffledFigures(tokens, rows, settings, timings)

    // An encoder fitted on fewer rows than columns sees training rows larger than new ones, and the Gaussian reading
    // then is not 0 without dependence. What mismatched pairs read is that bias.
    if let readings = shuffled[.gaussian] {
      let bias = readings.mean
      gaussian.value -= bias
      gaussian.contributions = gaussian.contributions.map { $0 - bias }
      shuffled[.gaussian] = readings.map { $0 - bias }
    }

    func figure(_ measure: Measure, _ value: Double, _ terms: [Double], _ ceiling: Double) -> Figure
    {
      // Uneven steps may cancel by chance: never surer than independent rows.
      let error = max(
        Clustered.standardError(ofMean: terms, clusters: clusters),
        Clustered.standardError(ofMean: terms))
      var flags: [Figure.Flag] = []
      // Of a label the ceiling is all there is to know; what may be nothing is near no ceiling.
      if measure.unit == .nats, measure != .label, value > Estimate.saturation * ceiling,
        value > reach * error
      {
        flags.append(.saturated)
      }
      if n < Self.fewRows { flags.append(.fewRows) }
      if isHeavyTailed { flags.append(.heavyTails) }
      let isProportion = measure == .labelAccuracy || measure == .reidentification
      let (low, high) =
        isProportion
        ? Clustered.proportionInterval(value, rows: n, standardError: error)
        : (
          value - reach * error,
          measure == .label
            ? max(value, min(ceiling, value + reach * error)) : value + reach * error
        )
      return Figure(
        measure: measure, value: value, standardError: error, low: low, high: high, nullMean: .nan,
        nullDeviation: .nan, p: .nan, mapP: .nan,
        ceiling: ceiling, rows: n, flags: flags)
    }
    var figures = [
      figure(.gaussian, gaussian.value, gaussian.contributions, gaussian.ceiling),
      figure(.donskerVaradhan, bound.value, bound.contributions, bound.ceiling),
      figure(.ksg, ksg.value, ksg.contributions, ksg.ceiling),
    ]
    if let label {
      let hits = label.hits.mean
      figures += [
        figure(
          .label, label.information.value, label.information.contributions,
          label.information.ceiling),
        figure(.labelAccuracy, hits, label.hits, 1),
      ]
    }
    figures += [
      figure(.reidentification, found.mean, found, 1),
      figure(.recoverableVariance, variance.value, variance.contributions, 1),
    ]
    var perRow: [Measure: [Double]] = [
      .gaussian: gaussian.contributions, .donskerVaradhan: bound.contributions,
      .ksg: ksg.contributions, .reidentification: found,
    ]
    perRow[.label] = label?.information.contributions
    var null: [Measure: Null] = [:]
    for figure in figures {
      guard let values = shuffled[figure.measure] else { continue }
      null[figure.measure] = Null(observed: figure.value, values: values)
    }
    null[.donskerVaradhan] = criticNull
    return Outcome(
      cell: Study.Cell(
        layer: layer, window: window, components: components, keptVariance: tokens.keptVariance,
        figures: figures),
      null: null,
      rows: AnalysisFile.CellRows(
        layer: layer, window: window, width: components,
        tokens: tokens.values.prefixColumns(components).elements.map { Float($0) },
        scores: perRow.mapValues { Self.inRowOrder($0, order) }))
  }

  /// What the critic's scores of all held-out pairs say. Fold by fold: they are the square of its rows.
  private func criticFigures(
    _ folds: [PairedFold], _ rows: WindowRows, _ settings: Study.Settings,
    _ generator: inout SeededGenerator
  ) throws -> (bound: Estimate, found: [Double], null: Null?) {
    var options = EstimationOptions()
    options.hidden = Self.hidden
    options.seed = SplitMix64.mix(settings.seed ^ UInt64(window) << 16 ^ UInt64(layer))
    let units = rows.isGrouped ? rows.steps : Array(rows.steps.indices)
    var readings: [Estimate] = []
    var found: [Double] = []
    var null: Null?
    for (number, fold) in folds.enumerated() {
      let scores =
        settings.critic == "hybrid"
        ? try HybridCritic.heldOutScores(
          fold, units: units, networks: settings.networks, options: options)
        : try GaussianInformation.heldOutScores(fold)
      options.seed &+= 1
      readings.append(GaussianInformation.donskerVaradhan(scores))
      found += Recovery.reidentification(
        scores, candidates: rows.candidates, using: &generator)
      if number == 0, !rows.pairings.isEmpty { null = Self.criticNull(scores, rows) }
    }
    return (Estimate.pooled(readings), found, null)
  }

  /// Mean score of the first fold's held-out rows, as recorded and as paired anew: its critic never saw them, so given the
  /// critic all pairings are as likely without dependence. Other folds' critics were fitted on these rows: pooled, what all
  /// folds share by chance would pass for dependence.
  private static func criticNull(_ scores: Matrix, _ rows: WindowRows) -> Null {
    let test = rows.test[0]
    let position = Dictionary(uniqueKeysWithValues: test.enumerated().map { ($1, $0) })
    return Null(
      observed: test.indices.map { scores[$0, $0] }.mean,
      values: rows.pairings.map { pairing in
        test.indices.map { scores[$0, position[pairing[test[$0]]]!] }.mean
      })
  }

  /// The measures that are fitted again for each mismatched pairing.
  private func shuffledFigures(
    _ tokens: CellTokens, _ rows: WindowRows, _ settings: Study.Settings, _ timings: Timings
  ) throws -> [Measure: [Double]] {
    guard !rows.pairings.isEmpty else { return [:] }
    func each<R>(_ stage: Timings.Stage, _ figure: ([Int]) throws -> R) throws -> [R] {
      try timings.measure(stage) {
        try rows.pairings.map(figure)
      }
    }
    var result: [Measure: [Double]] = [:]
    result[.gaussian] = try each(.gaussian) {
      try GaussianInformation.estimate(tokens.folds, pairing: $0).value
    }
    result[.ksg] = try each(.neighbours) {
      Self.neighbourEstimate(tokens.neighbours, settings.neighbours, rows, $0).value
    }
    result[.recoverableVariance] = try each(.recovery) {
      rows.recovery!.variance(tokens.folds, pairing: $0).value
    }
    guard let labels = rows.labels else { return result }
    let all = try each(.labels) {
      let found = try LabelInformation.estimate(tokens.folds, labels: labels, pairing: $0)
      return (information: found.information.value, accuracy: found.hits.mean)
    }
    result[.label] = all.map(\.information)
    result[.labelAccuracy] = all.map(\.accuracy)
    return result
  }

  private static func inRowOrder(_ values: [Double], _ order: [Int]) -> [Double] {
    var result = values
    for (position, row) in order.enumerated() { result[row] = values[position] }
    return result
  }

  /// The nearest-neighbour estimate within each fold's held-out rows, weighted by rows.
  private static func neighbourEstimate(
    _ folds: [NearestNeighbours], _ k: Int, _ rows: WindowRows, _ pairing: [Int]?
  ) -> Estimate {
    let readings = folds.enumerated().map { fold, neighbours in
      let local = pairing.map { pairing in
        var position: [Int: Int] = [:]
        for (index, row) in rows.test[fold].enumerated() { position[row] = index }
        return rows.test[fold].map { position[pairing[$0]]! }
      }
      return neighbours.estimate(k: k, pairing: local)
    }
    return Estimate.pooled(readings)
  }
}
