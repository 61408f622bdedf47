internal import Results
internal import SnapshotFormat

/// What differs between two snapshots; storage does not count.
struct SnapshotComparison {
  private(set) var differences: [Difference] = []
  private let a: Reader
  private let b: Reader

  init(_ a: Reader, _ b: Reader) throws(SnapshotError) {
    self.a = a
    self.b = b
    compareRuns()
    let steps = StepComparison(a, b)
    differences += steps.differences
    for (first, second) in pairTables() {
      let name = "table '\(a.tables[first].name)'"
      differences += TableComparison.descriptions(a.tables[first], b.tables[second], name)
      var rows = TableComparison(a, first, b, second, steps: steps.partner)
      differences += try rows.run()
    }
  }

  private mutating func add(_ difference: Difference?) {
    if let difference { differences.append(difference) }
  }

  private mutating func compareRuns() {
    add(Difference("@version", a.version, b.version))
    add(Difference("@run_id", a.run.id, b.run.id))
    add(Difference("@created", a.run.created, b.run.created))
    add(Difference("@producer", a.run.producer, b.run.producer))
    add(Difference("@status", a.status.rawValue, b.status.rawValue))
    differences += JSONValue.differences("model", texts: a.run.model, b.run.model)
    differences += JSONValue.differences("training", texts: a.run.training, b.run.training)
    differences += JSONValue.differences("observer", texts: a.run.observer, b.run.observer)
    add(Difference("sessions", of: a.sessions.count, and: b.sessions.count))
    for (number, (one, two)) in zip(a.sessions, b.sessions).enumerated() {
      let place = "sessions[\(number)]"
      add(Difference("\(place).first_step", of: one.firstStep, and: two.firstStep))
      add(Difference("\(place).started", one.started, two.started))
      add(Difference("\(place).cut_bytes", of: one.cutBytes, and: two.cutBytes))
      add(Difference("\(place).rank", of: one.rank, and: two.rank))
    }
    add(Difference("steps/loss@unit", a.run.lossUnit, b.run.lossUnit))
  }

  /// Tables of the same name, the k-th of one name with the k-th; notes those that have none.
  private mutating func pairTables() -> [(Int, Int)] {
    var others = Dictionary(grouping: b.tables.indices.reversed()) {
      ExactText(b.tables[$0].name)
    }
    var pairs: [(Int, Int)] = []
    for (number, table) in a.tables.enumerated() {
      if let other = others[ExactText(table.name)]?.popLast() {
        pairs.append((number, other))
      } else {
        differences.append(Difference("table '\(table.name)'", "only in A"))
      }
    }
    let paired = Set(pairs.map(\.1))
    for (number, table) in b.tables.enumerated() where !paired.contains(number) {
      differences.append(Difference("table '\(table.name)'", "only in B"))
    }
    if zip(pairs, pairs.dropFirst()).contains(where: { $0.1 > $1.1 }) {
      differences.append(Difference("tables", "stand in another order"))
    }
    return pairs
  }
}
