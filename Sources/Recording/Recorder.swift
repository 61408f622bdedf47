private import Foundation
public import SnapshotFormat

/// Records a training run into a snapshot file, off the caller's thread.
///
/// Declare tables and streams once; then, for each step that `wants(_:table:)`, pass its description and full rows to `record`:
/// wide gradients are sketched and written on the recorder's own thread. `record` waits only when the bounded
/// queue is full. An error of the writing side is thrown by the next call; the run's committed steps are kept.
/// A step that is committed survives this process (`Writer`); a recorder that is dropped without `close` closes its file
/// as crashed.
public final class Recorder: Sendable {
  /// How a stream is declared.
  public struct Stream: Sendable {
    /// What files will say; a gradient without a sketch of its own gets that of the options.
    public var description: StreamDescription

    /// A stream from its description.
    public init(description: StreamDescription) { self.description = description }

    /// A gradient of one layer; `shape` is that of one observation's gradient.
    ///
    /// - Parameter clipping: how each observation's whole gradient was clipped, and noised.
    public static func gradient(
      layer: String, stage: GradientStage = .raw, shape: [Int], clipping: Clipping? = nil
    ) -> Stream {
      Stream(
        description: StreamDescription(
          name: layer, kind: .gradient(layer: layer, stage: stage), shape: shape,
          clipping: clipping))
    }

    /// A data feature: an input, activation or embedding.
    public static func feature(
      _ name: String, shape: [Int], role: FeatureRole = .input
    ) -> Stream {
      Stream(description: StreamDescription(name: name, kind: .feature, shape: shape, role: role))
    }

    /// Class labels.
    public static func label(_ name: String, shape: [Int] = [1]) -> Stream {
      Stream(description: StreamDescription(name: name, kind: .label, shape: shape))
    }

    /// A number of each observation, such as its loss.
    public static func scalar(_ name: String, unit: String? = nil) -> Stream {
      Stream(
        description: StreamDescription(name: name, kind: .scalar, shape: [1], unit: unit))
    }
  }

  /// How a table is declared.
  public struct Table: Sendable {
    /// A name for people.
    public var name: String
    /// What a row stands for.
    public var unit: ObservationUnit
    /// How rows arise.
    public var mode: StepMode
    /// Which steps are recorded; nil where somebody else decides.
    public var schedule: Schedule?
    /// Optional columns of batches and clients.
    public var columns: TableDescription.Columns
    /// The streams.
    public var streams: [Stream]

    /// A table declaration from its parts.
    public init(
      name: String, unit: ObservationUnit = .example, mode: StepMode,
      schedule: Schedule? = Schedule(), columns: TableDescription.Columns = [], streams: [Stream]
    ) {
      self.name = name
      self.unit = unit
      self.mode = mode
      self.schedule = schedule
      self.columns = columns
      self.streams = streams
    }
  }

  /// Options of a recording.
  public struct Options: Sendable {
    /// Numbers that a wide gradient is sketched to; nil records gradients in full.
    public var sketchWidth: Int?
    /// Nonzeros of the sketch per input element.
    public var sketchNonzeros: Int
    /// Seed of the sketch.
    public var sketchSeed: UInt64
    /// Compression of the file.
    public var compression: Writer.Compression
    /// What a loss of power may cost.
    public var synchronization: Writer.Synchronization
    /// Rank of this process among those that record the run.
    public var rank: UInt16
    /// Whether the file says which layers are frozen at each step.
    public var recordsFrozenLayers: Bool
    /// Most bytes that may wait to be written; at least one step is always admitted.
    public var queueBytes: Int
    /// Replace an existing file.
    public var force: Bool
    /// Leave out rows with numbers that are not finite or labels below 0, which are an error otherwise.
    public var leavesOutFaultyRows = false

    /// Options; the defaults are those of `ptoken-record`.
    public init(
      sketchWidth: Int? = 256, sketchNonzeros: Int = 4, sketchSeed: UInt64 = 0,
      compression: Writer.Compression = .zstd,
      synchronization: Writer.Synchronization = .interval(seconds: 5), rank: UInt16 = 0,
      recordsFrozenLayers: Bool = false, queueBytes: Int = 64 << 20, force: Bool = false
    ) {
      self.sketchWidth = sketchWidth
      self.sketchNonzeros = sketchNonzeros
      self.sketchSeed = sketchSeed
      self.compression = compression
      self.synchronization = synchronization
      self.rank = rank
      self.recordsFrozenLayers = recordsFrozenLayers
      self.queueBytes = queueBytes
      self.force = force
    }
  }

  /// How far a recording is.
  public struct Progress: Sendable {
    /// Steps that are written and committed, those of earlier sessions included.
    public var committedSteps = 0
    /// Rows that this session has committed, over all tables.
    public var committedRows = 0
    /// Bytes that wait to be written.
    public var queuedBytes = 0
    /// Bytes of the file so far, with rows that are yet to be compressed.
    public var fileBytes = 0
  }

  /// Who is told how a recording goes, on the recorder's own thread, which must not be made to wait.
  public struct Observer: Sendable {
    /// Called after each commit.
    public var committed: @Sendable (Progress) -> Void = { _ in }
    /// Called once the recorder cannot go on; the next call throws the same.
    public var failed: @Sendable (SnapshotError) -> Void = { _ in }

    /// An observer that does nothing.
    public init() {}
  }

  private let tables: [TableDescription]
  /// Schedule of each table, where it has one here.
  private let schedules: [Schedule?]
  private let leavesOutFaultyRows: Bool
  private let queue: WriteQueue
  /// The last step of the session before, where a recording was resumed.
  public let resumedAfter: StepDescription?

  /// Starts a recording.
  ///
  /// - Parameter observer: who is told of commits.
  /// - Throws: `SnapshotError` as `Writer.init` does.
  public convenience init(
    path: String, run: RunDescription, tables: [Table], options: Options = Options(),
    observer: Observer = Observer()
  ) throws(SnapshotError) {
    try self.init(
      path: path, run: run, descriptions: Self.descriptions(tables, options),
      schedules: tables.map(\.schedule), options: options, observer: observer)
  }

  /// Starts a recording of tables that are described as files have them.
  package convenience init(
    path: String, run: RunDescription, descriptions: [TableDescription],
    schedules: [Schedule?] = [], options: Options, observer: Observer = Observer()
  ) throws(SnapshotError) {
    let writer = try Writer(
      path: path, run: run, tables: descriptions, compression: options.compression,
      synchronization: options.synchronization, rank: options.rank,
      recordsFrozenLayers: options.recordsFrozenLayers, force: options.force)
    self.init(writer, schedules, options, observer)
  }

  /// Goes on with a recording that was interrupted, or whose process died: steps are numbered on.
  ///
  /// - Parameters:
  ///   - started: when this session began: ISO 8601, UTC.
  ///   - tables: as they were declared at the start.
  /// - Throws: `SnapshotError` as `Writer.init(resuming:)` does; `mismatch` for other tables.
  public convenience init(
    resuming path: String, started: String, tables: [Table], options: Options = Options(),
    observer: Observer = Observer()
  ) throws(SnapshotError) {
    try self.init(
      resuming: path, started: started, descriptions: Self.descriptions(tables, options),
      schedules: tables.map(\.schedule), options: options, observer: observer)
  }

  /// Goes on with a recording of tables that are described as files have them.
  package convenience init(
    resuming path: String, started: String, descriptions: [TableDescription],
    schedules: [Schedule?] = [], options: Options, observer: Observer = Observer()
  ) throws(SnapshotError) {
    let writer = try Writer(
      resuming: path, started: started, synchronization: options.synchronization,
      rank: options.rank)
    guard writer.tables == descriptions else {
      try writer.close(.interrupted)
      throw SnapshotError(
        code: .mismatch, file: path, object: "/tables",
        message: "expected the tables that the recording began with, found others",
        remedy: "Resume with the options of the first session.")
    }
    self.init(writer, schedules, options, observer)
  }

  private init(
    _ writer: Writer, _ schedules: [Schedule?], _ options: Options, _ observer: Observer
  ) {
    tables = writer.tables
    self.schedules = schedules
    leavesOutFaultyRows = options.leavesOutFaultyRows
    resumedAfter = writer.resumedAfter
    // Only now are widths and nonzeros known to be sound.
    let sketches = writer.tables.map { table in
      table.streams.map { stream in
        stream.sketch.map { Sketch($0, inputs: stream.elements) }
      }
    }
    queue = WriteQueue(
      writer: writer, sketches: sketches, capacity: options.queueBytes, observer: observer)
  }

  /// What files will say about the tables.
  private static func descriptions(_ tables: [Table], _ options: Options) -> [TableDescription] {
    tables.map { table in
      let streams = table.streams.map { stream in
        var description = stream.description
        if let width = options.sketchWidth, description.sketch == nil,
          case .gradient = description.kind, description.elements > width
        {
          description.sketch = SketchDescriptor(
            width: width, nonzeros: options.sketchNonzeros, seed: options.sketchSeed)
        }
        return description
      }
      return TableDescription(
        name: table.name, unit: table.unit, mode: table.mode,
        schedule: table.schedule?.json,
        columns: table.columns, streams: streams)
    }
  }

  deinit { queue.abandon() }

  /// Whether a table's schedule includes a step; ask before computing gradients for it.
  public func wants(_ step: Int, table: Int) -> Bool { schedules[table]?.includes(step) ?? true }

  /// Hands over one step's full rows; returns once they are queued.
  ///
  /// - Parameter rows: for each table that took part, its records and values; those of a sketched stream may be
  ///   sketched already: `width` numbers a row, not `elements`.
  /// - Returns: rows that were left out; 0 unless `Options.leavesOutFaultyRows`.
  /// - Throws: `rowMismatch` for rows that do not fit their table; or what stopped the writing side.
  @discardableResult
  public func record(_ step: StepDescription, rows: [TableRows]) throws(SnapshotError) -> Int {
    var rows = rows
    var leftOut = 0
    for position in rows.indices {
      try requireShape(of: rows[position])
      leftOut += try removeFaults(from: &rows[position])
    }
    let isEmpty = rows.allSatisfy { $0.records.isEmpty }
    // A step that has lost all its rows is none.
    if leftOut == 0 || !isEmpty { try queue.push(step, rows) }
    return leftOut
  }

  private func requireShape(of part: TableRows) throws(SnapshotError) {
    guard tables.indices.contains(part.table) else {
      throw queue.mismatch("/tables", "expected one of \(tables.count) tables, found \(part.table)")
    }
    let table = tables[part.table]
    guard part.values.count == table.streams.count else {
      throw queue.mismatch(
        table.name, "expected \(table.streams.count) streams, found \(part.values.count)")
    }
    for (position, (stream, values)) in zip(table.streams, part.values).enumerated() {
      let rows = part.records.count
      guard
        values.count == rows * stream.elements
          || queue.isSketched(values, rows: rows, stream: position, table: part.table)
      else {
        throw queue.mismatch(
          "\(table.name)/\(stream.name)",
          "expected \(rows) rows of shape \(stream.shape), found \(values.count) numbers")
      }
    }
  }

  /// Numbers that a file may not hold: an error, or rows that are left out; how many.
  private func removeFaults(from part: inout TableRows) throws(SnapshotError) -> Int {
    guard !leavesOutFaultyRows else { return part.removeFaultyRows() }
    let table = tables[part.table]
    for (stream, values) in zip(table.streams, part.values) {
      guard let fault = values.firstFault else { continue }
      throw queue.mismatch(
        "\(table.name)/\(stream.name)",
        "expected finite numbers, and labels from 0, found \(fault.value) in row \(fault.index / max(1, stream.elements))"
      )
    }
    return 0
  }

  /// Steps that are written and committed.
  public var committedSteps: Int { queue.progress.committedSteps }
  /// How far the recording is.
  public var progress: Progress { queue.progress }

  /// Writes what is queued and gives the file its name.
  ///
  /// - Parameter captures: what the file says about how it was recorded.
  /// - Throws: what stopped the writing side. If anything could be kept, the file then exists with status
  ///   `interrupted` and every step committed before the error.
  public func close(
    _ status: RunStatus = .complete, captures: [CaptureReport] = []
  ) throws(SnapshotError) {
    try queue.close(status, captures: captures)
  }

  /// Ends without a file.
  package func discard() { queue.discard() }
}
