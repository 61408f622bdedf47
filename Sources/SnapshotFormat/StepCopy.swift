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
  /// For each source and table: rows of each step.
  private let ranges: [[[Int: Range<Int>]]]

  /// - Parameter store: made for the tables of the sources, and empty.
  init(sources: [Opened], to store: ChunkStore) {
    self.sources = sources
    self.store = store
    ranges = sources.map { opened in
      opened.contents.tables.map { table in
        Dictionary(uniqueKeysWithValues: table.map { ($0.step, $0.rows) })
      }
    }
  }

  /// Appends the steps with all their rows.
  func append(_ steps: [Step]) throws(SnapshotError) {
    let layout = sources[0].declaration.layout
    for (kind, position) in zip(StepColumn.allCases, layout.steps) {
      try appendSteps(steps, kind, position)
    }
    if let trainable = layout.trainable {
      for step in steps {
        let part = step.parts[0]
        try RowCopy.append(
          part.step..<part.step + 1, of: trainable, from: sources[part.source].source,
          to: trainable, in: store)
      }
    }
    for table in layout.tables.indices { try appendTable(table, steps) }
  }

  /// A column of /steps: what the lowest rank knows; of losses the mean, of participants the largest.
  private func appendSteps(
    _ steps: [Step], _ kind: StepColumn, _ position: Int
  ) throws(SnapshotError) {
    if kind == .loss || kind == .participants {
      for step in steps {
        let parts = step.parts.map { sources[$0.source].contents.steps[$0.step] }
        if kind == .loss {
          let known = parts.map(\.loss).filter { !$0.isNaN }
          add([known.isEmpty ? .nan : known.reduce(0, +) / Double(known.count)], to: position)
        } else {
          add([UInt32(clamping: parts.map(\.participants).max() ?? 0)], to: position)
        }
      }
      return
    }
    for step in steps {
      let part = step.parts[0]
      try RowCopy.append(
        part.step..<part.step + 1, of: position, from: sources[part.source].source, to: position,
        in: store)
    }
  }

  private func add<T: Element>(_ values: [T], to position: Int) {
    values.withUnsafeBytes { store.append($0, to: position) }
  }

  /// Rows of one source that follow each other.
  private struct Run {
    var source: Int
    var rows: Range<Int>
  }

  private func appendTable(_ table: Int, _ steps: [Step]) throws(SnapshotError) {
    let columns = sources[0].declaration.layout.tables[table]
    var runs: [Run] = []
    var stepOf: [UInt32] = []
    for (number, step) in steps.enumerated() {
      for part in step.parts {
        guard let rows = ranges[part.source][table][part.step] else { continue }
        if let last = runs.last, last.source == part.source,
          last.rows.upperBound == rows.lowerBound
        {
          runs[runs.count - 1].rows = last.rows.lowerBound..<rows.upperBound
        } else {
          runs.append(Run(source: part.source, rows: rows))
        }
        stepOf += repeatElement(UInt32(number), count: rows.count)
        if stepOf.count > 1 << 20 {
          add(stepOf, to: columns.step)
          stepOf = []
        }
      }
    }
    add(stepOf, to: columns.step)
    for position in columns.perObservation where position != columns.step {
      for run in runs {
        let origin = sources[run.source].declaration.layout.tables[table]
        let own = origin.perObservation[columns.perObservation.firstIndex(of: position)!]
        try RowCopy.append(
          run.rows, of: own, from: sources[run.source].source, to: position, in: store)
      }
    }
    if let members = columns.members { try appendMembers(table, members, runs) }
  }

  private func appendMembers(
    _ table: Int, _ columns: Layout.Members, _ runs: [Run]
  ) throws(SnapshotError) {
    var written = 0
    for run in runs {
      let opened = sources[run.source]
      guard let origin = opened.declaration.layout.tables[table].members else { continue }
      let owners: [UInt32] = try opened.source.read(
        origin.observation, rows: 0..<opened.contents.members[table])
      let first = owners.firstIndex { $0 >= run.rows.lowerBound } ?? owners.count
      let end = owners.firstIndex { $0 >= run.rows.upperBound } ?? owners.count
      add(
        owners[first..<end].map { UInt32(Int($0) - run.rows.lowerBound + written) },
        to: columns.observation)
      for (own, position) in [(origin.record, columns.record), (origin.weight, columns.weight)] {
        try RowCopy.append(
          first..<end, of: own, from: opened.source, to: position, in: store)
      }
      written += run.rows.count
    }
  }
}
