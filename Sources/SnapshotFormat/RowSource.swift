internal import HDF5

/// Where the rows of a snapshot's columns come from: a finished file, or the journal of a growing one.
///
/// Columns go by their position in a `Layout`.
protocol RowSource: AnyObject {
  /// Path of the file, for messages.
  var path: String { get }
  /// The columns.
  var columns: [Column] { get }
  /// Rows that a column has.
  func rowCount(_ column: Int) throws(SnapshotError) -> Int
  /// Reads rows, row-major, into exactly as many bytes as they have.
  func read(
    _ column: Int, rows: Range<Int>, into buffer: UnsafeMutableRawBufferPointer
  ) throws(SnapshotError)
  /// A whole chunk in its stored form, with the mask of filters that were skipped; nil if its rows are not stored so.
  func storedChunk(
    _ column: Int, row: Int
  ) throws(SnapshotError) -> (bytes: [UInt8], mask: UInt32)?
  /// How a column lies in the file.
  func storage(_ column: Int) throws(SnapshotError) -> ColumnStorage
}

/// How a column lies in its file.
struct ColumnStorage {
  var storedBytes: Int
  var filters: [Filter]
  /// 0 where the dataset is not chunked.
  var chunkRows: Int
}

extension RowSource {
  /// Rows as numbers, row-major [rows.count, width].
  func read<T: Element>(
    _ column: Int, rows: Range<Int>, as type: T.Type = T.self
  ) throws(SnapshotError) -> [T] {
    precondition(columns[column].type == T.elementType, "a column read as another type")
    return try load(column, rows)
  }

  /// Rows as they are in memory, row-major.
  func bytes(_ column: Int, rows: Range<Int>) throws(SnapshotError) -> [UInt8] {
    try load(column, rows)
  }

  private func load<T: BitwiseCopyable>(
    _ column: Int, _ rows: Range<Int>
  ) throws(SnapshotError) -> [T] {
    let available = try rowCount(column)
    guard rows.lowerBound >= 0, rows.upperBound <= available else {
      throw SnapshotError(
        code: .invalid, file: path, object: columns[column].path,
        message: "expected rows \(rows.lowerBound) to \(rows.upperBound), found \(available)")
    }
    let count = rows.count * columns[column].rowBytes / MemoryLayout<T>.stride
    var failure: SnapshotError?
    let values = [T](unsafeUninitializedCapacity: count) { buffer, initialized in
      let bytes = UnsafeMutableRawBufferPointer(
        rebasing: UnsafeMutableRawBufferPointer(buffer)[..<(count * MemoryLayout<T>.stride)])
      do throws(SnapshotError) {
        if count > 0 { try read(column, rows: rows, into: bytes) }
        initialized = count
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return values
  }

  /// Passes rows on in blocks, until the body says false.
  func forEachBlock<T: Element>(
    _ column: Int, rows: Range<Int>, as type: T.Type = T.self,
    _ body: (Range<Int>, [T]) throws(SnapshotError) -> Bool
  ) throws(SnapshotError) {
    for part in columns[column].blocks(rows) {
      guard try body(part, read(column, rows: part, as: T.self)) else { return }
    }
  }

  /// Passes all rows on as bytes, nil for those that cannot be read: chunks, where a block cannot be read whole.
  func forEachReadable(
    _ column: Int, rows: Range<Int>, _ body: (Range<Int>, [UInt8]?) throws(SnapshotError) -> Void
  ) throws(SnapshotError) {
    for block in columns[column].blocks(rows) {
      if let values = try? bytes(column, rows: block) {
        try body(block, values)
        continue
      }
      for chunk in block.split(every: max(1, columns[column].chunkRows)) {
        try body(chunk, try? bytes(column, rows: chunk))
      }
    }
  }

  /// Rows of a column that cannot be read: whole chunks, in order.
  func damagedRows(_ column: Int, rows: Range<Int>) throws(SnapshotError) -> [Range<Int>] {
    var damaged: [Range<Int>] = []
    try forEachReadable(column, rows: rows) { rows, values in
      if values == nil { damaged.append(rows) }
    }
    return damaged
  }
}

extension Column {
  /// Rows of a block.
  var blockRows: Int { Block.rows(rowBytes: rowBytes, chunkRows: chunkRows) }

  /// The blocks that rows lie in.
  func blocks(_ rows: Range<Int>) -> some Sequence<Range<Int>> { rows.split(every: blockRows) }
}

/// What is read at a time of a dataset that need not fit in memory.
package enum Block {
  /// Rows of about 4 MiB: whole chunks, so that none is decoded twice.
  package static func rows(rowBytes: Int, chunkRows: Int) -> Int {
    let size = max(1, (4 << 20) / max(1, rowBytes))
    let chunk = max(1, chunkRows)
    return size > chunk ? size / chunk * chunk : size
  }
}

extension Range<Int> {
  /// Parts that end at multiples of a length.
  package func split(every length: Int) -> some Sequence<Range<Int>> {
    sequence(state: lowerBound) { start in
      guard start < upperBound else { return nil }
      let part = start..<Swift.min(start / length * length + length, upperBound)
      start = part.upperBound
      return part
    }
  }
}

/// The rows of a finished file.
final class FileSource: RowSource {
  let file: File
  var columns: [Column]
  var path: String { file.file }

  /// - Parameter columns: what the file declares; chunks and filters are taken from the file.
  init(_ file: consuming File, columns: [Column]) throws(SnapshotError) {
    self.file = file
    self.columns = columns
    for position in columns.indices {
      let storage = try storage(position)
      self.columns[position].chunkRows = max(1, storage.chunkRows)
      self.columns[position].filters = storage.filters
    }
  }

  func rowCount(_ column: Int) throws(SnapshotError) -> Int {
    try translating { () throws(HDF5Error) in try dataset(column).shape().first ?? 0 }
  }

  func read(
    _ column: Int, rows: Range<Int>, into buffer: UnsafeMutableRawBufferPointer
  ) throws(SnapshotError) {
    let start = columns[column].chunkStart(row: rows.lowerBound)
    let count = columns[column].shape(rows: rows.count)
    try translating { () throws(HDF5Error) in
      try dataset(column).readBytes(into: buffer, start: start, count: count)
    }
  }

  func storedChunk(
    _ column: Int, row: Int
  ) throws(SnapshotError) -> (bytes: [UInt8], mask: UInt32)? {
    try translating { () throws(HDF5Error) in
      let dataset = try dataset(column)
      guard dataset.chunkShape == columns[column].shape(rows: columns[column].chunkRows) else {
        return nil
      }
      return try dataset.readChunk(at: columns[column].chunkStart(row: row))
    }
  }

  func storage(_ column: Int) throws(SnapshotError) -> ColumnStorage {
    try translating { () throws(HDF5Error) in
      let dataset = try dataset(column)
      return ColumnStorage(
        storedBytes: dataset.storedBytes, filters: dataset.filters,
        chunkRows: dataset.chunkShape?.first ?? 0)
    }
  }

  private func dataset(_ column: Int) throws(HDF5Error) -> Dataset {
    let parts = columns[column].path.split(separator: "/").map(String.init)
    return try Self.dataset(parts[...], in: file)
  }

  private static func dataset<L: Location & ~Copyable>(
    _ path: ArraySlice<String>, in location: borrowing L
  ) throws(HDF5Error) -> Dataset {
    guard let first = path.first, path.count > 1 else {
      return try location.dataset(path.first ?? "")
    }
    return try dataset(path.dropFirst(), in: location.group(first))
  }
}
