internal import HDF5

/// Appends rows to one dataset [rows, width]: full chunks go to the file at once, encoded by our own codec;
/// rows short of a chunk wait in memory.
///
/// Rows count once `commit` is called. Until then their chunks are also kept in memory, so that dropping a torn
/// step only ever removes whole chunks: libhdf5 must not have to read one back that a full disk cut short.
final class ColumnWriter<T: Element> {
  /// The dataset, for its attributes.
  let dataset: Dataset
  private let codec: ChunkCodec
  private let width: Int
  private let isVector: Bool
  private let chunkRows: Int
  /// Rows that are not yet in the file for good: some committed ones short of a chunk, then the step in progress.
  private var pending: [T] = []
  /// Elements at the front of `pending` that are committed.
  private var committed = 0
  /// Elements at the front of `pending` whose chunks are in the file already.
  private var staged = 0
  /// Committed rows in the file; whole chunks.
  private var writtenRows = 0

  /// Most bytes that `finish` writes.
  var reserveBytes: Int { chunkRows > 1 ? chunkRows * width * MemoryLayout<T>.stride : 0 }

  /// Creates the dataset.
  ///
  /// - Parameter width: numbers per row; nil for a vector, whose dataset has one axis.
  init<L: Location & ~Copyable>(
    _ name: String, in location: borrowing L, width: Int?, filters: [Filter]
  ) throws(HDF5Error) {
    let isVector = width == nil
    let width = width ?? 1
    chunkRows = Self.chunkRows(width: width)
    self.width = width
    self.isVector = isVector
    dataset = try location.createDataset(
      name, of: T.self, shape: isVector ? [0] : [0, width],
      limit: isVector ? [nil] : [nil, width], chunk: isVector ? [chunkRows] : [chunkRows, width],
      filters: filters)
    guard let codec = dataset.codec else {
      preconditionFailure("a writer's filters are all our own")
    }
    self.codec = codec
  }

  /// Rows that make a chunk of about 128 KiB (docs/design/commit-layout.md), a power of two.
  static func chunkRows(width: Int) -> Int {
    let most = max(1, (128 << 10) / max(1, width * MemoryLayout<T>.stride))
    return min(4096, 1 << (Int.bitWidth - 1 - most.leadingZeroBitCount))
  }

  /// Appends whole rows to the step in progress.
  func append(_ values: some Collection<T>) throws(HDF5Error) {
    pending.append(contentsOf: values)
    let chunk = chunkRows * width
    while pending.count - staged >= chunk {
      try writeChunk(
        pending[staged..<staged + chunk], at: writtenRows + staged / width, rows: chunkRows)
      staged += chunk
    }
  }

  /// Makes the rows appended so far part of the column.
  func commit() {
    if staged > 0 {
      pending.removeFirst(staged)
      writtenRows += staged / width
      staged = 0
    }
    committed = pending.count
  }

  /// Drops rows that were not committed and writes what is pending, so that the dataset is whole; nothing can be
  /// appended afterwards.
  func finish() throws(HDF5Error) {
    try dataset.resize(to: isVector ? [writtenRows] : [writtenRows, width])
    pending.removeLast(pending.count - committed)
    guard !pending.isEmpty else { return }
    try writeChunk(pending[...], at: writtenRows, rows: pending.count / width)
    pending = []
  }

  private func writeChunk(
    _ values: ArraySlice<T>, at start: Int, rows: Int
  ) throws(HDF5Error) {
    try dataset.resize(to: isVector ? [start + rows] : [start + rows, width])
    // HDF5 stores whole chunks only: the last one is padded with its fill value, zero.
    let missing = (chunkRows - rows) * width * MemoryLayout<T>.stride
    let stored = values.withUnsafeBytes { bytes in
      if missing == 0 { return codec.encode(bytes) }
      let padded = Array(bytes) + [UInt8](repeating: 0, count: missing)
      return padded.withUnsafeBytes { codec.encode($0) }
    }
    try dataset.writeChunk(stored, at: isVector ? [start] : [start, 0])
  }
}
