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
    let count = rows.count * (columns[column].width ?? 1)
    precondition(columns[column].type == T.elementType, "a column read as another type")
    let available = try rowCount(column)
    guard rows.lowerBound >= 0, rows.upperBound <= available else {
      throw SnapshotError(
        code: .invalid, file: path, object: columns[column].path,
        message: "expected rows \(rows.lowerBound) to \(rows.upperBound), found \(available)")
    }
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

  /// Passes rows on in blocks of about 4 MiB.
  func forEachBlock<T: Element>(
    _ column: Int, rows: Range<Int>, as type: T.Type = T.self,
    _ body: (Range<Int>, [T]) throws(SnapshotError) -> Bool
  ) throws(SnapshotError) {
    let size = max(1, (4 << 20) / max(1, columns[column].rowBytes))
    // Whole chunks, so that none is decoded twice.
    let chunk = max(1, columns[column].chunkRows)
    let block = size > chunk ? size / chunk * chunk : size
    var start = rows.lowerBound
    while start < rows.upperBound {
      let end = min(start / block * block + block, rows.upperBound)
      guard try body(start..<end, read(column, rows: start..<end, as: T.self)) else { return }
      start = end
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
