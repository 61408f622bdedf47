/// Which members of a table belong to which of its steps.
struct MemberRows {
  /// Members of each step that the table has rows of, in order.
  private(set) var ranges: [Range<Int>] = []
  /// Positions in `ranges` of steps whose members cannot be told, because some owners cannot be read.
  private(set) var unknown: Set<Int> = []

  /// Reads the owners of a table's members once, in blocks.
  ///
  /// - Parameter table: number of a table that has members.
  /// - Throws: `invalid` where owners descend or are no rows of the table.
  init(_ opened: Opened, table: Int, _ columns: Layout.Members) throws(SnapshotError) {
    let steps = opened.contents.tables[table]
    let count = opened.contents.members[table]
    let path = opened.source.columns[columns.observation].path
    var start = 0
    var last: UInt32 = 0
    var isGap = false
    /// Ends steps before the one that the owner of a member is in.
    func end(before owner: Int, at member: Int) {
      while ranges.count < steps.count, owner >= steps[ranges.count].rows.upperBound {
        if isGap { unknown.insert(ranges.count) }
        ranges.append(start..<member)
        start = member
      }
    }
    try opened.source.forEachReadable(columns.observation, rows: 0..<count) {
      rows, bytes throws(SnapshotError) in
      guard let bytes else { return isGap = true }
      try bytes.withRawBytes { bytes throws(SnapshotError) in
        for (offset, owner) in bytes.bindMemory(to: UInt32.self).enumerated() {
          end(before: Int(owner), at: rows.lowerBound + offset)
          guard owner >= last, ranges.count < steps.count else {
            throw SnapshotError(
              code: .invalid, file: opened.source.path, object: path,
              message: "expected ascending rows of the table, found \(owner) after \(last)",
              requirement: "R-091")
          }
          if isGap { unknown.insert(ranges.count) }
          isGap = false
          last = owner
        }
      }
    }
    end(before: .max, at: count)
  }
}
