private import Foundation
internal import HDF5

/// Reads one snapshot: descriptions at once, rows in blocks on request, never the whole file.
///
/// Only committed steps exist for a reader. A snapshot that is still being recorded, or whose recorder died, is read from
/// the journal beside it; `refresh` follows it. Links out of the file, foreign filters and sizes beyond the limits of
/// the specification are refused. Not thread-safe: one caller at a time.
public final class Reader {
  private(set) var declaration: Declaration
  private(set) var contents: Contents
  private(set) var source: any RowSource

  /// Path that was opened.
  public let path: String
  /// How recording ended; `recording` while it goes on.
  public private(set) var status: RunStatus
  /// What the file says about its run.
  public var run: RunDescription { declaration.run }
  /// Version of the format, `major.minor`.
  public var version: String { declaration.version.description }
  /// Stretches of recording, each by one process.
  public var sessions: [Session] { declaration.sessions }
  /// How the training processes were recorded; empty while recording goes on, and where the file does not say.
  public var captures: [CaptureReport] { declaration.captures }
  /// The committed steps, in order.
  public var steps: [StepDescription] { contents.steps }
  /// The tables, in order.
  public var tables: [TableDescription] { declaration.tables }
  /// Names of the model's layers, in order.
  public var layers: [String] { declaration.json.layers ?? [] }

  /// Opens a snapshot and reads what it declares.
  ///
  /// - Parameter path: the file; where it does not exist but its journal does, or where the journal itself is named, the
  ///   growing snapshot.
  /// - Throws: `SnapshotError`: `notFound`, `notOurs`, `newerVersion`, `olderVersion`, `truncated`, `permission`, or
  ///   `invalid` with the first requirement that is broken.
  public init(path: String) throws(SnapshotError) {
    let opened = try Opened(path)
    self.path = path
    if let breach = opened.breaches.first {
      throw SnapshotError(
        code: .invalid, file: path, object: breach.object, message: breach.message,
        remedy: "List every fault with ptoken-inspect validate.", requirement: breach.requirement)
    }
    declaration = opened.declaration
    contents = opened.contents
    source = opened.source
    status = opened.status
  }

  /// Takes in what was committed since; true if there were new steps, or if recording has ended.
  ///
  /// Does nothing on a finished file. Steps never become fewer, and come in order.
  public func refresh() throws(SnapshotError) -> Bool {
    guard let growing = source as? JournalSource, status == .recording else { return false }
    let before = (contents.steps.count, status)
    let journalPath = growing.journal.path
    // Asked first: a recorder that ends after this is noticed the next time.
    let isAlive = JournalReader.isLocked(journalPath)
    let current = JournalReader.id(of: journalPath)
    if current == growing.journal.head.id, try growing.advance() {
      try take(ContentsLoader(declaration, growing, after: contents))
      status = isAlive ? .recording : .crashed
    } else if let current, current != growing.journal.head.id,
      let next = try? JournalReader(path: journalPath),
      let fresh = try? JournalSource(journal: next)
    {
      try requireSuccessor(next.declaration.run, steps: next.steps)
      // A new journal took its place: the old one was long, or a recorder goes on with the run.
      try take(ContentsLoader(declaration, fresh, after: contents))
      source = fresh
      status = isAlive ? .recording : .crashed
    } else {
      // The journal is gone, or its store: the file has its name.
      let opened = try Opened(Names.snapshot(of: journalPath))
      try requireSuccessor(opened.declaration.run, steps: opened.contents.steps.count)
      declaration = opened.declaration
      contents = opened.contents
      source = opened.source
      status = opened.status
    }
    return before != (contents.steps.count, status)
  }

  /// Refuses what another recording has put under the name.
  private func requireSuccessor(_ other: RunDescription, steps count: Int) throws(SnapshotError) {
    guard other.id == run.id, count >= steps.count else {
      throw SnapshotError(
        code: .notFound, file: path, message: "the recording that was followed is gone")
    }
  }

  private func take(_ loader: ContentsLoader) throws(SnapshotError) {
    if let breach = loader.breaches.first {
      throw SnapshotError(
        code: .invalid, file: path, object: breach.object, message: breach.message,
        requirement: breach.requirement)
    }
    contents = loader.contents
  }

  /// Rows of a table.
  public func rowCount(ofTable table: Int) -> Int {
    contents.tables[table].last?.rows.upperBound ?? 0
  }

  /// The steps that a table has rows of: row of `steps`, and rows of the table.
  public func stepRanges(ofTable table: Int) -> [(step: Int, rows: Range<Int>)] {
    contents.tables[table].map { ($0.step, $0.rows) }
  }

  /// Record ids of a range of rows.
  public func records(ofTable table: Int, rows: Range<Int>) throws(SnapshotError) -> [RecordID] {
    RecordID.list(try source.read(layout(table).record, rows: rows))
  }

  /// Ranks that produced a range of rows.
  public func ranks(ofTable table: Int, rows: Range<Int>) throws(SnapshotError) -> [UInt16] {
    try source.read(layout(table).rank, rows: rows)
  }

  /// Weights in the aggregate of a range of rows; nil where the table has none.
  public func weights(ofTable table: Int, rows: Range<Int>) throws(SnapshotError) -> [Double]? {
    guard let column = layout(table).weight else { return nil }
    return try source.read(column, rows: rows, as: Double.self)
  }

  /// Local steps behind a range of rows; nil where the table does not say.
  public func localSteps(ofTable table: Int, rows: Range<Int>) throws(SnapshotError) -> [UInt32]? {
    guard let column = layout(table).localSteps else { return nil }
    return try source.read(column, rows: rows, as: UInt32.self)
  }

  /// Members of all rows of a table: its row, the example's id and weight of each; nil where the table has none.
  public func members(
    ofTable table: Int
  ) throws(SnapshotError) -> [(row: Int, record: RecordID, weight: Double)]? {
    guard let columns = layout(table).members else { return nil }
    let rows = 0..<contents.members[table]
    let owners: [UInt32] = try source.read(columns.observation, rows: rows)
    let records = RecordID.list(try source.read(columns.record, rows: rows))
    let weights: [Double] = try source.read(columns.weight, rows: rows)
    return rows.map { (Int(owners[$0]), records[$0], weights[$0]) }
  }

  /// Values of a gradient, feature or scalar stream: row-major [rows.count, width].
  public func values(
    ofStream stream: Int, table: Int, rows: Range<Int>
  ) throws(SnapshotError) -> [Float] {
    try source.read(layout(table).streams[stream], rows: rows)
  }

  /// Values of a label stream: row-major [rows.count, width].
  public func labels(
    ofStream stream: Int, table: Int, rows: Range<Int>
  ) throws(SnapshotError) -> [Int32] {
    try source.read(layout(table).streams[stream], rows: rows)
  }

  /// Passes a range of a stream's rows to `body` in blocks, so that memory stays bounded.
  ///
  /// - Parameters:
  ///   - blockRows: most rows per block.
  ///   - body: receives the rows' range and their values, row-major.
  public func forEachBlock(
    ofStream stream: Int, table: Int, rows: Range<Int>, blockRows: Int = 1024,
    _ body: (Range<Int>, [Float]) throws -> Void
  ) throws {
    for start in stride(from: rows.lowerBound, to: rows.upperBound, by: max(1, blockRows)) {
      let range = start..<min(start + max(1, blockRows), rows.upperBound)
      try body(range, try values(ofStream: stream, table: table, rows: range))
    }
  }

  /// Share of the model's parameters whose gradients a table records; nil if the model has none.
  public func parameterShare(ofTable table: Int) -> Double? {
    guard let all = declaration.json.parameters, all > 0 else { return nil }
    let recorded = Set(tables[table].streams.compactMap(\.kind.layer))
    let sum = recorded.reduce(0) { $0 + (declaration.json.layerParameters[$1] ?? 0) }
    return Double(sum) / Double(all)
  }

  /// How a stream lies in the file.
  public func storage(ofStream stream: Int, table: Int) throws(SnapshotError) -> StreamStorage {
    let column = layout(table).streams[stream]
    let storage = try source.storage(column)
    return StreamStorage(
      object: source.columns[column].path, storedBytes: storage.storedBytes,
      payloadBytes: rowCount(ofTable: table) * tables[table].streams[stream].width * 4,
      filters: storage.filters.map(\.description), chunkRows: storage.chunkRows)
  }

  private func layout(_ table: Int) -> Layout.Table { declaration.layout.tables[table] }
}

/// How a stream lies in the file.
public struct StreamStorage: Sendable {
  /// Path of the dataset.
  public var object: String
  /// Bytes of its chunks after compression.
  public var storedBytes: Int
  /// Bytes of its rows before compression.
  public var payloadBytes: Int
  /// Filters in writing order.
  public var filters: [String]
  /// Rows of a chunk; 0 where the dataset is not chunked.
  public var chunkRows: Int
}
