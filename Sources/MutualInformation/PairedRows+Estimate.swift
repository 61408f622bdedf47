internal import LinearAlgebra

extension PairedRows {
  /// Estimates the information between x and y, nats.
  ///
  /// The same rows, options and version give the same estimate, on one kind of processor bit for bit.
  ///
  /// - Parameters:
  ///   - estimator: by which method.
  ///   - options: how.
  ///   - progress: called after each fit, of every seed and every pairing that is fitted again.
  /// - Throws: `InformationError` for rows that the estimator is not made for.
  public func estimate(
    _ estimator: Estimator = .auto, options: EstimationOptions = .init(),
    progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) throws -> Estimate {
    try options.check()
    if options.transform != nil, !estimator.takesTransform {
      throw InformationError(
        .unsuitable, "expected no transform for \(estimator.rawValue), found one",
        remedy: "It ranks columns or counts rows: leave the transform out.")
    }
    // Folds run side by side; threads of BLAS under each would only wait for one another.
    BLAS.useOneThread()
    let total = max(1, options.seeds) * (1 + options.retrainedPairings)
    var done = 0
    func fitted() {
      done += 1
      progress(done, total)
    }
    var result: Estimate
    if x.columns == 0 || y.columns == 0 {
      result = Estimate(
        value: 0, kind: .estimate, contributions: [Double](repeating: 0, count: count), ceiling: 0)
      result.setInterval(standardError: 0, of: independent)
      result.flags.insert(.constant)
      result.null = Estimate.Null(
        mean: 0, tests: [1], pairings: options.pairings, leasts: [0])
    } else {
      result = try repeated(estimator, options, fitted)
    }
    result.estimator = estimator.rawValue
    result.rows = count
    result.notes = notes + result.notes
    result.seed = options.seed
    if hasDuplicates { result.flags.insert(.duplicates) }
    if count < Self.comfortable || independent < Self.fewestUnits { result.flags.insert(.fewRows) }
    if independent < Self.fewestUnits {
      result.notes.append(
        "Rows are of \(Units.count(units, rows: count)) records or groups, which tell as much as \(independent) of one size: that, not the number of rows, says how sure this is."
      )
    }
    if options.retrainedPairings > 0, result.flags.isDisjoint(with: [.constant]) {
      result.null = try retrainedNull(estimator, options, value: result.value, fitted)
    }
    if let null = result.null, null.p > 0.05 {
      if null.least > 0.05 {
        result.notes.append(
          "Not tested at 5 %: so few pairings, or records or groups to pair anew, allow no p below \(AutoInformation.text(null.least))."
        )
      } else {
        result.flags.insert(.nullNotBeaten)
      }
    }
    return result
  }

  /// The estimate from a quarter and from half of the rows, taken at random by unit: a figure that still rises with the
  /// rows is not finished. Left out where rows are too few.
  public func curve(
    _ estimator: Estimator = .auto, options: EstimationOptions = .init()
  ) throws -> [(rows: Int, estimate: Estimate)] {
    let members = Units.members(units, count: count)
    var generator = SeededGenerator(seed: options.seed, stream: 0xc4)
    let order = generator.permutation(members.count)
    var own = options
    own.pairings = 0
    own.retrainedPairings = 0
    return try [4, 2].compactMap { divisor in
      let rows = order.prefix(members.count / divisor).flatMap { members[$0] }.sorted()
      guard rows.count >= 4 * Self.fewest else { return nil }
      let part = PairedRows(rows, of: self)
      do {
        return (rows.count, try part.estimate(estimator, options: own))
      } catch let error as InformationError where error.code == .tooFewRows { return nil }
    }
  }

  /// Rows below which every interval is wider than most effects.
  private static let comfortable = 100
  /// Units below which neither an error nor a test by pairing them anew says much.
  private static let fewestUnits = 10

  /// The mean over seeds; their spread enters the error.
  ///
  /// - Parameter fitted: called after each.
  private func repeated(
    _ estimator: Estimator, _ options: EstimationOptions, _ fitted: () -> Void
  ) throws -> Estimate {
    let all = try (0..<max(1, options.seeds)).map { number in
      var own = options
      own.seed = options.seed &+ UInt64(number) &* 0x9e37_79b9
      defer { fitted() }
      return try single(estimator, own)
    }
    guard all.count > 1 else { return all[0] }
    let count = Double(all.count)
    var result = all[0]
    func mean(_ part: (Estimate) -> Double) -> Double { all.reduce(0) { $0 + part($1) } / count }
    let spread = all.map(\.value).deviation / count.squareRoot()
    result.value = mean(\.value)
    result.contributions = result.contributions.indices.map { row in
      mean { $0.contributions[row] }
    }
    result.standardError = mean(\.standardError)
    result.low = mean(\.low) - 1.96 * spread
    result.high = mean(\.high) + 1.96 * spread
    result.standardError =
      (result.standardError * result.standardError + spread * spread).squareRoot()
    for estimate in all { result.flags.formUnion(estimate.flags) }
    for null in all.dropFirst().compactMap(\.null) { result.null?.add(null) }
    return result
  }

  private func single(_ estimator: Estimator, _ options: EstimationOptions) throws -> Estimate {
    switch estimator {
    case .auto: return try AutoInformation(rows: self, options: options).run()
    case .hybrid:
      return try HybridInformation(
        input: HybridInput(self, options: options)
      ).run().finished(self)
    case .latent:
      return try LatentInformation(
        input: HybridInput(self, options: options)
      ).run()
    case .gaussian, .copula:
      return try CorrelationInformation(
        x: transformed(x, options.transform ?? (estimator == .copula ? .ranks : .none)),
        y: transformed(y, options.transform ?? (estimator == .copula ? .ranks : .none)),
        units: units, options: options
      ).run()
    case .ksg, .ksg2:
      return try NeighbourInformation(
        x: transformed(x, options.transform ?? .none),
        y: transformed(y, options.transform ?? .none), units: units,
        options: options
      ).run(estimator == .ksg ? .first : .second)
    case .ross: return try ross(options)
    case .plugin:
      var result = DiscreteInformation(
        x: DiscreteInformation.codes(x), y: DiscreteInformation.codes(y),
        units: units
      ).run(options: options)
      result.setInterval(standardError: result.clusteredError(units), of: independent)
      return result
    case .mine, .nwj, .infonce, .logistic:
      let objectives: [Estimator: Objective] = [
        .mine: .donskerVaradhan, .nwj: .nwj, .infonce: .infoNCE, .logistic: .logistic,
      ]
      return try NeuralInformation(
        x: transformed(x, options.transform ?? .standard),
        y: transformed(y, options.transform ?? .standard), units: units,
        objective: objectives[estimator]!, options: options
      ).run()
    }
  }

  private func ross(_ options: EstimationOptions) throws -> Estimate {
    let (label, other) =
      xIsLabel ? (x, y) : yIsLabel ? (y, x) : (nil, x)
    guard let label else {
      throw InformationError(
        .unsuitable,
        "expected a side that is a label (one column of few whole numbers), found none",
        remedy: "Use another estimator, such as auto or ksg.")
    }
    let codes = DiscreteInformation.codes(label).codes
    let rows = transformed(other, options.transform ?? .none)
    let k = options.neighbours[0]
    var result = MixedInformation(labels: codes, rows: rows, norm: options.norm).run(k: k)
    result.setInterval(standardError: result.clusteredError(units), of: independent)
    result.boundHigh(byEntropy: result.ceiling)
    if other.columns > NeighbourInformation.mostDimensions { result.flags.insert(.manyDimensions) }
    if options.pairings > 0 {
      // Each pairing is estimated anew, which takes the square of the rows.
      var generator = SeededGenerator(seed: options.seed, stream: 0x4056)
      let some = RandomPairings.rows(
        NeighbourInformation.nullRows, of: units, count: count, &generator)
      let (codes, rows) = (some.map { codes[$0] }, rows.gatheringRows(some))
      let random = RandomPairings(
        units: units.map { units in some.map { units[$0] } }, count: some.count,
        seed: options.seed, stream: 0x4055)
      @Sendable func value(_ labels: [Int]) -> Double {
        MixedInformation(labels: labels, rows: rows, norm: options.norm).run(k: k).value
      }
      result.null = Estimate.Null(
        observed: value(codes),
        values: Parallel.map(options.pairings) { number in value(random(number).map { codes[$0] })
        },
        least: RandomPairings.least(units: units, of: some, pairings: options.pairings))
    }
    return result
  }

  private func transformed(_ rows: Matrix, _ transform: EstimationOptions.Transform) -> Matrix {
    switch transform {
    case .none: return rows
    case .ranks: return RankTransform.normalScores(rows)
    case .standard:
      var result = rows
      CriticFeatures.standardize(&result)
      return result
    }
  }

  /// Everything fitted again to rows paired at random.
  private func retrainedNull(
    _ estimator: Estimator, _ options: EstimationOptions, value: Double, _ fitted: () -> Void
  ) throws -> Estimate.Null {
    var own = options
    own.pairings = 0
    own.retrainedPairings = 0
    let random = RandomPairings(
      units: units, count: count, seed: options.seed, stream: 0x7e)
    return Estimate.Null(
      observed: value,
      values: try (0..<options.retrainedPairings).map { number in
        try PairedRows(replacing: x.gatheringRows(random(number)), in: self)
          .repeated(estimator, own, fitted).value
      },
      least: RandomPairings.least(units: units, of: 0..<count, pairings: options.retrainedPairings))
  }
}
