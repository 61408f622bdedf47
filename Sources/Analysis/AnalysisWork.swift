internal import LinearAlgebra
internal import MutualInformation
internal import Results
internal import SnapshotFormat

/// An analysis under way: windows are read in order, and layers analysed on every core while later ones are read.
struct AnalysisWork {
  let reader: Reader
  let plan: StudyPlan
  let settings: Study.Settings
  let timings: Timings
  let progress: AnalysisProgress

  /// Windows that were analysed, and the rows of each.
  private(set) var windows: [Study.Window] = []
  private(set) var windowRows: [AnalysisFile.WindowRows] = []
  private(set) var leftOut: LeftOutWindows
  private(set) var warnings: [String] = []

  /// What a cell gives.
  enum Outcome: Sendable {
    case found(CellTask.Outcome)
    case immeasurable(Immeasurable, layer: Int, window: Int)
  }
  private let cells: ReadAhead<Outcome>

  /// Bytes that the program takes apart from gradients: libraries, tokens and scores of finished cells.
  private static let base = 256 << 20
  /// Copies of a gradient while its cell is analysed: as read, in double precision, and a fold's part.
  static let copies = 3

  init(
    reader: Reader, plan: StudyPlan, settings: Study.Settings, memory: Int,
    timings: Timings, progress: AnalysisProgress
  ) {
    (self.reader, self.plan, self.settings) = (reader, plan, settings)
    (self.timings, self.progress) = (timings, progress)
    leftOut = LeftOutWindows(settings)
    cells = ReadAhead(capacity: Self.ahead(of: memory))
  }

  /// Bytes of gradients, and of as many scores, that may be in memory where the analysis may take `memory`.
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
    let window = plan.windows[number]
    let streams = plan.streams[window.table]!
    var first: Matrix?
    var rows = try timings.measure(.reading) {
      let split = try WindowSplit(window, reader: reader, settings: settings)
      let all = try WindowRows(split, window, plan: plan, reader: reader, settings: settings)
      return try withoutCopies(all, window, streams, &first)
    }
    guard leftOut.admits(rows.split) else {
      progress.leaveOut(window: number)
      return
    }
    if rows.labels == nil, rows.classes > 0 {
      let reason =
        rows.classes == 1
        ? "all of one class, of which there is nothing to tell"
        : "\(rows.classes) classes in \(rows.selected.count) rows are more than could be told apart (at most \(WindowRows.mostClasses), of \(WindowRows.fewestOfClass) rows each on average)"
      warnings.append(
        "Labels at step \(step(of: window)): \(reason); what gradients say of labels was not measured."
      )
    }
    windows.append(describe(window, rows))
    windowRows.append(
      AnalysisFile.WindowRows(
        records: rows.records, steps: rows.steps.map { Int64(reader.steps[$0].index) },
        folds: rows.folds.map { UInt8($0) }))
    // Counted with the first layer: finished with it, or soon after.
    var shared = rows.features.elements.count * MemoryLayout<Double>.size
    let scores = CostModel.scores(foldRows: rows.test.map(\.count).max() ?? 0) / Self.copies
    try timings.measure(.features) { try rows.fitViews(most: settings.components) }
    let views = rows
    for (place, stream) in streams.enumerated() {
      let gradients = try timings.measure(.reading) {
        try first
          ?? WindowRows.matrix(stream.stream, window, reader, selected: rows.selected)
      }
      first = nil
      let task = CellTask(
        layer: stream.layer, window: windows.count - 1, gradients: gradients)
      let bytes = gradients.elements.count * MemoryLayout<Double>.size
      let (settings, timings, progress) = (settings, timings, progress)
      cells.add(bytes: bytes + shared + scores) {
        try progress.measure(window: number, stream: place) {
          do {
            return .found(try task.run(views, settings: settings, timings: timings))
          } catch let reason as Immeasurable {
            return .immeasurable(reason, layer: task.layer, window: task.window)
          }
        }
      }
      shared = 0
    }
  }

  /// Index of a window's first step.
  private func step(of window: StudyPlan.Window) -> Int {
    reader.steps[window.steps.lowerBound].index
  }

  /// Waits for all cells.
  func outcomes() throws -> [Outcome] { try cells.finish() }

  /// A window's rows but for those that equal another in features and in the gradients of every layer: in another fold they
  /// would pass for information, and as nearest neighbours too. One layer does not tell: it may be frozen.
  ///
  /// - Parameter first: set to the first layer's gradients of the rows, if they were read.
  private mutating func withoutCopies(
    _ rows: WindowRows, _ window: StudyPlan.Window, _ streams: [StudyPlan.Stream],
    _ first: inout Matrix?
  ) throws -> WindowRows {
    guard rows.features.hasRepeatedRows, !rows.features.isOfSymbols else { return rows }
    var gradients = RowCodes(rows: rows.selected.count)
    var kept: [Int] = []
    for stream in streams {
      let layer = try WindowRows.matrix(stream.stream, window, reader, selected: rows.selected)
      first = first ?? layer
      gradients.refine(by: layer)
      // Most files are told by their first layer.
      kept = Copies(rows.features, gradients).kept
      guard kept.count < rows.selected.count else { return rows }
    }
    warnings.append(
      "\(rows.selected.count - kept.count) of \(rows.selected.count) rows at step \(step(of: window)) equal others in features and gradients, under other records: copies were left out, for they would pass for information."
    )
    first = first!.gatheringRows(kept)
    let split = try WindowSplit(
      window, reader: reader, settings: settings, rows: kept.map { rows.selected[$0] })
    return try WindowRows(split, window, plan: plan, reader: reader, settings: settings)
  }

  private func describe(
    _ window: StudyPlan.Window, _ rows: WindowRows
  ) -> Study.Window {
    // Steps that rows are of: those of a trace that repeats its records have none left.
    let used = Set(rows.steps)
    let steps = window.steps.filter { used.contains($0) }.map { reader.steps[$0] }
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
