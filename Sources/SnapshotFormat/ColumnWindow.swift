/// Access to a column's rows with one block of them in memory, so that neighbouring rows are decoded once.
package final class ColumnWindow {
  package let column: SnapshotColumn
  let source: any RowSource
  private var loaded = 0..<0
  private var bytes: [UInt8] = []

  package convenience init(_ reader: Reader, _ column: SnapshotColumn) {
    self.init(reader.source, column)
  }

  init(_ source: any RowSource, _ column: SnapshotColumn) {
    self.source = source
    self.column = column
  }

  /// Passes rows on as bytes; `rows` must be few enough to be held.
  package func withRows<R>(
    _ rows: Range<Int>, _ body: (UnsafeRawBufferPointer) throws(SnapshotError) -> R
  ) throws(SnapshotError) -> R {
    // A journal's columns may have fewer rows than its steps say.
    guard rows.upperBound <= column.rows else {
      throw SnapshotError(
        code: .invalid, file: source.path, object: source.columns[column.position].path,
        message: "expected \(rows.upperBound) rows, found \(column.rows)", requirement: "R-105")
    }
    if !loaded.contains(rows.lowerBound) || rows.upperBound > loaded.upperBound {
      // Freed before the next block comes.
      bytes = []
      loaded = 0..<0
      do throws(SnapshotError) {
        try load(rows, blocksOf: column.blockRows)
      } catch {
        // A damaged chunk beside these rows is no matter of theirs.
        try load(rows, blocksOf: column.chunkRows)
      }
    }
    let start = (rows.lowerBound - loaded.lowerBound) * column.rowBytes
    let end = start + rows.count * column.rowBytes
    return try bytes.withRawBytes { all throws(SnapshotError) in
      try body(UnsafeRawBufferPointer(rebasing: all[start..<end]))
    }
  }

  private func load(_ rows: Range<Int>, blocksOf length: Int) throws(SnapshotError) {
    let start = rows.lowerBound / length * length
    let end = (rows.upperBound + length - 1) / length * length
    let range = start..<min(column.rows, max(start + length, end))
    bytes = try source.bytes(column.position, rows: range)
    loaded = range
  }

  /// Rows as numbers, copied.
  package func values<T: BitwiseCopyable>(
    _ rows: Range<Int>, as type: T.Type
  ) throws(SnapshotError) -> [T] {
    try withRows(rows) { bytes in
      [T](unsafeUninitializedCapacity: bytes.count / MemoryLayout<T>.stride) { buffer, count in
        count = bytes.count / MemoryLayout<T>.stride
        UnsafeMutableRawBufferPointer(buffer).copyMemory(
          from: UnsafeRawBufferPointer(rebasing: bytes[..<(count * MemoryLayout<T>.stride)]))
      }
    }
  }
}
