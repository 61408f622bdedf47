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
      result.setInterval(standardError: 0)
      result.flags.insert(.constant)
      result.null = Estimate.Null(mean: 0, tests: [1], pairings: options.pairings)
    } else {
      result = try repeated(estimator, options, fitted)
    }
    result.estimator = estimator.rawValue
    result.rows = count
    result.notes = notes + result.notes
    result.seed = options.seed
    if hasDuplicates { result.flags.insert(.duplicates) }
    if count < Self.comfortable { result.flags.insert(.fewRows) }
    if options.retrainedPairings > 0, result.flags.isDisjoint(with: [.constant]) {
      result.null = try retrainedNull(estimator, options, value: result.value, fitted)
    }
    if let null = result.null, null.p > 0.05 { result.flags.insert(.nullNotBeaten) }
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
    result.null?.add(all.dropFirst().flatMap { $0.null?.tests ?? [] })
    return result
  }

  private func single(_ estimator: Estimator, _ options: EstimationOptions) throws -> Estimate {
    switch estimator {
    case .auto: return try AutoInformation(rows: self, options: options).run()
    case .hybrid:
      return try HybridInformation(
        input: HybridInput(
          self, xIsLabel: AutoInformation.isLabel(x), yIsLabel: AutoInformation.isLabel(y),
          options: options)
      ).run().finished(units)
    case .latent:
      return try LatentInformation(
        input: HybridInput(
          self, xIsLabel: AutoInformation.isLabel(x), yIsLabel: AutoInformation.isLabel(y),
          options: options)
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
      result.setInterval(standardError: result.clusteredError(units))
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
      AutoInformation.isLabel(x) ? (x, y) : AutoInformation.isLabel(y) ? (y, x) : (nil, x)
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
    result.setInterval(standardError: result.clusteredError(units))
    result.boundHigh(byEntropy: result.ceiling)
    if other.columns > NeighbourInformation.mostDimensions { result.flags.insert(.manyDimensions) }
    if options.pairings > 0 {
      let random = RandomPairings(
        units: units, count: count, seed: options.seed, stream: 0x4055)
      result.null = Estimate.Null(
        observed: result.value,
        values: Parallel.map(options.pairings) { number in
          MixedInformation(
            labels: random(number).map { codes[$0] }, rows: rows, norm: options.norm
          ).run(k: k).value
        })
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
      })
  }
}
