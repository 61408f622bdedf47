internal import Analysis
internal import ArgumentParser
internal import Results
private import SnapshotFormat

/// Options of an analysis, shared by `ptoken-analyze` and `ptoken-report`.
struct StudyOptions: ParsableArguments {
  @Option(help: "Resolution: noise added to train-standardised tokens.")
  var sigma = 0.1

  @Option(help: "Most principal components of a token and of a feature.")
  var components = 16

  @Option(help: "Components that nearest neighbours are searched in.")
  var neighbourComponents = 2

  @Option(help: "k of the nearest-neighbour estimate.")
  var neighbours = 4

  @Option(help: "Folds, split by record; 0 chooses 2 to 5 by the rows.")
  var folds = 0

  @Option(help: "Mismatched pairings for the null.")
  var pairings = 99

  @Option(help: "Records to choose among in re-identification.")
  var candidates = 256

  @Option(help: "Trace steps per window; 0 groups about 500 rows.")
  var traceSteps = 0

  @Option(help: "Seed of folds, noise and pairings.")
  var seed: UInt64 = 1

  func validate() throws {
    guard sigma >= 0, sigma.isFinite else {
      throw ValidationError("--sigma: expected at least 0, found \(sigma).")
    }
    try Self.require(components, "--components", in: 1...256)
    try Self.require(neighbourComponents, "--neighbour-components", in: 1...16)
    try Self.require(neighbours, "--neighbours", in: 1...20)
    try Self.require(pairings, "--pairings", in: 0...100_000)
    try Self.require(candidates, "--candidates", in: 2...65_536)
    try Self.require(traceSteps, "--trace-steps", in: 0...1_000_000)
    guard folds == 0 || (2...20).contains(folds) else {
      throw ValidationError("--folds: expected 0 or 2 to 20, found \(folds).")
    }
  }

  private static func require(_ value: Int, _ name: String, in range: ClosedRange<Int>) throws {
    guard range.contains(value) else {
      throw ValidationError(
        "\(name): expected \(range.lowerBound) to \(range.upperBound), found \(value).")
    }
  }

  var settings: Study.Settings {
    Study.Settings(
      sigma: sigma, components: components, neighbourComponents: neighbourComponents,
      neighbours: neighbours, folds: folds, pairings: pairings, candidates: candidates,
      traceSteps: traceSteps, seed: seed)
  }

  /// Analyses a snapshot file and writes the analysis.
  func analyse(
    _ input: String, to output: String, force: Bool, console: Console
  ) throws -> Study {
    // Found out before the work, not after it.
    _ = try ReplacingFile(output, force: force)
    let result = try Analyzer(settings: settings, version: Command.version).run(
      path: input,
      progress: { console.progress($0, of: $1, "\($0) of \($1) layers and windows analysed") },
      isCancelled: { Interruption.isRequested })
    console.endProgress()
    try AnalysisFile.write(
      result.study, windows: result.windows, cells: result.cells, to: output, force: force)
    return result.study
  }
}
