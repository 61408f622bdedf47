internal import LinearAlgebra
internal import Results
internal import SnapshotFormat
private import Synchronization

/// An analysis under way: windows are read in order, and their layers analysed side by side whenever as many gradients
/// are in memory as it may hold.
struct AnalysisWork {
  let path: String
  let reader: Reader
  let plan: StudyPlan
  let settings: Study.Settings
  let timings: Timings
  let progress: @Sendable (Int, Int) -> Void
  let isCancelled: @Sendable () -> Bool

  /// Windows that were analysed, and the rows of each.
  private(set) var windows: [Study.Window] = []
  private(set) var windowRows: [AnalysisFile.WindowRows] = []
  private(set) var outcomes: [CellTask.Outcome] = []
  /// Cells in which nothing varies.
  private(set) var constant: [(layer: Int, window: Int)] = []
  /// Smallest folds of windows that were left out.
  private(set) var tooSmall: [Int] = []

  private var pending: [(rows: Int, task: CellTask)] = []
  /// Rows of the windows with pending tasks.
  private var prepared: [WindowRows] = []
  private var bytes = 0
  private var total: Int
  private var done = 0
  /// Bytes of gradients that are read ahead.
  private let ahead: Int

  /// Bytes that the program takes apart from gradients: libraries, tokens and scores of finished cells.
  private static let base = 256 << 20
  /// Copies of a gradient while its cell is analysed: as read, in double precision, and a fold's part.
  static let copies = 3

  init(
    path: String, reader: Reader, plan: StudyPlan, settings: Study.Settings, memory: Int,
    timings: Timings, progress: @escaping @Sendable (Int, Int) -> Void,
    isCancelled: @escaping @Sendable () -> Bool
  ) {
    (self.path, self.reader, self.plan, self.settings) = (path, reader, plan, settings)
    (self.timings, self.progress, self.isCancelled) = (timings, progress, isCancelled)
    ahead = Self.ahead(of: memory)
    total = plan.windows.reduce(0) { $0 + plan.streams[$1.table]!.count }
  }

  /// Bytes of gradients that may be read ahead where the analysis may take `memory`.
  static func ahead(of memory: Int) -> Int { max(0, memory - base) / copies }

  /// Reads a window, and analyses what is in memory when that is full.
  mutating func add(_ window: StudyPlan.Window) throws {
    if isCancelled() { throw Self.interrupted(path) }
    let rows = try timings.measure(.reading) {
      try WindowRows(window, plan: plan, reader: reader, settings: settings)
    }
    let streams = plan.streams[window.table]!
    // Left out only now: how many records a window has, and in which folds, is in its rows.
    guard rows.smallestFold >= WindowRows.fewest(settings) else {
      total -= streams.count
      tooSmall.append(rows.smallestFold)
      return
    }
    windows.append(describe(window, rows))
    windowRows.append(
      AnalysisFile.WindowRows(
        records: rows.records, steps: rows.steps.map { Int64(reader.steps[$0].index) },
        folds: rows.folds.map { UInt8($0) }))
    let views = try timings.measure(.features) {
      var fitted = rows
      try fitted.fitViews(most: settings.components)
      return fitted
    }
    prepared.append(views)
    bytes += rows.features.elements.count * MemoryLayout<Double>.size
    for stream in streams {
      let gradients = try timings.measure(.reading) {
        try WindowRows.matrix(stream.stream, window, reader, selected: rows.selected)
      }
      let task = CellTask(
        layer: stream.layer, window: windows.count - 1, isGrouped: window.steps.count > 1,
        gradients: gradients)
      pending.append((prepared.count - 1, task))
      bytes += gradients.elements.count * MemoryLayout<Double>.size
      if bytes >= ahead {
        try analyse()
        prepared = [views]
        bytes = 0
      }
    }
  }

  /// Analyses what is left.
  mutating func finish() throws { try analyse() }

  private static func interrupted(_ path: String) -> AnalysisError {
    AnalysisError(
      code: .cancelled, file: path, message: "interrupted", remedy: "Nothing was written.")
  }

  private mutating func analyse() throws {
    let (tasks, rows, all) = (pending, prepared, total)
    let (path, settings, timings) = (path, settings, timings)
    let (progress, isCancelled) = (progress, isCancelled)
    let finished = Mutex(done)
    let results = try Parallel.map(tasks.count) { position -> CellTask.Outcome? in
      if isCancelled() { throw Self.interrupted(path) }
      let (place, task) = tasks[position]
      defer {
        progress(
          finished.withLock {
            $0 += 1
            return $0
          }, all)
      }
      do {
        return try task.run(rows[place], settings: settings, timings: timings)
      } catch is ConstantRows { return nil }
    }
    for ((_, task), outcome) in zip(tasks, results) {
      if let outcome {
        outcomes.append(outcome)
      } else {
        constant.append((task.layer, task.window))
      }
    }
    done += tasks.count
    (pending, prepared) = ([], [])
  }

  private func describe(
    _ window: StudyPlan.Window, _ rows: WindowRows
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
}
