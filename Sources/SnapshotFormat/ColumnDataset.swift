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
    _ stored: UnsafeRawBufferPointer, row: Int, rows: Int, mask: UInt32
  ) throws(HDF5Error) -> StoredChunk {
    if row + rows > extent {
      try dataset.resize(to: column.shape(rows: row + rows))
      extent = row + rows
    }
    let start = column.chunkStart(row: row)
    try dataset.writeChunk(stored, at: start, mask: mask)
    guard let place = try dataset.chunkAddress(at: start) else {
      throw HDF5Error(
        code: .failed, file: dataset.file, object: dataset.path,
        message: "the chunk at \(start) was not written")
    }
    return StoredChunk(
      offset: place.address, length: stored.count, mask: mask,
      checksum: JournalFormat.checksum(stored))
  }

  /// Drops rows past the end; only whole chunks, so that libhdf5 has none to read back.
  func cut(to rows: Int) throws(HDF5Error) {
    guard extent > rows else { return }
    try dataset.resize(to: column.shape(rows: rows))
    extent = rows
  }
}
