internal import Analysis
internal import ArgumentParser
internal import Results
internal import SnapshotFormat

/// Options of an analysis, shared by `ptoken-analyze` and `ptoken-report`.
///
/// Each is nil unless it was given: a report of an existing analysis must not pretend to have used it.
struct StudyOptions: ParsableArguments {
  /// How much work an analysis is worth.
  enum Profile: String, ExpressibleByArgument, CaseIterable {
    case quick, standard, thorough

    /// Settings where options say nothing.
    var settings: Study.Settings {
      switch self {
      case .quick: Study.Settings(critic: "gaussian", pairings: 39)
      case .standard: Study.Settings()
      case .thorough: Study.Settings(networks: 3, pairings: 999)
      }
    }
  }

  @Option(
    help: .init(
      "How much work: quick draws 39 pairings and trains no network, thorough draws 999 and trains three in place of one. (default: standard)",
      valueName: "name"))
  var profile: Profile?

  @Option(
    parsing: .unconditional,
    help: .init(
      "Resolution of every figure: noise added to standardised tokens. (default: 0.1)",
      valueName: "number"))
  var sigma: Double?

  @Option(
    help: .init(
      "How a gradient enters its token: direction (direction and log norm) or raw. (default: direction)",
      valueName: "form"))
  var token: String?

  @Option(
    parsing: .unconditional,
    help: .init("Most principal components of a token. (default: 16)", valueName: "count"))
  var components: Int?

  @Option(
    help: .init(
      "Critic of bound and re-identification: hybrid (closed form and a network) or gaussian. (default: hybrid)",
      valueName: "name"))
  var critic: String?

  @Option(
    parsing: .unconditional,
    help: .init("Components to search nearest neighbours in. (default: 2)", valueName: "count"))
  var neighbourComponents: Int?

  @Option(
    parsing: .unconditional,
    help: .init("k of the nearest-neighbour estimate. (default: 4)", valueName: "k"))
  var neighbours: Int?

  @Option(
    parsing: .unconditional,
    help: .init(
      "Folds, split by record. (default: 2 to 5, by the rows)", valueName: "count"))
  var folds: Int?

  @Option(
    parsing: .unconditional,
    help: .init(
      "Mismatched pairings to compare with; p-values cannot be below 1/(count + 1). (default: 99)",
      valueName: "count"))
  var pairings: Int?

  @Option(
    parsing: .unconditional,
    help: .init("Records to choose among in re-identification. (default: 256)", valueName: "count"))
  var candidates: Int?

  @Option(
    parsing: .unconditional,
    help: .init("Trace steps per window. (default: as many as give 500 rows)", valueName: "count"))
  var traceSteps: Int?

  @Option(
    parsing: .unconditional,
    help: .init("Seed of folds, noise and pairings. (default: 1)", valueName: "number"))
  var seed: UInt64?

  @Option(
    help: .init(
      "Memory to take, such as 2GB; does not change results. (default: 1GB)", valueName: "size"))
  var memory: String?

  func validate() throws {
    if let sigma, !(0...1e6).contains(sigma) {
      throw ValidationError("--sigma: expected 0 to 1e6, found \(sigma).")
    }
    if let token, token != "direction", token != "raw" {
      throw ValidationError("--token: expected direction or raw, found '\(token)'.")
    }
    if let bytes = try ByteCount.parse(memory, "--memory"), bytes < 300_000_000 {
      throw ValidationError("--memory: expected at least 300MB, found '\(memory ?? "")'.")
    }
    if let critic, critic != "hybrid", critic != "gaussian" {
      throw ValidationError("--critic: expected hybrid or gaussian, found '\(critic)'.")
    }
    try Self.require(components, "--components", in: 1...256)
    try Self.require(neighbourComponents, "--neighbour-components", in: 1...16)
    try Self.require(neighbours, "--neighbours", in: 1...20)
    try Self.require(pairings, "--pairings", in: 0...100_000)
    try Self.require(candidates, "--candidates", in: 2...65_536)
    try Self.require(traceSteps, "--trace-steps", in: 0...1_000_000)
    if let folds, folds != 0, !(2...20).contains(folds) {
      throw ValidationError(
        "--folds: expected 2 to 20, or 0 to choose by the rows, found \(folds).")
    }
  }

  /// Refuses a number out of range.
  static func require(
    _ value: Int?, _ name: String, in range: ClosedRange<Int>
  ) throws(ValidationError) {
    guard let value, !range.contains(value) else { return }
    throw ValidationError(
      "\(name): expected \(range.lowerBound) to \(range.upperBound), found \(value).")
  }

  var settings: Study.Settings { applied(to: (profile ?? .standard).settings) }

  /// `settings` with the options that were given in place of its own.
  private func applied(to settings: Study.Settings) -> Study.Settings {
    Study.Settings(
      sigma: sigma ?? settings.sigma, token: token ?? settings.token,
      components: components ?? settings.components, critic: critic ?? settings.critic,
      networks: settings.networks,
      neighbourComponents: neighbourComponents ?? settings.neighbourComponents,
      neighbours: neighbours ?? settings.neighbours, folds: folds ?? settings.folds,
      pairings: pairings ?? settings.pairings, candidates: candidates ?? settings.candidates,
      traceSteps: traceSteps ?? settings.traceSteps, seed: seed ?? settings.seed)
  }

  /// Refuses options that differ from those that an analysis was made with.
  func requireAgreement(with study: Study, in file: String) throws(SnapshotError) {
    let own = study.provenance.settings
    guard applied(to: profile?.settings ?? own) != own else { return }
    throw SnapshotError(
      code: .exists, file: file,
      message: "expected an analysis with the options given, found one with others",
      remedy: "Leave them out, or analyse again with ptoken-analyze --force.")
  }

  private var analyzer: Analyzer {
    get throws {
      Analyzer(
        settings: settings, version: Command.version,
        memory: try ByteCount.parse(memory, "--memory") ?? 1_000_000_000)
    }
  }

  /// What `analyse` would do and take.
  func forecast(_ input: String, to output: String) throws -> AnalysisForecast {
    try Files.requireInput(input)
    try Files.requireOther(output, than: input)
    // Nothing is replaced: what is there may stay.
    try ReplacingFile.check(output, force: true)
    return try analyzer.forecast(path: input)
  }

  /// Analyses a snapshot file and writes the analysis.
  func analyse(
    _ input: String, to output: String, force: Bool, console: Console, timings: Timings = .init()
  ) throws -> Study {
    // All found out before the work, not after it.
    try Files.requireInput(input)
    _ = try Reader(path: input)
    try Files.requireOther(output, than: input)
    _ = try ReplacingFile(output, force: force)
    let result = try Interruption.endingAtOnce {
      try analyzer.run(
        path: input, timings: timings,
        progress: {
          console.progress(
            $0.done, of: $0.total, "\($0.done) of \($0.total) layers and windows analysed",
            secondsLeft: $0.secondsLeft)
        })
    }
    Console.endProgress()
    try AnalysisFile.write(
      result.study, windows: result.windows, cells: result.cells, to: output, force: force)
    // What is shown is what the file says, as every later report of it.
    return try AnalysisFile.study(inFileAt: output)
  }
}
