private import Foundation
private import LinearAlgebra
public import Results
public import SnapshotFormat

/// Analyses a snapshot file: plan, tasks, results.
///
/// The same file, settings and version give the same study, bit for bit on one kind of processor, whatever the
/// number of threads: tasks are independent and each draws from its own seeded stream.
public struct Analyzer: Sendable {
  /// What an analysis gives: the study for people, and the rows behind it.
  public struct Result: Sendable {
    /// Figures, tests, provenance and warnings.
    public var study: Study
    /// Rows of each window.
    public var windows: [AnalysisFile.WindowRows]
    /// Tokens and per-row scores of each cell.
    public var cells: [AnalysisFile.CellRows]
  }

  let settings: Study.Settings
  private let version: String
  let memory: Int

  /// An analyzer with its settings; `version` is written into the provenance.
  ///
  /// - Parameter memory: bytes that the analysis may take, about; gradients are read as far ahead as it allows.
  public init(settings: Study.Settings = .init(), version: String, memory: Int = 1 << 30) {
    self.settings = settings
    self.version = version
    self.memory = memory
  }

  static var cores: Int { ProcessInfo.processInfo.activeProcessorCount }

  /// Analyses a file.
  ///
  /// - Parameters:
  ///   - path: a snapshot file.
  ///   - timings: told where the time goes.
  ///   - progress: called after each layer of a window, from any thread.
  /// - Throws: `SnapshotError` for the file, `AnalysisError` for what is in it.
  public func run(
    path: String, timings: Timings = .init(),
    progress: @escaping @Sendable (Progress) -> Void = { _ in }
  ) throws -> Result {
    BLAS.useOneThread()
    let digest = try timings.measure(.digest) { try FileDigest.sha256(of: path) }
    let reader = try Reader(path: path)
    let plan = try StudyPlan(reader, settings: settings)
    var warnings = plan.warnings
    if reader.status != .complete {
      warnings.append(
        "Recording ended early (\(reader.status.rawValue)): later training is not in the file.")
    }

    var study = Study(
      run: Study.Run(
        id: reader.run.id, created: reader.run.created, producer: reader.run.producer,
        status: reader.status.rawValue, model: reader.run.model, training: reader.run.training),
      provenance: Study.Provenance(
        input: (path as NSString).lastPathComponent, inputDigest: digest, version: version,
        libraries: ["BLAS": BLAS.version, "HDF5": AnalysisFile.libraryVersion], settings: settings),
      layers: plan.layers, windows: [], cells: [], warnings: [])
    var work = AnalysisWork(
      reader: reader, plan: plan, settings: settings, memory: memory,
      timings: timings,
      progress: AnalysisProgress(
        costs: CostModel(settings: settings).costs(of: plan, reader), cores: Self.cores,
        report: progress))
    try work.read()
    let all = try work.outcomes()
    study.windows = work.windows
    warnings += work.warnings
    warnings += try work.leftOut.warnings(path: path, isAll: study.windows.isEmpty)
    var outcomes: [CellTask.Outcome] = []
    for case .found(let outcome) in all { outcomes.append(outcome) }
    var told: Set<Int> = []
    for case .immeasurable(let reason, let layer, let window) in all {
      let (name, step) = (plan.layers[layer].name, study.windows[window].firstStep)
      switch reason {
      case .constantLayer:
        warnings.append("Layer \(name) does not vary at step \(step): nothing to measure there.")
      case .constantFeature where told.insert(window).inserted:
        warnings.append("Features do not vary at step \(step): nothing to measure there.")
      case .constantFeature: break
      case .dependentComponents:
        warnings.append(
          "Layer \(name) at step \(step): components of its tokens follow from others, so that it was left out. Analyse with --sigma above 0."
        )
      }
    }
    outcomes.sort { ($0.cell.layer, $0.cell.window) < ($1.cell.layer, $1.cell.window) }
    MapTest.apply(to: &outcomes)
    for index in outcomes.indices { fillChance(&outcomes[index].cell, study.windows) }
    study.cells = outcomes.map(\.cell)
    study.warnings = Self.warnings(about: study) + warnings
    return Result(study: study, windows: work.windowRows, cells: outcomes.map(\.rows))
  }

  /// Chance of a re-identification is known exactly, without pairings.
  private func fillChance(_ cell: inout Study.Cell, _ windows: [Study.Window]) {
    for index in cell.figures.indices where cell.figures[index].measure == .reidentification {
      cell.figures[index].nullMean = 1 / Double(windows[cell.window].candidates)
      cell.figures[index].nullDeviation =
        (cell.figures[index].nullMean * (1 - cell.figures[index].nullMean)
        / Double(cell.figures[index].rows)).squareRoot()
    }
  }

  private static func warnings(about study: Study) -> [String] {
    var warnings: [String] = []
    let heavy = study.cells.count { $0.figures.contains { $0.flags.contains(.heavyTails) } }
    if heavy > 0 {
      warnings.append(
        "In \(heavy) of \(study.cells.count) cells a few large gradients set the scale, so that most tokens look alike: figures there understate."
          + (study.provenance.settings.token == "raw" ? " Analyse with --token direction." : "")
      )
    }
    let few = study.windows.filter { $0.rows < CellTask.fewRows }.count
    if few > 0 {
      warnings.append(
        "\(few) window(s) have fewer than \(CellTask.fewRows) rows: small leaks there stay invisible."
      )
    }
    let candidates = study.windows.map(\.candidates).min() ?? 0
    if candidates < study.provenance.settings.candidates {
      warnings.append(
        "Too few held-out records for re-identification among \(study.provenance.settings.candidates): some windows choose among \(candidates)."
      )
    }
    let saturated = study.cells.filter { $0.figures.contains { $0.flags.contains(.saturated) } }
    if !saturated.isEmpty {
      warnings.append(
        "\(saturated.count) of \(study.cells.count) cells have a figure near its ceiling: there the truth may be larger."
      )
    }
    let pairings = study.provenance.settings.pairings
    if pairings < Verdict.fewestPairings {
      warnings.append(
        "\(pairings) pairings cannot give a p-value of 5 %: draw at least \(Verdict.fewestPairings)."
      )
    }
    return warnings
  }
}
