internal import SnapshotFormat

/// Access to a column's rows with one block of them in memory, so that neighbouring rows are decoded once.
final class ColumnWindow {
  let reader: Reader
  let column: SnapshotColumn
  private var loaded = 0..<0
  private var bytes: [UInt8] = []

  init(_ reader: Reader, _ column: SnapshotColumn) {
    self.reader = reader
    self.column = column
  }

  /// Passes rows on as bytes; `rows` must be few enough to be held.
  func withRows<R>(
    _ rows: Range<Int>, _ body: (UnsafeRawBufferPointer) throws(SnapshotError) -> R
  ) throws(SnapshotError) -> R {
    if !loaded.contains(rows.lowerBound) || rows.upperBound > loaded.upperBound {
      let block = column.blockRows
      let start = rows.lowerBound / block * block
      let range = start..<min(column.rows, max(start + block, rows.upperBound))
      // Freed before the next block comes.
      bytes = []
      loaded = 0..<0
      bytes = try reader.bytes(of: column, rows: range)
      loaded = range
    }
    let start = (rows.lowerBound - loaded.lowerBound) * column.rowBytes
    let end = start + rows.count * column.rowBytes
    var failure: SnapshotError?
    let result = bytes.withUnsafeBytes { all -> R? in
      do throws(SnapshotError) {
        return try body(UnsafeRawBufferPointer(rebasing: all[start..<end]))
      } catch {
        failure = error
        return nil
      }
    }
    if let failure { throw failure }
    return result!
  }

  /// Rows as numbers, copied.
  func values<T: BitwiseCopyable>(
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
