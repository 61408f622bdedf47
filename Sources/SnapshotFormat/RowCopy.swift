internal import HDF5

/// Copies rows from a snapshot into one in the making; whole chunks as they are stored, where both lie alike.
enum RowCopy {
  /// Appends rows of a column.
  static func append(
    _ rows: Range<Int>, of window: ColumnWindow, to position: Int, in store: ChunkStore
  ) throws(SnapshotError) {
    let source = window.source
    let column = window.column.position
    let origin = source.columns[column]
    let target = store.columns[position]
    let chunkRows = target.chunkRows
    let areAlike =
      origin.chunkRows == chunkRows && origin.filters == target.filters
      && origin.type == target.type && origin.width == target.width
    let codec = origin.codec
    var row = rows.lowerBound
    while row < rows.upperBound {
      if areAlike, row % chunkRows == 0, row + chunkRows <= rows.upperBound,
        store.states[position].tail.isEmpty,
        let (stored, mask) = try source.storedChunk(column, row: row)
      {
        // A chunk that does not decode must not travel on.
        guard codec.decode(stored, size: target.chunkBytes, mask: mask) != nil else {
          throw SnapshotError(
            code: .invalid, file: source.path, object: origin.path,
            message: "expected a right checksum in the chunk at row \(row)", requirement: "R-051")
        }
        try store.append(stored: stored, mask: mask, to: position)
        row += chunkRows
        continue
      }
      // Up to the next place where a chunk may be copied whole.
      let unit = areAlike ? chunkRows : origin.blockRows
      let end = min(rows.upperBound, row / unit * unit + unit)
      try window.withRows(row..<end) { store.append($0, to: position) }
      row = end
    }
  }

  /// Appends the first steps of a snapshot whole.
  ///
  /// - Parameter store: made for the same tables, and empty.
  static func appendSteps(
    _ steps: Int, of opened: Opened, to store: ChunkStore
  ) throws(SnapshotError) {
    for (column, rows) in try rows(ofSteps: steps, in: opened).enumerated() where rows > 0 {
      let origin = SnapshotColumn(opened.source.columns[column], at: column, rows: rows)
      try append(
        0..<rows, of: ColumnWindow(opened.source, origin), to: column, in: store)
    }
  }

  /// Rows of each column that belong to the first steps.
  static func rows(ofSteps steps: Int, in opened: Opened) throws(SnapshotError) -> [Int] {
    let layout = opened.declaration.layout
    var counts = [Int](repeating: 0, count: layout.columns.count)
    for position in layout.steps { counts[position] = steps }
    if let trainable = layout.trainable { counts[trainable] = steps }
    for (number, table) in layout.tables.enumerated() {
      let ranges = opened.contents.tables[number].prefix { $0.step < steps }
      for position in table.perObservation { counts[position] = ranges.last?.rows.upperBound ?? 0 }
      if let members = table.members {
        let isWhole = ranges.count == opened.contents.tables[number].count
        let count =
          isWhole
          ? opened.contents.members[number]
          : try MemberRows(opened, table: number, members).ranges[..<ranges.count].last?.upperBound
        for position in members.all { counts[position] = count ?? 0 }
      }
    }
    return counts
  }
}
