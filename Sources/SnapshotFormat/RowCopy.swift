internal import HDF5

/// Copies rows from a snapshot into one in the making; whole chunks as they are stored, where both lie alike.
enum RowCopy {
  /// Most bytes that are decoded at a time.
  private static let blockBytes = 4 << 20

  /// Appends rows of a column.
  static func append(
    _ rows: Range<Int>, of column: Int, from source: any RowSource, to position: Int,
    in store: ChunkStore
  ) throws(SnapshotError) {
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
      let block = max(1, min(Self.blockBytes / max(1, target.rowBytes), Limits.observations))
      var end = min(rows.upperBound, row + block)
      if areAlike { end = min(end, row / chunkRows * chunkRows + chunkRows) }
      var bytes = [UInt8](repeating: 0, count: (end - row) * target.rowBytes)
      let part = row..<end
      try bytes.withUnsafeMutableBufferPointer { buffer throws(SnapshotError) in
        try source.read(column, rows: part, into: UnsafeMutableRawBufferPointer(buffer))
      }
      bytes.withUnsafeBytes { store.append($0, to: position) }
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
      try append(0..<rows, of: column, from: opened.source, to: column, in: store)
    }
  }

  /// Rows of each column that belong to the first steps.
  static func rows(ofSteps steps: Int, in opened: Opened) throws(SnapshotError) -> [Int] {
    let layout = opened.declaration.layout
    var counts = [Int](repeating: 0, count: layout.columns.count)
    for position in layout.steps { counts[position] = steps }
    if let trainable = layout.trainable { counts[trainable] = steps }
    for (number, table) in layout.tables.enumerated() {
      let rows = opened.contents.tables[number].last { $0.step < steps }?.rows.upperBound ?? 0
      for position in table.perObservation { counts[position] = rows }
      if let members = table.members {
        let all = opened.contents.members[number]
        var count = all
        if rows < opened.contents.tables[number].last?.rows.upperBound ?? 0 {
          count = 0
          try opened.source.forEachBlock(members.observation, rows: 0..<all, as: UInt32.self) {
            _, owners in
            let own = owners.prefix { $0 < rows }.count
            count += own
            return own == owners.count
          }
        }
        for position in members.all { counts[position] = count }
      }
    }
    return counts
  }
}
