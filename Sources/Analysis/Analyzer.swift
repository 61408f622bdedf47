private import Foundation
private import LinearAlgebra
public import Results
public import SnapshotFormat
private import Synchronization

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

  /// Most bytes of gradients held in memory at a time.
  private static let batchBytes = 512 << 20

  private let settings: Study.Settings
  private let version: String

  /// An analyzer with its settings; `version` is written into the provenance.
  public init(settings: Study.Settings = .init(), version: String) {
    self.settings = settings
    self.version = version
  }

  /// Analyses a file.
  ///
  /// - Parameters:
  ///   - path: a snapshot file.
  ///   - progress: called with tasks done and in all, from any thread.
  ///   - isCancelled: asked before each task; true stops the analysis.
  /// - Throws: `SnapshotError` for the file, `AnalysisError` for what is in it.
  public func run(
    path: String, progress: @escaping @Sendable (Int, Int) -> Void = { _, _ in },
    isCancelled: @escaping @Sendable () -> Bool = { false }
  ) throws -> Result {
    BLAS.useOneThread()
    let digest = try FileDigest.sha256(of: path)
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
    var windows: [AnalysisFile.WindowRows] = []
    var outcomes: [CellTask.Outcome] = []
    var constant: [(layer: Int, window: Int)] = []
    var tooSmall: [Int] = []
    var total = plan.windows.reduce(0) { $0 + plan.streams[$1.table]!.count }
    let done = Mutex(0)

    var next = 0
    while next < plan.windows.count {
      var batch: [(rows: WindowRows, window: Int, tasks: [CellTask])] = []
      var bytes = 0
      while next < plan.windows.count, bytes < Self.batchBytes {
        if isCancelled() { throw cancelled(path) }
        let window = plan.windows[next]
        next += 1
        let rows = try WindowRows(window, plan: plan, reader: reader, settings: settings)
        // Left out only now: how many records a window has, and in which folds, is in its rows.
        guard rows.smallestFold >= WindowRows.fewest(settings) else {
          total -= plan.streams[window.table]!.count
          tooSmall.append(rows.smallestFold)
          continue
        }
        let number = study.windows.count
        let tasks = try plan.streams[window.table]!.map { stream in
          CellTask(
            layer: stream.layer, window: number, isGrouped: window.steps.count > 1,
            gradients: try WindowRows.matrix(
              stream.stream, window, reader, selected: rows.selected))
        }
        bytes += tasks.reduce(rows.features.elements.count * 8) {
          $0 + $1.gradients.elements.count * 8
        }
        study.windows.append(describe(window, rows, reader))
        windows.append(
          AnalysisFile.WindowRows(
            records: rows.records, steps: rows.steps.map { Int64(reader.steps[$0].index) },
            folds: rows.folds.map { UInt8($0) }))
        batch.append((rows, number, tasks))
      }
      let read = batch.map(\.rows)
      let prepared = try parallel(read.count, isCancelled, path) { index in
        var rows = read[index]
        try rows.fitViews(most: settings.components)
        return rows
      }
      let tasks = batch.indices.flatMap { index in batch[index].tasks.map { (index, $0) } }
      let all = total
      let results = try parallel(tasks.count, isCancelled, path) {
        position -> (CellTask, CellTask.Outcome?) in
        let (index, task) = tasks[position]
        let outcome: CellTask.Outcome?
        do { outcome = try task.run(prepared[index], settings: settings) } catch is ConstantRows {
          outcome = nil
        }
        progress(
          done.withLock {
            $0 += 1
            return $0
          }, all)
        return (task, outcome)
      }
      for (task, outcome) in results {
        if let outcome {
          outcomes.append(outcome)
        } else {
          constant.append((task.layer, task.window))
        }
      }
    }
    if let largest = tooSmall.max() {
      let fewest = WindowRows.fewest(settings)
      guard !study.windows.isEmpty else {
        throw AnalysisError(
          code: .tooFewRows, file: path,
          message: "expected at least \(fewest) distinct records in every fold, found \(largest)",
          remedy: "Record a larger probe set, or use fewer --folds or --neighbours.")
      }
      warnings.append(
        "\(tooSmall.count) window(s) have fewer than \(fewest) distinct records in a fold and were left out."
      )
    }
    for (layer, window) in constant {
      warnings.append(
        "Layer \(plan.layers[layer].name) does not vary at step \(study.windows[window].firstStep): nothing to measure there."
      )
    }
    outcomes.sort { ($0.cell.layer, $0.cell.window) < ($1.cell.layer, $1.cell.window) }
    MapTest.apply(to: &outcomes)
    for index in outcomes.indices { fillChance(&outcomes[index].cell, study.windows) }
    study.cells = outcomes.map(\.cell)
    study.warnings = Self.warnings(about: study) + warnings
    return Result(study: study, windows: windows, cells: outcomes.map(\.rows))
  }

  private func cancelled(_ path: String) -> AnalysisError {
    AnalysisError(
      code: .cancelled, file: path, message: "interrupted", remedy: "Nothing was written.")
  }

  /// Runs independent work on every core, unless the caller asks to stop.
  private func parallel<R: Sendable>(
    _ count: Int, _ isCancelled: @Sendable () -> Bool, _ path: String,
    _ body: @Sendable (Int) throws -> R
  ) throws -> [R] {
    try Parallel.map(count) { index in
      if isCancelled() { throw cancelled(path) }
      return try body(index)
    }
  }

  private func describe(
    _ window: StudyPlan.Window, _ rows: WindowRows, _ reader: Reader
  ) -> Study.Window {
    let steps = reader.steps[window.steps].filter { $0.mode == window.mode }
    let losses = steps.map(\.loss).filter(\.isFinite)
    return Study.Window(
      table: window.table, mode: window.mode.description, firstStep: steps.first!.index,
      lastStep: steps.last!.index,
      epoch: steps.first!.epoch,
      loss: losses.isEmpty ? .nan : losses.mean,
      rows: rows.selected.count, folds: rows.foldCount, candidates: rows.candidates,
      labelEntropy: rows.labels.map { LabelStatistics.entropy($0) } ?? .nan,
      labelChance: rows.labels.map { LabelStatistics.largestShare($0) } ?? .nan)
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
        "In \(heavy) of \(study.cells.count) cells a few large gradients set the scale, so that most tokens look alike: figures there understate. Analyse with --token direction."
      )
    }
    let few = study.windows.filter { $0.rows < 300 }.count
    if few > 0 {
      warnings.append(
        "\(few) window(s) have fewer than 300 rows: small leaks there stay invisible.")
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
    if Double(pairings + 1) * Verdict.level < 1 {
      warnings.append("\(pairings) pairings cannot give a p-value of 5 %: draw at least 19.")
    }
    return warnings
  }
}
