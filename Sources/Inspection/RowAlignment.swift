internal import SnapshotFormat

/// Rows of A and rows of B that belong together: equally many, one after the other.
struct AlignedRows {
  var a: Range<Int>
  var b: Int

  /// The rows of B.
  var bRows: Range<Int> { b..<b + a.count }
}

/// Pairs the rows of two tables: steps by index, mode and order among equals, rows in them by record id.
struct RowAlignment {
  /// Rows that the other file lacks.
  private(set) var onlyA = 0
  private(set) var onlyB = 0
  private var pending: [AlignedRows] = []
  private let records: (a: ColumnWindow, b: ColumnWindow)
  /// Pairs that are collected before they are passed on.
  private static let most = 1 << 16

  init(_ a: ColumnWindow, _ b: ColumnWindow) { records = (a, b) }

  /// Pairs the rows of one step; passes collected pairs on where there are many.
  mutating func add(
    _ a: Range<Int>, _ b: Range<Int>,
    _ body: ([AlignedRows]) throws(SnapshotError) -> Void
  ) throws(SnapshotError) {
    // The 16 bytes of an id as one number: to be told apart is all that is asked of them.
    let first = try records.a.values(a, as: UInt128.self)
    let second = try records.b.values(b, as: UInt128.self)
    if first == second {
      append(AlignedRows(a: a, b: b.lowerBound))
    } else {
      // A record may occur several times in a trace step: the k-th of one is that of the other.
      var places = Dictionary(grouping: second.indices.reversed()) { second[$0] }
      var paired = 0
      for (offset, record) in first.enumerated() {
        let row = a.lowerBound + offset
        guard let place = places[record]?.popLast() else {
          onlyA += 1
          continue
        }
        paired += 1
        append(AlignedRows(a: row..<row + 1, b: b.lowerBound + place))
        if pending.count >= Self.most { try flush(body) }
      }
      onlyB += second.count - paired
    }
    if pending.count >= Self.most { try flush(body) }
  }

  /// Counts the rows of steps that only one file has.
  mutating func skip(a: Int = 0, b: Int = 0) {
    onlyA += a
    onlyB += b
  }

  /// Passes on what is left.
  mutating func flush(
    _ body: ([AlignedRows]) throws(SnapshotError) -> Void
  ) throws(SnapshotError) {
    guard !pending.isEmpty else { return }
    let rows = pending
    pending = []
    try body(rows)
  }

  private mutating func append(_ rows: AlignedRows) {
    if let last = pending.last, last.a.upperBound == rows.a.lowerBound,
      last.bRows.upperBound == rows.b
    {
      pending[pending.count - 1].a = last.a.lowerBound..<rows.a.upperBound
    } else {
      pending.append(rows)
    }
  }
}
