internal import HDF5

/// Reads one snapshot file: descriptions at once, rows in blocks on request, never the whole file.
///
/// Only committed steps exist for a reader. Links out of the file, foreign filters and sizes beyond the limits of
/// the specification are refused. Not thread-safe: one caller at a time.
public final class Reader {
  private let decoder: Decoder
  private let contents: Contents

  /// Path that was opened.
  public var path: String { decoder.file.file }
  /// What the file says about its run.
  public var run: RunDescription { contents.run }
  /// How recording ended.
  public var status: RunStatus { contents.status! }
  /// The committed steps, in order.
  public var steps: [StepDescription] { contents.steps }
  /// The tables, in order.
  public let tables: [TableDescription]

  /// Opens a file and reads what it declares.
  ///
  /// - Throws: `SnapshotError`: `notFound`, `notOurs`, `newerVersion`, `truncated`, `permission`, or `invalid`
  ///   with the first requirement that is broken.
  public init(path: String) throws(SnapshotError) {
    var decoder = try Decoder(path: path)
    contents = decoder.decode()
    if let breach = decoder.breaches.first {
      throw SnapshotError(
        code: .invalid, file: path, object: breach.object, message: breach.message,
        remedy: "List every fault with ptoken-inspect validate.", requirement: breach.requirement)
    }
    tables = contents.tables.map(\.description)
    self.decoder = decoder
  }

  /// Rows of a table.
  public func rowCount(ofTable table: Int) -> Int {
    contents.tables[table].steps.last?.rows.upperBound ?? 0
  }

  /// The steps that a table has rows of: row of `steps`, and rows of the table.
  public func stepRanges(ofTable table: Int) -> [(step: Int, rows: Range<Int>)] {
    contents.tables[table].steps.map { ($0.step, $0.rows) }
  }

  /// Record ids of a range of rows.
  public func records(ofTable table: Int, rows: Range<Int>) throws(SnapshotError) -> [RecordID] {
    let bytes = try translating { () throws(HDF5Error) in
      try decoder.file.group(Names.tables).group(Names.numbered("T", table))
        .group(Names.observations).dataset(Names.record)
        .read(UInt8.self, start: [rows.lowerBound, 0], count: [rows.count, RecordID.size])
    }
    return (0..<rows.count).map {
      RecordID(bytes[$0 * RecordID.size..<($0 + 1) * RecordID.size])
    }
  }

  /// Ranks that produced a range of rows.
  public func ranks(ofTable table: Int, rows: Range<Int>) throws(SnapshotError) -> [UInt16] {
    try translating { () throws(HDF5Error) in
      try decoder.file.group(Names.tables).group(Names.numbered("T", table))
        .group(Names.observations).dataset(Names.rank)
        .read(UInt16.self, start: [rows.lowerBound], count: [rows.count])
    }
  }

  /// Values of a gradient, feature or scalar stream: row-major [rows.count, width].
  public func values(
    ofStream stream: Int, table: Int, rows: Range<Int>
  ) throws(SnapshotError) -> [Float] {
    try read(stream, table, rows)
  }

  /// Values of a label stream: row-major [rows.count, width].
  public func labels(
    ofStream stream: Int, table: Int, rows: Range<Int>
  ) throws(SnapshotError) -> [Int32] {
    try read(stream, table, rows)
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

  private func read<T: Element>(
    _ stream: Int, _ table: Int, _ rows: Range<Int>
  ) throws(SnapshotError) -> [T] {
    let width = tables[table].streams[stream].width
    return try translating { () throws(HDF5Error) in
      try dataset(stream, table).read(
        T.self, start: [rows.lowerBound, 0], count: [rows.count, width])
    }
  }

  private func dataset(_ stream: Int, _ table: Int) throws(HDF5Error) -> Dataset {
    try decoder.file.group(Names.tables).group(Names.numbered("T", table)).group(Names.streams)
      .dataset(contents.tables[table].objects[stream])
  }

  /// How a stream lies in the file.
  public func storage(ofStream stream: Int, table: Int) throws(SnapshotError) -> StreamStorage {
    try translating { () throws(HDF5Error) in
      let dataset = try dataset(stream, table)
      return StreamStorage(
        object: dataset.path, storedBytes: dataset.storedBytes,
        payloadBytes: rowCount(ofTable: table) * tables[table].streams[stream].width * 4,
        filters: dataset.filters.map(\.description), chunkRows: dataset.chunkShape?.first ?? 0)
    }
  }
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
  /// Rows of a chunk.
  public var chunkRows: Int
}
