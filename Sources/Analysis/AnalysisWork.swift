internal import LinearAlgebra
internal import Results
internal import SnapshotFormat

/// An analysis under way: windows are read in order, and layers analysed on every core while later ones are read.
struct AnalysisWork {
  let path: String
  let reader: Reader
  let plan: StudyPlan
  let settings: Study.Settings
  let timings: Timings
  let progress: AnalysisProgress
  let isCancelled: @Sendable () -> Bool

  /// Windows that were analysed, and the rows of each.
  private(set) var windows: [Study.Window] = []
  private(set) var windowRows: [AnalysisFile.WindowRows] = []
  /// Smallest folds of windows that were left out.
  private(set) var tooSmall: [Int] = []

  /// What a cell gives: nothing where nothing varies.
  enum Outcome: Sendable {
    case found(CellTask.Outcome)
    case constant(layer: Int, window: Int)
  }
  private let cells: ReadAhead<Outcome>

  /// Bytes that the program takes apart from gradients: libraries, tokens and scores of finished cells.
  private static let base = 256 << 20
  /// Copies of a gradient while its cell is analysed: as read, in double precision, and a fold's part.
  static let copies = 3

  init(
    path: String, reader: Reader, plan: StudyPlan, settings: Study.Settings, memory: Int,
    timings: Timings, progress: AnalysisProgress, isCancelled: @escaping @Sendable () -> Bool
  ) {
    (self.path, self.reader, self.plan, self.settings) = (path, reader, plan, settings)
    (self.timings, self.progress, self.isCancelled) = (timings, progress, isCancelled)
    cells = ReadAhead(capacity: Self.ahead(of: memory))
  }

  /// Bytes of gradients that may be in memory where the analysis may take `memory`.
  static func ahead(of memory: Int) -> Int { max(0, memory - base) / copies }

  /// Reads all windows and hands their layers over; ends early after a failure, which `outcomes` throws.
  mutating func read() throws {
    do {
      for number in plan.windows.indices where !cells.isFailed { try add(number) }
    } catch {
      cells.cancel()
      throw error
    }
  }

  private mutating func add(_ number: Int) throws {
    if isCancelled() { throw Self.interrupted(path) }
    let window = plan.windows[number]
    let rows = try timings.measure(.reading) {
      try WindowRows(window, plan: plan, reader: reader, settings: settings)
    }
    // Left out only now: how many records a window has, and in which folds, is in its rows.
    guard rows.smallestFold >= WindowRows.fewest(settings) else {
      progress.leaveOut(window: number)
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
    // Counted with the first layer: finished with it, or soon after.
    var shared = rows.features.elements.count * MemoryLayout<Double>.size
    for (place, stream) in plan.streams[window.table]!.enumerated() {
      let gradients = try timings.measure(.reading) {
        try WindowRows.matrix(stream.stream, window, reader, selected: rows.selected)
      }
      let task = CellTask(
        layer: stream.layer, window: windows.count - 1, gradients: gradients)
      let bytes = gradients.elements.count * MemoryLayout<Double>.size
      let (path, settings, timings) = (path, settings, timings)
      let (progress, isCancelled) = (progress, isCancelled)
      cells.add(bytes: bytes + shared) {
        if isCancelled() { throw Self.interrupted(path) }
        return try progress.measure(window: number, stream: place) {
          do {
            return .found(try task.run(views, settings: settings, timings: timings))
          } catch is ConstantRows {
            return .constant(layer: task.layer, window: task.window)
          }
        }
      }
      shared = 0
    }
  }

  /// Waits for all cells.
  func outcomes() throws -> [Outcome] { try cells.finish() }

  private static func interrupted(_ path: String) -> AnalysisError {
    AnalysisError(
      code: .cancelled, file: path, message: "interrupted", remedy: "Nothing was written.")
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
