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
    guard Set(rows.map(\.table)).count == rows.count else {
      throw mismatch("/tables", "expected each table once per step")
    }
    for part in rows {
      guard tables.indices.contains(part.table) else {
        throw mismatch("/tables", "expected one of \(tables.count) tables, found \(part.table)")
      }
      let table = tables[part.table].description
      guard table.mode == step.mode else {
        throw mismatch(table.name, "expected a \(table.mode) step, found \(step.mode)")
      }
      guard part.values.count == table.streams.count else {
        throw mismatch(
          table.name, "expected \(table.streams.count) streams, found \(part.values.count)")
      }
      for (stream, values) in zip(table.streams, part.values) {
        let isLabel = if case .label = values { true } else { false }
        guard isLabel == (stream.kind == .label) else {
          throw mismatch(
            "\(table.name)/\(stream.name)",
            "expected \(isLabel ? "numbers" : "labels"), found \(isLabel ? "labels" : "numbers")")
        }
        if let fault = values.firstFault {
          throw mismatch(
            "\(table.name)/\(stream.name)",
            "expected finite numbers, and labels from 0, found \(fault.value) in row \(fault.index / max(1, stream.width))"
          )
        }
        guard values.count == part.records.count * stream.width else {
          throw mismatch(
            "\(table.name)/\(stream.name)",
            "expected \(part.records.count) rows of \(stream.width), found \(values.count) numbers")
        }
      }
    }
  }
}
