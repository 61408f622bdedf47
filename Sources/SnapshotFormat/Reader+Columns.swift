package import HDF5

/// One growing dataset of a snapshot, for tools that treat all of them alike.
package struct SnapshotColumn: Sendable {
  /// Path in the file, such as `/tables/T0000/streams/L0002`.
  package let path: String
  /// Type of the elements.
  package let type: ElementType
  /// Numbers in a row; nil for a dataset of one axis.
  package let width: Int?
  /// Rows that a reader may see.
  package let rows: Int
  /// Rows of a block of about 4 MiB: whole chunks, so that none is decoded twice.
  package let blockRows: Int
  /// Rows of a chunk; 1 where the dataset is not chunked.
  let chunkRows: Int
  /// Position in the layout.
  let position: Int

  init(_ column: Column, at position: Int, rows: Int) {
    path = column.path
    type = column.type
    width = column.width
    self.rows = rows
    blockRows = column.blockRows
    chunkRows = max(1, column.chunkRows)
    self.position = position
  }

  /// Last part of the path.
  package var name: String { path.split(separator: "/").last.map(String.init) ?? path }
  /// Bytes of one row.
  package var rowBytes: Int { (width ?? 1) * type.size }
}

extension Reader {
  /// Columns of /steps, `trainable` last where it is there.
  package var stepColumns: [SnapshotColumn] {
    let layout = declaration.layout
    return (layout.steps + [layout.trainable].compactMap { $0 }).map {
      column($0, rows: steps.count)
    }
  }

  /// Columns of a table's observations.
  package func observationColumns(ofTable table: Int) -> [SnapshotColumn] {
    let columns = declaration.layout.tables[table]
    return columns.perObservation.dropLast(columns.streams.count).map {
      column($0, rows: rowCount(ofTable: table))
    }
  }

  /// Columns of a table's members; nil where it has none.
  package func memberColumns(ofTable table: Int) -> [SnapshotColumn]? {
    declaration.layout.tables[table].members?.all.map {
      column($0, rows: contents.members[table])
    }
  }

  /// The dataset of a stream.
  package func streamColumn(_ stream: Int, ofTable table: Int) -> SnapshotColumn {
    column(declaration.layout.tables[table].streams[stream], rows: rowCount(ofTable: table))
  }

  /// Bytes of a column's chunks in the file.
  package func storedBytes(of column: SnapshotColumn) throws(SnapshotError) -> Int {
    try source.storage(column.position).storedBytes
  }

  /// Rows as they are in memory, row-major.
  package func bytes(
    of column: SnapshotColumn, rows: Range<Int>
  ) throws(SnapshotError) -> [UInt8] {
    try source.bytes(column.position, rows: rows)
  }

  /// Passes a column's rows on as bytes, in blocks of about 4 MiB.
  package func forEachBlock(
    of column: SnapshotColumn, rows: Range<Int>? = nil,
    _ body: (Range<Int>, [UInt8]) throws(SnapshotError) -> Void
  ) throws(SnapshotError) {
    let rows = rows ?? 0..<column.rows
    for part in rows.split(every: column.blockRows) {
      try body(part, bytes(of: column, rows: part))
    }
  }

  private func column(_ position: Int, rows: Int) -> SnapshotColumn {
    SnapshotColumn(source.columns[position], at: position, rows: rows)
  }
}
