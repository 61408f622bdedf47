private import Foundation
internal import HDF5
internal import SnapshotFormat

/// Compares the rows of one column in two files, block by block.
struct ColumnComparison {
  private let a: ColumnWindow
  private let b: ColumnWindow
  /// Rows with any difference.
  private(set) var rows = 0
  /// Largest absolute difference of two numbers.
  private(set) var largest = 0.0
  /// The first row of A with a difference.
  private(set) var first: Int?

  /// - Precondition: both columns have the same type and width.
  init(_ a: ColumnWindow, _ b: ColumnWindow) {
    self.a = a
    self.b = b
  }

  mutating func add(_ aligned: [AlignedRows]) throws(SnapshotError) {
    let block = a.column.blockRows
    for part in aligned {
      var row = part.a.lowerBound
      while row < part.a.upperBound {
        let end = min(part.a.upperBound, row / block * block + block)
        try compare(row..<end, part.b + row - part.a.lowerBound)
        row = end
      }
    }
  }

  private mutating func compare(_ rows: Range<Int>, _ other: Int) throws(SnapshotError) {
    let size = a.column.rowBytes
    var found: [(row: Int, largest: Double)] = []
    try a.withRows(rows) { first throws(SnapshotError) in
      try b.withRows(other..<other + rows.count) { second in
        guard size > 0, !Self.areEqual(first, second) else { return }
        for row in 0..<rows.count {
          let place = row * size..<(row + 1) * size
          let one = UnsafeRawBufferPointer(rebasing: first[place])
          let two = UnsafeRawBufferPointer(rebasing: second[place])
          guard !Self.areEqual(one, two) else { continue }
          found.append((rows.lowerBound + row, distance(one, two)))
        }
      }
    }
    self.rows += found.count
    for (row, distance) in found {
      largest = max(largest, distance)
      self.first = min(self.first ?? row, row)
    }
  }

  /// By bytes: the two zeros differ, and NaN is itself.
  private static func areEqual(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
    guard let first = a.baseAddress, let second = b.baseAddress else { return a.count == b.count }
    return a.count == b.count && memcmp(first, second, a.count) == 0
  }

  /// Largest absolute difference of the numbers of two rows.
  private func distance(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Double {
    switch self.a.column.type {
    case .float32:
      zip(a.bindMemory(to: Float.self), b.bindMemory(to: Float.self)).reduce(0) {
        max($0, abs(Double($1.0) - Double($1.1)))
      }
    case .float64:
      zip(a.bindMemory(to: Double.self), b.bindMemory(to: Double.self)).reduce(0) {
        max($0, abs($1.0 - $1.1))
      }
    case .int32: largest(a.bindMemory(to: Int32.self), b.bindMemory(to: Int32.self))
    case .uint32: largest(a.bindMemory(to: UInt32.self), b.bindMemory(to: UInt32.self))
    case .uint16: largest(a.bindMemory(to: UInt16.self), b.bindMemory(to: UInt16.self))
    default: 0
    }
  }

  private func largest<T: FixedWidthInteger>(
    _ a: UnsafeBufferPointer<T>, _ b: UnsafeBufferPointer<T>
  ) -> Double {
    zip(a, b).reduce(0) { max($0, abs(Double($1.0) - Double($1.1))) }
  }
}
