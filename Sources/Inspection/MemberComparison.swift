internal import SnapshotFormat

/// Members of a table, found by the row that they belong to.
final class MemberWindow {
  private let owners: ColumnWindow
  private let records: ColumnWindow
  private let weights: ColumnWindow
  private let count: Int
  /// First member that belongs to this row or a later one, of the latest question.
  private var latest = (row: 0, member: 0)

  /// - Parameter columns: observation, record and weight.
  init(_ reader: Reader, _ columns: [SnapshotColumn]) {
    owners = ColumnWindow(reader, columns[0])
    records = ColumnWindow(reader, columns[1])
    weights = ColumnWindow(reader, columns[2])
    count = columns[0].rows
  }

  /// Ids and weights of a row's members, in their order; quickest where rows ascend.
  func members(of row: Int) throws(SnapshotError) -> ([UInt128], [UInt64]) {
    var member = row >= latest.row ? latest.member : 0
    if row < latest.row {
      // Binary search: owners ascend.
      var end = count
      while member < end {
        let middle = (member + end) / 2
        if try owner(middle) < row { member = middle + 1 } else { end = middle }
      }
    }
    while member < count, try owner(member) < row { member += 1 }
    var end = member
    while end < count, try owner(end) == row { end += 1 }
    latest = (row, member)
    return (
      try records.values(member..<end, as: UInt128.self),
      try weights.values(member..<end, as: UInt64.self)
    )
  }

  private func owner(_ member: Int) throws(SnapshotError) -> Int {
    try owners.withRows(member..<member + 1) { Int($0.loadUnaligned(as: UInt32.self)) }
  }
}

/// Compares what observations were made of.
struct MemberComparison {
  private let a: MemberWindow
  private let b: MemberWindow
  /// Observations whose members differ.
  private(set) var rows = 0
  /// The first of them, in A.
  private(set) var first: Int?

  init(_ a: MemberWindow, _ b: MemberWindow) {
    self.a = a
    self.b = b
  }

  mutating func add(_ aligned: [AlignedRows]) throws(SnapshotError) {
    for part in aligned {
      for offset in 0..<part.a.count {
        let row = part.a.lowerBound + offset
        let (one, two) = (try a.members(of: row), try b.members(of: part.b + offset))
        guard one != two else { continue }
        rows += 1
        first = min(first ?? row, row)
      }
    }
  }
}
