private import Foundation
internal import HDF5

/// Writes one snapshot file, step by step.
///
/// A step is appended whole or not at all. The file appears under its name when it is closed; a writer that is
/// dropped without `close` leaves nothing behind. Not thread-safe: one caller at a time.
public final class Writer {
  /// How streams are compressed. Columns of steps and observations are always zstd.
  public enum Compression: String, Sendable, CaseIterable {
    /// Chunks as they are.
    case none
    /// Shuffle and zlib's deflate at level 4; for readers without Zstandard.
    case deflate
    /// Shuffle and Zstandard at level 3.
    case zstd

    var filters: [Filter] {
      switch self {
      case .none: [.fletcher32]
      case .deflate: [.shuffle, .deflate(4), .fletcher32]
      case .zstd: [.shuffle, .zstd(3), .fletcher32]
      }
    }
  }

  /// Name that the file will have once it is closed.
  public let path: String
  private var output: ReplacingFile?
  private var file: File?
  private var reserve: SpaceReserve?
  private var steps: Steps?
  private(set) var tables: [Table] = []
  private(set) var lastIndex = Int.min
  /// Set when a step could be written only in part: nothing may follow it.
  private var isTorn = false

  /// Steps committed so far.
  public private(set) var committedSteps = 0

  /// Starts a file.
  ///
  /// - Parameters:
  ///   - path: name that the file will have once it is closed.
  ///   - force: replace an existing file.
  /// - Throws: `SnapshotError`: `exists`, `notFound`, `permission`, `noSpace`; `invalid` for a description
  ///   that the specification does not allow.
  public init(
    path: String, run: RunDescription, tables: [TableDescription],
    compression: Compression = .zstd, force: Bool = false
  ) throws(SnapshotError) {
    self.path = path
    try DescriptionRules.check(run: run, tables: tables, file: path)
    let output = try ReplacingFile(path, force: force)
    do throws(HDF5Error) {
      let file = try File.create(at: output.temporary, overwrite: true)
      do throws(HDF5Error) {
        try describe(run, tables, in: file, filters: compression.filters)
      } catch {
        // Datasets must be closed before their file.
        steps = nil
        self.tables = []
        throw error
      }
      self.file = consume file
    } catch {
      throw SnapshotError(error).naming(path)
    }
    reserve = try SpaceReserve(
      beside: output.temporary, for: path,
      bytes: self.tables.reduce(steps!.reserveBytes) { $0 + $1.reserveBytes })
    self.output = consume output
  }

  private func describe(
    _ run: RunDescription, _ tables: [TableDescription], in file: borrowing File, filters: [Filter]
  ) throws(HDF5Error) {
    try file.setAttribute(Names.format, Names.snapshotFormat)
    try file.setAttribute(Names.versionAttribute, Names.version.description)
    try file.setAttribute(Names.runID, run.id)
    try file.setAttribute(Names.created, run.created)
    try file.setAttribute(Names.producer, run.producer)
    try file.write(Names.model, Array(run.model.utf8))
    try file.write(Names.training, Array(run.training.utf8))
    try createSteps(in: file)
    let group = try file.createGroup(Names.tables)
    for (number, table) in tables.enumerated() {
      try create(table, number, in: group, filters: filters)
    }
    // On disk while there is room: what is still to be written then fits the reserve.
    try file.flush()
  }

  private func createSteps(in file: borrowing File) throws(HDF5Error) {
    let group = try file.createGroup(Names.steps)
    let filters = Compression.zstd.filters
    steps = Steps(
      index: try ColumnWriter(Names.index, in: group, width: nil, filters: filters),
      epoch: try ColumnWriter(Names.epoch, in: group, width: nil, filters: filters),
      time: try ColumnWriter(Names.time, in: group, width: nil, filters: filters),
      loss: try ColumnWriter(Names.loss, in: group, width: nil, filters: filters),
      learningRate: try ColumnWriter(Names.learningRate, in: group, width: nil, filters: filters),
      mode: try ColumnWriter(Names.mode, in: group, width: nil, filters: filters))
    try steps!.time.dataset.setAttribute(Names.unit, "s")
    try steps!.mode.dataset.setAttribute("values", "0 probe, 1 trace")
  }

  private func create(
    _ table: TableDescription, _ number: Int, in parent: borrowing Group, filters: [Filter]
  ) throws(HDF5Error) {
    let group = try parent.createGroup(Names.numbered("T", number))
    try group.setAttribute(Names.name, table.name)
    try group.setAttribute(Names.unit, table.unit.rawValue)
    try group.setAttribute(Names.mode, table.mode.description)
    let observations = try group.createGroup(Names.observations)
    let zstd = Compression.zstd.filters
    let streamGroup = try group.createGroup(Names.streams)
    var streams: [Stream] = []
    for (position, stream) in table.streams.enumerated() {
      let name = Names.numbered(stream.prefix, position)
      if stream.kind == .label {
        let column = try ColumnWriter<Int32>(
          name, in: streamGroup, width: stream.width, filters: filters)
        try Self.describe(stream, on: column.dataset)
        streams.append(.label(column))
      } else {
        let column = try ColumnWriter<Float>(
          name, in: streamGroup, width: stream.width, filters: filters)
        try Self.describe(stream, on: column.dataset)
        streams.append(.float(column))
      }
    }
    tables.append(
      Table(
        description: table,
        step: try ColumnWriter(Names.step, in: observations, width: nil, filters: zstd),
        record: try ColumnWriter(
          Names.record, in: observations, width: RecordID.size, filters: zstd),
        rank: try ColumnWriter(Names.rank, in: observations, width: nil, filters: zstd),
        streams: streams))
  }

  private static func describe(
    _ stream: StreamDescription, on dataset: borrowing Dataset
  ) throws(HDF5Error) {
    try dataset.setAttribute(Names.name, stream.name)
    try dataset.setAttribute(Names.shape, stream.shape.map { UInt64($0) })
    switch stream.kind {
    case .gradient(let layer, let stage):
      try dataset.setAttribute(Names.kind, "gradient")
      try dataset.setAttribute(Names.layer, layer)
      try dataset.setAttribute(Names.stage, stage.rawValue)
    case .feature: try dataset.setAttribute(Names.kind, "feature")
    case .label: try dataset.setAttribute(Names.kind, "label")
    case .scalar: try dataset.setAttribute(Names.kind, "scalar")
    }
    if let sketch = stream.sketch {
      try dataset.setAttribute(Names.sketch, "sparse-sign")
      try dataset.setAttribute(Names.sketchSeed, sketch.seed)
      try dataset.setAttribute(Names.sketchNonzeros, UInt32(sketch.nonzeros))
    } else {
      try dataset.setAttribute(Names.sketch, "none")
    }
  }

  /// Appends and commits one step with the rows of the tables that took part.
  ///
  /// - Throws: `rowMismatch` before anything is written, if rows do not fit their table;
  ///   `noSpace` or `failed` if the file cannot grow: then `close(.interrupted)` keeps the earlier steps.
  public func append(_ step: StepDescription, rows: [TableRows]) throws(SnapshotError) {
    guard steps != nil else {
      throw SnapshotError(code: .failed, file: path, message: "the file is closed")
    }
    guard committedSteps < Limits.steps else {
      throw SnapshotError(
        code: .failed, file: path, message: "expected at most \(Limits.steps) steps",
        remedy: "Start another file.")
    }
    guard !isTorn else {
      throw SnapshotError(
        code: .failed, file: path, message: "an earlier step could not be written",
        remedy: "Close the file: every committed step is kept.")
    }
    try check(step, rows)
    do throws(HDF5Error) {
      for part in rows { try append(part, stepRow: UInt32(committedSteps)) }
      try steps!.append(step)
    } catch {
      isTorn = true
      throw SnapshotError(error).naming(path)
    }
    for part in rows { tables[part.table].commit() }
    steps!.commit()
    committedSteps += 1
    lastIndex = step.index
  }

  private func append(_ part: TableRows, stepRow: UInt32) throws(HDF5Error) {
    let table = tables[part.table]
    let count = part.records.count
    for (stream, values) in zip(table.streams, part.values) {
      switch (stream, values) {
      case (.float(let column), .float(let numbers)): try column.append(numbers)
      case (.label(let column), .label(let numbers)): try column.append(numbers)
      default: preconditionFailure("excluded by check")
      }
    }
    try table.step.append(repeatElement(stepRow, count: count))
    try table.record.append(part.records.flatMap(\.bytes))
    try table.rank.append(repeatElement(part.rank, count: count))
  }

  /// Finishes the file and gives it its name.
  ///
  /// After a failed `append` this keeps every committed step and drops the torn one.
  ///
  /// - Throws: `noSpace` or `failed`; then nothing is left behind.
  public func close(_ status: RunStatus = .complete) throws(SnapshotError) {
    guard steps != nil else { return }
    reserve = nil
    do throws(HDF5Error) {
      for table in tables { try table.finish() }
      try steps!.finish()
      // Datasets must be closed before their file.
      steps = nil
      tables = []
      try finishFile(status)
    } catch {
      discard()
      throw SnapshotError(error).naming(path)
    }
    try output.take()?.commit()
  }

  private func finishFile(_ status: RunStatus) throws(HDF5Error) {
    guard let file = file.take() else { return }
    try file.write(Names.commit, [UInt64(committedSteps)])
    try file.setAttribute(Names.status, status.rawValue)
    try file.close()
  }

  private func discard() {
    steps = nil
    tables = []
    file = nil
    output = nil
    reserve = nil
  }

  deinit { discard() }
}

extension SnapshotError {
  /// The same error about the name that the user gave, not the temporary one.
  func naming(_ path: String) -> SnapshotError {
    var error = self
    error.file = path
    return error
  }
}
