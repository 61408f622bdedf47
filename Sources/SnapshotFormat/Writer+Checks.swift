extension Writer {
  /// Refuses a step whose rows do not fit what was declared, before anything is written.
  func check(_ step: StepDescription, _ rows: [TableRows]) throws(SnapshotError) {
    func mismatch(_ object: String, _ message: String) -> SnapshotError {
      SnapshotError(code: .rowMismatch, file: path, object: object, message: message)
    }
    guard step.index >= lastIndex else {
      throw mismatch(
        "/steps", "expected a step index of at least \(lastIndex), found \(step.index)")
    }
    for (name, number) in [
      ("accumulation", step.accumulation), ("participants", step.participants),
    ] where !(0...Int(UInt32.max)).contains(number) {
      throw mismatch("/steps/\(name)", "expected a number from 0 to 2^32 - 1, found \(number)")
    }
    if let frozen = step.frozenLayers {
      guard layout.trainable != nil else {
        throw mismatch(
          "/steps", "expected a file that says which layers are frozen, found one that does not")
      }
      if let stranger = frozen.subtracting(declaration.json.layers ?? []).first {
        throw mismatch("/steps", "expected layers of the model, found '\(stranger)'")
      }
    }
    guard Set(rows.map(\.table)).count == rows.count else {
      throw mismatch("/tables", "expected each table once per step")
    }
    for part in rows {
      guard declaration.tables.indices.contains(part.table) else {
        throw mismatch(
          "/tables", "expected one of \(declaration.tables.count) tables, found \(part.table)")
      }
      let table = declaration.tables[part.table]
      guard table.mode == step.mode else {
        throw mismatch(table.name, "expected a \(table.mode) step, found \(step.mode)")
      }
      if let message = Self.columnFault(part, table) { throw mismatch(table.name, message) }
      guard part.values.count == table.streams.count else {
        throw mismatch(
          table.name, "expected \(table.streams.count) streams, found \(part.values.count)")
      }
      let frozen = step.frozenLayers ?? []
      let shapes = layout.tables[part.table].shapes
      for (position, shape) in shapes.enumerated()
      where !frozen.isEmpty || !shape.fits(part.values[position], rows: part.records.count) {
        let stream = table.streams[position]
        if let message = Self.fault(part.values[position], of: stream, part, frozen: frozen) {
          throw mismatch("\(table.name)/\(stream.name)", message)
        }
      }
    }
  }

  /// Refuses rows past the format's limits: no reader would take the journal that has them.
  func requireRoom(for rows: [TableRows], in store: ChunkStore) throws(SnapshotError) {
    for part in rows {
      let table = layout.tables[part.table]
      let counts = [
        (table.step, part.records.count, Limits.observations, "observations"),
        (
          table.members?.record ?? table.step, part.members.records.count, Limits.members, "members"
        ),
      ]
      for (column, count, most, what) in counts
      where count > 0 && store.states[column].rows + count > most {
        throw SnapshotError(
          code: .failed, file: path, object: declaration.tables[part.table].name,
          message: "expected at most \(most) \(what)", remedy: "Start another file.")
      }
    }
  }

  /// What is wrong with the columns beside the streams.
  private static func columnFault(_ part: TableRows, _ table: TableDescription) -> String? {
    let count = part.records.count
    if table.mode == .probe, Set(part.records).count != count {
      return "expected each record once in a probe step"
    }
    let weights = table.columns.contains(.weight) ? count : 0
    if part.weights.count != weights {
      return "expected \(weights) weights, found \(part.weights.count)"
    }
    if part.weights.contains(where: \.isInfinite) { return "expected finite weights" }
    let localSteps = table.columns.contains(.localSteps) ? count : 0
    if part.localSteps.count != localSteps {
      return "expected \(localSteps) numbers of local steps, found \(part.localSteps.count)"
    }
    if part.localSteps.contains(where: { !(0...Int(UInt32.max)).contains($0) }) {
      return "expected local steps of at least 0"
    }
    let members = part.members
    let counts = table.columns.contains(.members) ? count : 0
    if members.counts.count != counts || members.counts.contains(where: { $0 < 0 }) {
      return "expected members of \(counts) rows, found those of \(members.counts.count)"
    }
    let sum = members.counts.reduce(0, +)
    if members.records.count != sum || members.weights.count != sum {
      return
        "expected \(sum) members, found \(members.records.count) records and \(members.weights.count) weights"
    }
    if !members.weights.allSatisfy(\.isFinite) { return "expected finite weights of members" }
    return nil
  }

  private static func fault(
    _ values: TableRows.Values, of stream: StreamDescription, _ part: TableRows,
    frozen: Set<String>
  ) -> String? {
    let isLabel = if case .label = values { true } else { false }
    guard isLabel == (stream.kind == .label) else {
      return "expected \(isLabel ? "numbers" : "labels"), found \(isLabel ? "labels" : "numbers")"
    }
    if let fault = values.firstFault {
      return
        "expected finite numbers, and labels from 0, found \(fault.value) in row \(fault.index / max(1, stream.width))"
    }
    guard values.count == part.records.count * stream.width else {
      return
        "expected \(part.records.count) rows of \(stream.width), found \(values.count) numbers"
    }
    if let layer = stream.kind.layer, frozen.contains(layer), case .float(let numbers) = values,
      numbers.contains(where: { $0 != 0 })
    {
      return "expected zeros for a frozen layer"
    }
    return nil
  }
}

extension Layout.StreamShape {
  /// Whether values are so many rows of this shape that a file may hold.
  fileprivate func fits(_ values: TableRows.Values, rows: Int) -> Bool {
    switch values {
    case .float(let numbers):
      !isLabel && numbers.count == rows * width && FiniteScan.areFinite(numbers)
    case .label(let labels):
      isLabel && labels.count == rows * width && labels.allSatisfy { $0 >= 0 }
    }
  }
}
