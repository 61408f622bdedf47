private import Foundation
internal import HDF5

/// A growing dataset: writes whole chunks and knows where they lie.
final class ColumnDataset {
  let dataset: Dataset
  private let column: Column
  /// Rows that the dataset has in the file.
  private var extent = 0

  /// Creates the dataset, without rows.
  init<L: Location & ~Copyable>(
    _ column: Column, named name: String, in location: borrowing L
  ) throws(HDF5Error) {
    self.column = column
    dataset = try location.createDataset(
      name, of: column.type, shape: column.shape(rows: 0),
      limit: column.width.map { [nil, $0] } ?? [nil],
      chunk: column.shape(rows: column.chunkRows), filters: column.filters)
  }

  /// Writes a chunk in its stored form.
  ///
  /// - Parameters:
  ///   - row: first row.
  ///   - rows: rows that count; less than a chunk's in the last one.
  func write(
    _ stored: UnsafeRawBufferPointer, row: Int, rows: Int, mask: UInt32, in store: StoreBytes
  ) throws(HDF5Error) -> StoredChunk {
    try extend(to: row + rows)
    let start = column.chunkStart(row: row)
    let before = try dataset.endOfAllocation()
    try dataset.writeChunk(stored, at: start, mask: mask)
    let offset = try place(of: stored, at: start, writtenAfter: before, in: store)
    return StoredChunk(
      offset: offset, length: stored.count, mask: mask,
      checksum: JournalFormat.checksum(stored))
  }

  /// Where a chunk lies that was just written.
  ///
  /// libhdf5 1.10 finds that only by going through all chunks. New ones go to the end of the file, before or after what
  /// their index needed, which the bytes there can prove; but where something of the index lies that is not written yet,
  /// the file reads zeros, so that zeros prove nothing.
  private func place(
    of stored: UnsafeRawBufferPointer, at start: [Int], writtenAfter end: UInt64,
    in store: StoreBytes
  ) throws(HDF5Error) -> UInt64 {
    let last = try dataset.endOfAllocation() &- UInt64(stored.count)
    let isAlone = last == end
    if isAlone || !stored.prefix(StoreBytes.probed).allSatisfy({ $0 == 0 }),
      store.holds(stored, at: end)
    {
      return end
    }
    if last > end, !stored.suffix(StoreBytes.probed).allSatisfy({ $0 == 0 }),
      store.holds(stored, at: last)
    {
      return last
    }
    guard let place = try dataset.chunkAddress(at: start) else {
      throw HDF5Error(
        code: .failed, file: dataset.file, object: dataset.path,
        message: "the chunk at \(start) was not written")
    }
    return place.address
  }

  /// Makes room for so many rows; for many chunks at once where that many are written.
  func extend(to rows: Int) throws(HDF5Error) {
    guard rows > extent else { return }
    try dataset.resize(to: column.shape(rows: rows))
    extent = rows
  }

  /// Drops rows past the end; only whole chunks, so that libhdf5 has none to read back.
  func cut(to rows: Int) throws(HDF5Error) {
    guard extent > rows else { return }
    try dataset.resize(to: column.shape(rows: rows))
    extent = rows
  }
}

/// The bytes of a store as the operating system has them.
final class StoreBytes {
  private let descriptor: Int32
  /// Bytes of a chunk's ends that are compared.
  static let probed = 256

  init(_ path: String) { descriptor = open(path, O_RDONLY | O_CLOEXEC) }

  /// Whether these bytes were written there, where nothing was before: their two ends tell.
  func holds(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) -> Bool {
    guard descriptor >= 0, let place = Int(exactly: offset) else { return false }
    let length = min(bytes.count, Self.probed)
    return withUnsafeTemporaryAllocation(byteCount: length, alignment: 8) { found in
      for start in [0, bytes.count - length] {
        let part = UnsafeRawBufferPointer(rebasing: bytes[start..<start + length])
        guard JournalReader.readAll(descriptor, into: found, at: place + start),
          found.elementsEqual(part)
        else { return false }
      }
      return true
    }
  }

  deinit { if descriptor >= 0 { _ = close(descriptor) } }
}
