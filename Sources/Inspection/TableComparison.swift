internal import Results
internal import SnapshotFormat

/// What differs between two tables of the same name.
struct TableComparison {
  private let a: Reader
  private let b: Reader
  private let first: Int
  private let second: Int
  private let place: String
  /// For each step of A, the row of the same in B.
  private let partner: [Int?]
  private var columns: [(place: String, comparison: ColumnComparison)] = []
  private var members: MemberComparison?

  init(_ a: Reader, _ first: Int, _ b: Reader, _ second: Int, steps partner: [Int?]) {
    self.a = a
    self.b = b
    self.first = first
    self.second = second
    self.partner = partner
    place = "table '\(a.tables[first].name)'"
    let others = b.observationColumns(ofTable: second)
    for column in a.observationColumns(ofTable: first)
    where !["step", "record"].contains(column.name) {
      guard let other = others.first(where: { $0.name == column.name }) else { continue }
      compare("\(place) \(column.name)", column, other)
    }
    for (stream, other) in Self.pairStreams(a.tables[first], b.tables[second]) {
      let column = a.streamColumn(stream, ofTable: first)
      let otherColumn = b.streamColumn(other, ofTable: second)
      guard column.type == otherColumn.type, column.width == otherColumn.width else { continue }
      compare("\(place) stream '\(a.tables[first].streams[stream].name)'", column, otherColumn)
    }
    if let one = a.memberColumns(ofTable: first), let two = b.memberColumns(ofTable: second) {
      members = MemberComparison(MemberWindow(a, one), MemberWindow(b, two))
    }
  }

  private mutating func compare(_ place: String, _ a: SnapshotColumn, _ b: SnapshotColumn) {
    columns.append(
      (place, ColumnComparison(ColumnWindow(self.a, a), ColumnWindow(self.b, b))))
  }

  /// Compares all rows.
  mutating func run() throws(SnapshotError) -> [Difference] {
    let others = Dictionary(
      uniqueKeysWithValues: b.stepRanges(ofTable: second).map { ($0.step, $0.rows) })
    var alignment = RowAlignment(
      ColumnWindow(a, a.observationColumns(ofTable: first)[1]),
      ColumnWindow(b, b.observationColumns(ofTable: second)[1]))
    var paired = 0
    for (step, rows) in a.stepRanges(ofTable: first) {
      guard let other = partner[step].flatMap({ others[$0] }) else {
        alignment.skip(a: rows.count)
        continue
      }
      paired += other.count
      try alignment.add(rows, other) { rows throws(SnapshotError) in try compare(rows) }
    }
    try alignment.flush { rows throws(SnapshotError) in try compare(rows) }
    alignment.skip(b: b.rowCount(ofTable: second) - paired)
    return differences(onlyA: alignment.onlyA, onlyB: alignment.onlyB)
  }

  private mutating func compare(_ rows: [AlignedRows]) throws(SnapshotError) {
    for position in columns.indices { try columns[position].comparison.add(rows) }
    try members?.add(rows)
  }

  private func differences(onlyA: Int, onlyB: Int) -> [Difference] {
    var found: [Difference] = []
    for (count, file) in [(onlyA, "A"), (onlyB, "B")] where count > 0 {
      found.append(
        Difference(
          place, "\(count) \(count == 1 ? "row" : "rows") only in \(file)", rows: count))
    }
    for (place, column) in columns {
      if let difference = difference(place, column.rows, column.largest, column.first) {
        found.append(difference)
      }
    }
    if let members, let difference = difference("\(place) members", members.rows, 0, members.first)
    {
      found.append(difference)
    }
    return found
  }

  private func difference(
    _ place: String, _ rows: Int, _ largest: Double, _ row: Int?
  ) -> Difference? {
    guard let row else { return nil }
    let ranges = a.stepRanges(ofTable: first)
    let step = ranges.first { $0.rows.contains(row) }.map { a.steps[$0.step].index }
    let amount = largest > 0 ? ", by up to \(largest)" : ""
    return Difference(
      place,
      "\(rows) of \(a.rowCount(ofTable: first)) rows \(rows == 1 ? "differs" : "differ")\(amount)"
        + (step.map { ", first in step \($0)" } ?? ""),
      rows: rows, largest: largest > 0 ? largest : nil, firstStep: step)
  }
}

extension TableComparison {
  /// Streams of the same name, which is unique in a table.
  private static func pairStreams(
    _ a: TableDescription, _ b: TableDescription
  ) -> [(Int, Int)] {
    let others = Dictionary(b.streams.enumerated().map { (ExactText($1.name), $0) }) {
      first, _ in first
    }
    return a.streams.enumerated().compactMap { number, stream in
      others[ExactText(stream.name)].map { (number, $0) }
    }
  }

  /// What differs in the descriptions of two tables and of their streams.
  static func descriptions(
    _ a: TableDescription, _ b: TableDescription, _ place: String
  ) -> [Difference] {
    var found: [Difference] = []
    func add(_ difference: Difference?) { if let difference { found.append(difference) } }
    add(Difference("\(place) unit", a.unit.rawValue, b.unit.rawValue))
    add(Difference("\(place) mode", a.mode.description, b.mode.description))
    found += JSONValue.differences("\(place) schedule", texts: a.schedule, b.schedule)
    for (column, name) in [
      (TableDescription.Columns.weight, "weights"), (.localSteps, "local steps"),
      (.members, "members"),
    ] where a.columns.contains(column) != b.columns.contains(column) {
      found.append(
        Difference("\(place) \(name)", "only in \(a.columns.contains(column) ? "A" : "B")"))
    }
    let pairs = pairStreams(a, b)
    let (first, second) = (Set(pairs.map(\.0)), Set(pairs.map(\.1)))
    for number in a.streams.indices where !first.contains(number) {
      found.append(Difference("\(place) stream '\(a.streams[number].name)'", "only in A"))
    }
    for number in b.streams.indices where !second.contains(number) {
      found.append(Difference("\(place) stream '\(b.streams[number].name)'", "only in B"))
    }
    if zip(pairs, pairs.dropFirst()).contains(where: { $0.1 > $1.1 }) {
      found.append(Difference("\(place) streams", "stand in another order"))
    }
    for (one, two) in pairs { found += descriptions(a.streams[one], b.streams[two], place) }
    return found
  }

  private static func descriptions(
    _ a: StreamDescription, _ b: StreamDescription, _ table: String
  ) -> [Difference] {
    let place = "\(table) stream '\(a.name)'"
    let (one, two) = (a.kind, b.kind)
    func sketch(_ stream: StreamDescription) -> String? {
      stream.sketch.map { "\($0.width) numbers, \($0.nonzeros) nonzeros, seed \($0.seed)" }
    }
    func clipping(_ stream: StreamDescription) -> String? {
      stream.clipping.map {
        "norm \($0.norm)" + ($0.noiseMultiplier.map { ", noise multiplier \($0)" } ?? "")
      }
    }
    return [
      Difference("\(place) kind", one.name, two.name),
      Difference("\(place) layer", one.layer, two.layer),
      Difference("\(place) stage", one.stage?.rawValue, two.stage?.rawValue),
      Difference("\(place) shape", of: a.shape, and: b.shape),
      Difference("\(place) sketch", sketch(a), sketch(b)),
      Difference("\(place) clipping", clipping(a), clipping(b)),
      Difference("\(place) role", a.role?.rawValue, b.role?.rawValue),
      Difference("\(place) unit", a.unit, b.unit),
    ].compactMap { $0 }
  }
}
