internal import LinearAlgebra
internal import MutualInformation
internal import PrivacyTokens
internal import Results
internal import SnapshotFormat

/// The figures of one layer in one window: a pure function of its rows, the settings and the seed.
struct CellTask: Sendable {
  var layer: Int
  var window: Int
  var isGrouped: Bool
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
  private static let fewRows = 300

  /// Median power of a token, 1 on average, below which a few rows set the scale and the others look alike.
  private static let lowPower = 0.1

  /// Computes; the encoders are fitted once per fold, the critics once per fold and pairing.
  func run(_ rows: WindowRows, settings: Study.Settings) throws -> Outcome {
    let n = gradients.rows
    var generator = SeededGenerator(
      seed: settings.seed, stream: 1 << 32 | UInt64(window) << 16 | UInt64(layer))
    let noise = settings.sigma * generator.normalMatrix(rows: n, columns: settings.components)

    var folds: [PairedFold] = []
    var neighbours: [NearestNeighbours] = []
    var tokens = Matrix(rows: n, columns: settings.components)
    var kept = 0.0
    var components = settings.components
    for fold in 0..<rows.foldCount {
      let encoder = try GradientEncoder(
        fitting: gradients.gatheringRows(rows.train[fold]),
        components: WindowRows.components(
          trainingRows: rows.train[fold].count, most: settings.components),
        form: GradientEncoder.Form(rawValue: settings.token) ?? .direction)
      guard encoder.count > 0, rows.views[fold].columns > 0 else { throw ConstantRows() }
      let clean = encoder(gradients)
      for row in rows.test[fold] {
        for column in 0..<clean.columns { tokens[row, column] = clean[row, column] }
      }
      kept +=
        encoder.keptVariance(of: gradients.gatheringRows(rows.test[fold]))
        * Double(rows.test[fold].count) / Double(n)
      components = min(components, encoder.count)
      let noisy = clean + noise.prefixColumns(clean.columns)
      folds.append(
        try PairedFold(
          x: rows.views[fold], y: noisy, train: rows.train[fold], test: rows.test[fold]))
      let few = settings.neighbourComponents
      let (x, y) = (rows.views[fold], noisy)
      neighbours.append(
        NearestNeighbours(
          x: x.prefixColumns(min(few, x.columns)).gatheringRows(rows.test[fold]),
          y: y.prefixColumns(min(few, y.columns)).gatheringRows(rows.test[fold])))
    }

    let isHeavyTailed = Self.medianPower(tokens, components) < Self.lowPower
    let order = rows.test.flatMap { $0 }
    let clusters = isGrouped ? order.map { rows.steps[$0] } : nil
    let ceiling = GaussianInformation.ceiling(
      components: components, sigma: settings.sigma)
    var gaussian = try GaussianInformation.estimate(folds, ceiling: ceiling)
    let scores = try heldOutScores(folds, rows, settings)
    let bound = GaussianInformation.donskerVaradhan(scores)
    let ksg = Self.neighbourEstimate(neighbours, settings.neighbours, rows, nil)
    let found = Recovery.reidentification(
      scores, candidates: rows.candidates, using: &generator)
    let variance = try Recovery.variance(folds, features: rows.features)
    let label = try rows.labels.map { try LabelInformation.estimate(folds, labels: $0) }

    var shuffled: [Measure: [Double]] = [:]
    for pairing in rows.pairings {
      shuffled[.gaussian, default: []].append(
        try GaussianInformation.estimate(folds, pairing: pairing).value)
      shuffled[.ksg, default: []].append(
        Self.neighbourEstimate(neighbours, settings.neighbours, rows, pairing).value)
      shuffled[.recoverableVariance, default: []].append(
        try Recovery.variance(folds, features: rows.features, pairing: pairing).value)
      if let labels = rows.labels {
        let result = try LabelInformation.estimate(folds, labels: labels, pairing: pairing)
        shuffled[.label, default: []].append(result.information.value)
        shuffled[.labelAccuracy, default: []].append(result.hits.mean)
      }
    }

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
      let error = Clustered.standardError(ofMean: terms, clusters: clusters)
      var flags: [Figure.Flag] = []
      if measure.unit == .nats, value > 0.8 * ceiling { flags.append(.saturated) }
      if n < Self.fewRows { flags.append(.fewRows) }
      if isHeavyTailed { flags.append(.heavyTails) }
      let isProportion = measure == .labelAccuracy || measure == .reidentification
      let (low, high) =
        isProportion
        ? Clustered.proportionInterval(value, rows: n, standardError: error)
        : (value - 1.96 * error, value + 1.96 * error)
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
    if !rows.pairings.isEmpty { null[.donskerVaradhan] = Self.criticNull(scores[0], rows) }
    return Outcome(
      cell: Study.Cell(
        layer: layer, window: window, components: components, keptVariance: kept, figures: figures),
      null: null,
      rows: AnalysisFile.CellRows(
        layer: layer, window: window, width: components,
        tokens: tokens.prefixColumns(components).elements.map { Float($0) },
        scores: perRow.mapValues { Self.inRowOrder($0, order) }))
  }

  private func heldOutScores(
    _ folds: [PairedFold], _ rows: WindowRows, _ settings: Study.Settings
  ) throws -> [Matrix] {
    guard settings.critic == "hybrid" else { return try GaussianInformation.heldOutScores(folds) }
    var options = EstimationOptions()
    options.hidden = Self.hidden
    options.seed = SplitMix64.mix(settings.seed ^ UInt64(window) << 16 ^ UInt64(layer))
    return try HybridCritic.heldOutScores(
      folds, units: isGrouped ? rows.steps : Array(rows.steps.indices),
      networks: settings.networks, options: options)
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

  /// Median over rows of a token's mean square per component, which is 1 on average.
  private static func medianPower(_ tokens: Matrix, _ components: Int) -> Double {
    let powers = (0..<tokens.rows).map { row in
      tokens.row(row).prefix(components).reduce(0) { $0 + $1 * $1 } / Double(components)
    }
    return powers.sorted()[powers.count / 2]
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
    var contributions: [Double] = []
    var ceiling = Double.infinity
    for (fold, neighbours) in folds.enumerated() {
      let local = pairing.map { pairing in
        var position: [Int: Int] = [:]
        for (index, row) in rows.test[fold].enumerated() { position[row] = index }
        return rows.test[fold].map { position[pairing[$0]]! }
      }
      let estimate = neighbours.estimate(k: k, pairing: local)
      contributions += estimate.contributions
      ceiling = min(ceiling, estimate.ceiling)
    }
    return Estimate(
      value: contributions.mean, kind: .estimate,
      contributions: contributions, ceiling: ceiling)
  }
}

/// Rows in which nothing varies: there is no token to speak of.
struct ConstantRows: Error {}
