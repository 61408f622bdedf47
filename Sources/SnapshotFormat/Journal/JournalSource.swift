private import Foundation
internal import HDF5

/// The rows of a growing snapshot: from its journal and the chunks that the journal names.
final class JournalSource: RowSource {
  let path: String
  let columns: [Column]
  private(set) var journal: JournalReader
  private let storePath: String
  private var store: Int32 = -1

  /// - Throws: as `JournalReader.init`; `notFound` if chunks are named and their store is gone.
  init(journal: JournalReader) throws(SnapshotError) {
    self.journal = journal
    path = Names.snapshot(of: journal.path)
    columns = journal.declaration.layout.columns
    guard let storePath = JournalReader.storePath(journal.path, journal.head) else {
      throw SnapshotError(
        code: .invalid, file: journal.path,
        message:
          "expected a store beside the journal, found the name '\(journal.head.store.prefix(80))'",
        requirement: "R-102")
    }
    self.storePath = storePath
    guard openStore() else {
      throw SnapshotError(
        code: .notFound, file: storePath, message: "the chunks of an unfinished recording are gone",
        remedy: "Keep a journal and its store together.")
    }
  }

  func rowCount(_ column: Int) -> Int { journal.columns[column].rows }

  /// Opens the store once the journal names a chunk in it: before, it may not be there yet, or be an older one's.
  ///
  /// - Returns: false if chunks are named and their store is gone.
  private func openStore() -> Bool {
    guard store < 0, !journal.columns.allSatisfy({ $0.stored.isEmpty }) else { return true }
    store = open(storePath, O_RDONLY | O_CLOEXEC)
    return store >= 0
  }

  /// Takes in what was committed since; false if the chunks are gone, as when the file has just got its name.
  func advance() throws(SnapshotError) -> Bool {
    try journal.advance()
    return openStore()
  }

  func read(
    _ column: Int, rows: Range<Int>, into buffer: UnsafeMutableRawBufferPointer
  ) throws(SnapshotError) {
    let chunkRows = columns[column].chunkRows
    let rowBytes = columns[column].rowBytes
    var row = rows.lowerBound
    while row < rows.upperBound {
      let number = row / chunkRows
      let end = min(rows.upperBound, (number + 1) * chunkRows)
      let part = UnsafeMutableRawBufferPointer(
        rebasing: buffer[(row - rows.lowerBound) * rowBytes..<(end - rows.lowerBound) * rowBytes])
      if let plain = decodedChunk(column, number) {
        let start = (row - number * chunkRows) * rowBytes
        plain.withUnsafeBytes {
          part.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[start..<start + part.count]))
        }
      } else {
        try readInline(column, row..<end, into: part)
      }
      row = end
    }
  }

  /// The decoded rows of a stored chunk; nil if there is none, or if a loss of power has damaged it.
  private func decodedChunk(_ column: Int, _ number: Int) -> [UInt8]? {
    guard let (stored, mask) = chunk(column, number) else { return nil }
    return columns[column].codec.decode(stored, size: columns[column].chunkBytes, mask: mask)
  }

  private func chunk(_ column: Int, _ number: Int) -> (bytes: [UInt8], mask: UInt32)? {
    guard let chunk = journal.columns[column].stored[number] else { return nil }
    var isRead = false
    let stored = [UInt8](unsafeUninitializedCapacity: chunk.length) { buffer, count in
      let bytes = UnsafeMutableRawBufferPointer(
        rebasing: UnsafeMutableRawBufferPointer(buffer)[..<chunk.length])
      isRead = JournalReader.readAll(store, into: bytes, at: Int(clamping: chunk.offset))
      count = isRead ? chunk.length : 0
    }
    guard isRead, JournalFormat.checksum(stored) == chunk.checksum else { return nil }
    return (stored, chunk.mask)
  }

  private func readInline(
    _ column: Int, _ rows: Range<Int>, into buffer: UnsafeMutableRawBufferPointer
  ) throws(SnapshotError) {
    let inline = journal.columns[column].inline
    let rowBytes = columns[column].rowBytes
    // The last segment that begins at or before the first row.
    var low = 0
    var high = inline.count
    while low < high {
      let middle = (low + high) / 2
      if inline[middle].first <= rows.lowerBound { low = middle + 1 } else { high = middle }
    }
    var position = max(0, low - 1)
    var row = rows.lowerBound
    while row < rows.upperBound {
      guard inline.indices.contains(position), inline[position].first <= row,
        row < inline[position].first + inline[position].rows
      else {
        throw SnapshotError(
          code: .invalid, file: path, object: columns[column].path,
          message: "rows from \(row) on are damaged",
          remedy: "Run ptoken-inspect recover to keep the steps before them.",
          requirement: "R-105")
      }
      let segment = inline[position]
      let end = min(rows.upperBound, segment.first + segment.rows)
      let part = UnsafeMutableRawBufferPointer(
        rebasing: buffer[(row - rows.lowerBound) * rowBytes..<(end - rows.lowerBound) * rowBytes])
      try journal.read(into: part, at: segment.offset + (row - segment.first) * rowBytes)
      row = end
      position += 1
    }
  }

  func storedChunk(_ column: Int, row: Int) -> (bytes: [UInt8], mask: UInt32)? {
    chunk(column, row / columns[column].chunkRows)
  }

  func storage(_ column: Int) -> ColumnStorage {
    let index = journal.columns[column]
    let stored = index.stored.values.reduce(0) { $0 + $1.length }
    let inline =
      (index.rows - index.stored.count * columns[column].chunkRows) * columns[column].rowBytes
    return ColumnStorage(
      storedBytes: stored + max(0, inline), filters: columns[column].filters,
      chunkRows: columns[column].chunkRows)
  }

  /// The first row of a column that cannot be read; nil if all can. O(bytes stored).
  func firstDamagedRow(_ column: Int) -> Int? {
    let chunkRows = columns[column].chunkRows
    let numbers = journal.columns[column].stored.keys.sorted()
    for number in numbers where chunk(column, number) == nil {
      let rows = number * chunkRows..<min((number + 1) * chunkRows, rowCount(column))
      var row = [UInt8](repeating: 0, count: columns[column].rowBytes)
      for candidate in rows {
        let isThere = row.withUnsafeMutableBytes { buffer in
          (try? readInline(column, candidate..<candidate + 1, into: buffer)) != nil
        }
        if !isThere { return candidate }
      }
    }
    return nil
  }

  deinit { if store >= 0 { _ = close(store) } }
}
