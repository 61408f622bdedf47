private import Foundation
public import SnapshotFormat

/// Records a training run into a snapshot file, off the caller's thread.
///
/// Declare tables and streams once; then, for each step that `wants(_:table:)`, pass its description and full rows to `record`:
/// wide gradients are sketched and written on the recorder's own thread. `record` waits only when the bounded
/// queue is full. An error of the writing side is thrown by the next call; the run's committed steps are kept.
/// A recorder that is dropped without `close` leaves no file.
public final class Recorder: Sendable {
  /// How a stream is declared.
  public struct Stream: Sendable {
    /// What files will say, apart from the sketch.
    public var description: StreamDescription

    /// A gradient of one layer; `shape` is that of one observation's gradient.
    public static func gradient(
      layer: String, stage: GradientStage = .raw, shape: [Int]
    ) -> Stream {
      Stream(
        description: StreamDescription(
          name: layer, kind: .gradient(layer: layer, stage: stage), shape: shape))
    }

    /// A data feature: an input, activation or embedding.
    public static func feature(_ name: String, shape: [Int]) -> Stream {
      Stream(description: StreamDescription(name: name, kind: .feature, shape: shape))
    }

    /// Class labels.
    public static func label(_ name: String, shape: [Int] = [1]) -> Stream {
      Stream(description: StreamDescription(name: name, kind: .label, shape: shape))
    }

    /// A number of each observation, such as its loss.
    public static func scalar(_ name: String) -> Stream {
      Stream(description: StreamDescription(name: name, kind: .scalar, shape: [1]))
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
    /// Which steps are recorded.
    public var schedule: Schedule
    /// The streams.
    public var streams: [Stream]

    /// A table declaration from its parts.
    public init(
      name: String, unit: ObservationUnit = .example, mode: StepMode,
      schedule: Schedule = Schedule(), streams: [Stream]
    ) {
      self.name = name
      self.unit = unit
      self.mode = mode
      self.schedule = schedule
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
    /// Most bytes that may wait to be written; at least one step is always admitted.
    public var queueBytes: Int
    /// Replace an existing file.
    public var force: Bool

    /// Options; the defaults are those of `ptoken-record`.
    public init(
      sketchWidth: Int? = 256, sketchNonzeros: Int = 4, sketchSeed: UInt64 = 0,
      compression: Writer.Compression = .zstd, queueBytes: Int = 64 << 20, force: Bool = false
    ) {
      self.sketchWidth = sketchWidth
      self.sketchNonzeros = sketchNonzeros
      self.sketchSeed = sketchSeed
      self.compression = compression
      self.queueBytes = queueBytes
      self.force = force
    }
  }

  private let tables: [Table]
  private let queue: WriteQueue

  /// Starts a recording.
  ///
  /// - Throws: `SnapshotError` as `Writer.init` does.
  public init(
    path: String, run: RunDescription, tables: [Table], options: Options = Options()
  ) throws(SnapshotError) {
    var descriptions: [TableDescription] = []
    for table in tables {
      var streams: [StreamDescription] = []
      for stream in table.streams {
        var description = stream.description
        if let width = options.sketchWidth, case .gradient = description.kind,
          description.elements > width
        {
          description.sketch = SketchDescriptor(
            width: width, nonzeros: options.sketchNonzeros, seed: options.sketchSeed)
        }
        streams.append(description)
      }
      descriptions.append(
        TableDescription(name: table.name, unit: table.unit, mode: table.mode, streams: streams))
    }
    self.tables = tables
    let writer = try Writer(
      path: path, run: run, tables: descriptions, compression: options.compression,
      force: options.force)
    // Only now are widths and nonzeros known to be sound.
    let sketches = descriptions.map { table in
      table.streams.map { stream in
        stream.sketch.map { Sketch($0, inputs: stream.elements) }
      }
    }
    queue = WriteQueue(writer: writer, sketches: sketches, capacity: options.queueBytes)
  }

  deinit { queue.abandon() }

  /// Whether a table's schedule includes a step; ask before computing gradients for it.
  public func wants(_ step: Int, table: Int) -> Bool { tables[table].schedule.includes(step) }

  /// Hands over one step's full rows; returns once they are queued.
  ///
  /// - Parameter rows: for each table that took part, its records and unsketched values.
  /// - Throws: `rowMismatch` for rows that do not fit their table; or what stopped the writing side.
  public func record(_ step: StepDescription, rows: [TableRows]) throws(SnapshotError) {
    for part in rows {
      guard tables.indices.contains(part.table) else {
        throw queue.mismatch(
          "/tables", "expected one of \(tables.count) tables, found \(part.table)")
      }
      let table = tables[part.table]
      guard part.values.count == table.streams.count else {
        throw queue.mismatch(
          table.name, "expected \(table.streams.count) streams, found \(part.values.count)")
      }
      for (stream, values) in zip(table.streams, part.values) {
        if let fault = values.firstFault {
          throw queue.mismatch(
            "\(table.name)/\(stream.description.name)",
            "expected finite numbers, and labels from 0, found \(fault.value) in row \(fault.index / max(1, stream.description.elements))"
          )
        }
        let expected = part.records.count * stream.description.elements
        guard values.count == expected else {
          throw queue.mismatch(
            "\(table.name)/\(stream.description.name)",
            "expected \(part.records.count) rows of shape \(stream.description.shape), "
              + "found \(values.count) numbers")
        }
      }
    }
    try queue.push(step, rows)
  }

  /// Steps that are written and committed.
  public var committedSteps: Int { queue.committedSteps }

  /// Writes what is queued and gives the file its name.
  ///
  /// - Throws: what stopped the writing side. If anything could be kept, the file then exists with status
  ///   `interrupted` and every step committed before the error.
  public func close(_ status: RunStatus = .complete) throws(SnapshotError) {
    try queue.close(status)
  }
}
