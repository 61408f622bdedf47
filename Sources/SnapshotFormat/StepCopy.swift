internal import HDF5

/// Copies steps of one or several snapshots into a new one, in a given order.
struct StepCopy {
  /// A step of the new file, and the steps that it is made of: one for each rank that recorded it.
  struct Step {
    struct Part: Hashable {
      var source: Int
      var step: Int
    }
    var parts: [Part]
  }

  private let sources: [Opened]
  private let store: ChunkStore
  private let layout: Layout

  /// - Parameter store: made for the tables of the sources, and empty.
  init(sources: [Opened], to store: ChunkStore) {
    self.sources = sources
    self.store = store
    layout = sources[0].declaration.layout
  }

  /// Appends the steps with all their rows.
  func append(_ steps: [Step]) throws(SnapshotError) {
    appendSteps(steps.map(description))
    for table in layout.tables.indices { try appendTable(table, steps) }
  }

  /// What the lowest rank knows of a step; of losses the mean, of participants the most.
  private func description(_ step: Step) -> StepDescription {
    let parts = step.parts.map { sources[$0.source].contents.steps[$0.step] }
    let losses = parts.map(\.loss).filter { !$0.isNaN }
    var merged = parts[0]
    merged.loss = losses.isEmpty ? .nan : losses.reduce(0, +) / Double(losses.count)
    merged.participants = parts.map(\.participants).max() ?? 0
    return merged
  }

  private func appendSteps(_ steps: [StepDescription]) {
    for (column, position) in zip(StepColumn.allCases, layout.steps) {
      add(steps.flatMap { $0.bytes(of: column) }, to: position)
    }
    if let trainable = layout.trainable {
      let layers = sources[0].declaration.json.layers ?? []
      // A row for each step of as many bytes as there are layers: not all at once.
      for step in steps { add(step.trainable(layers), to: trainable) }
    }
  }

  private func add<T: Element>(_ values: [T], to position: Int) {
    values.withUnsafeBytes { store.append($0, to: position) }
  }

  /// Rows of one source that follow each other, and their members.
  private struct Run {
    var source: Int
    var rows: Range<Int>
    var members: Range<Int>
  }

  private func appendTable(_ table: Int, _ steps: [Step]) throws(SnapshotError) {
    let columns = layout.tables[table]
    var runs: [Run] = []
    let known = try sources.map { opened throws(SnapshotError) in
      try rows(of: table, in: opened)
    }
    for (number, step) in steps.enumerated() {
      for part in step.parts {
        guard let (rows, members) = known[part.source][part.step] else { continue }
        add([UInt32](repeating: UInt32(number), count: rows.count), to: columns.step)
        if let last = runs.last, last.source == part.source,
          last.rows.upperBound == rows.lowerBound
        {
          runs[runs.count - 1].rows = last.rows.lowerBound..<rows.upperBound
          runs[runs.count - 1].members = last.members.lowerBound..<members.upperBound
        } else {
          runs.append(Run(source: part.source, rows: rows, members: members))
        }
      }
    }
    for number in columns.perObservation.indices where number > 0 {
      try appendColumn(columns.perObservation[number], runs.map { ($0.source, $0.rows) }) {
        $0.tables[table].perObservation[number]
      }
    }
    guard let members = columns.members else { return }
    try appendOwners(table, members, runs)
    for number in members.all.indices where number > 0 {
      try appendColumn(members.all[number], runs.map { ($0.source, $0.members) }) {
        $0.tables[table].members?.all[number]
      }
    }
  }

  /// Rows and members of each step that a table has rows of.
  private func rows(
    of table: Int, in opened: Opened
  ) throws(SnapshotError) -> [Int: (rows: Range<Int>, members: Range<Int>)] {
    let steps = opened.contents.tables[table]
    let members = try opened.declaration.layout.tables[table].members.map {
      columns throws(SnapshotError) in
      try MemberRows(opened, table: table, columns)
    }
    return Dictionary(
      uniqueKeysWithValues: steps.indices.map {
        (steps[$0].step, (steps[$0].rows, members?.ranges[$0] ?? 0..<0))
      })
  }

  /// - Parameter origin: the column's position in a source's layout.
  private func appendColumn(
    _ position: Int, _ runs: [(source: Int, rows: Range<Int>)], _ origin: (Layout) -> Int?
  ) throws(SnapshotError) {
    // One window for each source: short runs of neighbouring rows take turns.
    let windows = try sources.map { opened throws(SnapshotError) in
      let own = origin(opened.declaration.layout) ?? position
      let column = SnapshotColumn(
        opened.source.columns[own], at: own, rows: try opened.source.rowCount(own))
      return ColumnWindow(opened.source, column)
    }
    for run in runs where !run.rows.isEmpty {
      try RowCopy.append(run.rows, of: windows[run.source], to: position, in: store)
    }
  }

  /// The members' rows, by the rows of the new table.
  private func appendOwners(
    _ table: Int, _ columns: Layout.Members, _ runs: [Run]
  ) throws(SnapshotError) {
    var written = 0
    for run in runs {
      if let origin = sources[run.source].declaration.layout.tables[table].members {
        let shift = written - run.rows.lowerBound
        try sources[run.source].source.forEachBlock(
          origin.observation, rows: run.members, as: UInt32.self
        ) { _, owners in
          add(owners.map { UInt32(Int($0) + shift) }, to: columns.observation)
          return true
        }
      }
      written += run.rows.count
    }
  }
}
