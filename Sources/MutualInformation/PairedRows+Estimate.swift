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
    if options.transform != nil, !estimator.takes(.transform) {
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
      if options.pairings > 0 {
        result.null = Estimate.Null(mean: 0, tests: [1], pairings: options.pairings, leasts: [0])
      }
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
      } catch is InformationError {
        // What all rows allow, a part of them may not.
        return nil
      }
    }
  }

  /// Rows below which every interval is wider than most effects.
  private static let comfortable = 100
  /// Units below which neither an error nor a test by pairing them anew says much.
  private static let fewestUnits = 10

  /// Of all seeds together.
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
    return Estimate.combined(all, of: independent)
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
        input: HybridInput(spreadingTies(seed: options.seed), options: options)
      ).run()
    case .gaussian, .copula:
      let usual: EstimationOptions.Transform = estimator == .copula ? .ranks : .none
      var result = try CorrelationInformation(
        x: transformed(x, options.transform ?? usual),
        y: transformed(y, options.transform ?? usual), units: units, options: options
      ).run()
      for side in [xIsLabel ? x : nil, yIsLabel ? y : nil].compactMap({ $0 }) {
        let entropy = DiscreteInformation.entropy(RowCodes(side).codes)
        result.ceiling = min(result.ceiling, entropy)
        result.flagSaturation()
        result.boundHigh(byEntropy: entropy)
      }
      return result
    case .ksg, .ksg2:
      return try neighbours(options).run(estimator == .ksg ? .first : .second)
    case .ross:
      guard let (labels, other) = xIsLabel ? (x, y) : yIsLabel ? (y, x) : nil else {
        throw InformationError(
          .unsuitable,
          "expected a side that is a label (one column of few whole numbers), found none",
          remedy: "Use another estimator, such as auto or ksg.")
      }
      return RossInformation(
        labels: RowCodes(labels).codes,
        rows: TieSpreading.columns(
          transformed(other, options.transform ?? .none), seed: options.seed, stream: 0),
        units: units, options: options
      ).run()
    case .plugin:
      return DiscreteInformation(
        x: RowCodes(x), y: RowCodes(y), units: units
      ).run(options: options)
    case .mine, .nwj, .infonce, .logistic:
      let objectives: [Estimator: Objective] = [
        .mine: .donskerVaradhan, .nwj: .nwj, .infonce: .infoNCE, .logistic: .logistic,
      ]
      return try NeuralInformation(
        x: forNetwork(x, "x", options), y: forNetwork(y, "y", options), units: units,
        objective: objectives[estimator]!, options: options
      ).run()
    }
  }

  private func neighbours(_ options: EstimationOptions) -> NeighbourInformation {
    let rows = PairedRows(
      replacing: transformed(x, options.transform ?? .none),
      and: transformed(y, options.transform ?? .none), in: self
    ).spreadingTies(seed: options.seed)
    return NeighbourInformation(x: rows.x, y: rows.y, units: units, options: options)
  }

  /// - Parameter bound: largest standard deviations of `standard`.
  private func transformed(
    _ rows: Matrix, _ transform: EstimationOptions.Transform, within bound: Double = .infinity
  ) -> Matrix {
    switch transform {
    case .none: return rows
    case .ranks: return RankTransform.normalScores(rows)
    case .standard:
      var result = rows
      CriticFeatures.standardize(&result, within: bound)
      return result
    }
  }

  /// Columns as networks take them.
  private func forNetwork(
    _ rows: Matrix, _ name: String, _ options: EstimationOptions
  ) throws -> Matrix {
    let result = transformed(
      rows, options.transform ?? .standard, within: CriticFeatures.largest)
    if let large = result.elements.first(where: { abs($0) > Self.largestInput }) {
      throw InformationError(
        .unsuitable,
        "\(name): expected numbers up to \(Int(Self.largestInput)) where a network takes them as they are, found \(large)",
        remedy: "Leave out --transform none.")
    }
    return result
  }

  /// A network's first steps on larger ones end nowhere.
  private static let largestInput = 1000.0

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
