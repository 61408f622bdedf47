public import LinearAlgebra

/// Rows of x and y that belong together, checked and ready for every estimator.
public struct PairedRows: Sendable {
  /// [n, dx], columns that vary.
  public let x: Matrix
  /// [n, dy], columns that vary.
  public let y: Matrix
  /// Row of the input that each row came from: copies are left out.
  public let sources: [Int]
  /// What is held out together, taken as one in errors and paired anew as a whole: the group of each row where groups were
  /// given, else its record; nil: every row is its own.
  public let units: [Int]?
  /// Whether x, and y, is a label: one column of few whole numbers.
  let xIsLabel: Bool
  let yIsLabel: Bool
  /// What was left out, in sentences.
  public let notes: [String]
  /// Whether copies were left out.
  public let hasDuplicates: Bool

  /// Rows that are used.
  public var count: Int { x.rows }
  /// Units, which are independent of each other, as far as they are of one size.
  var independent: Int { Units.effective(units, rows: count) }

  /// Fewest rows of which anything can be said.
  public static let fewest = 20

  /// Checks rows.
  ///
  /// Columns that do not vary carry nothing and are left out. Rows that equal another in x and in y are copies, not new
  /// observations, unless both sides repeat by nature, as symbols, counts and rounded values do. All but the first are
  /// left out, for in another fold, or as each other's nearest neighbours, they would pass for information.
  ///
  /// - Parameters:
  ///   - x: [n, dx]; y: [n, dy].
  ///   - records: the record of each row: never split over folds.
  ///   - groups: rows that may depend on each other, such as those of one step or person; coarser than records.
  /// - Throws: `InformationError` for lengths that differ, values that are not finite, or fewer than `fewest` rows.
  public init(
    x: Matrix, y: Matrix, records: [Int]? = nil, groups: [Int]? = nil
  ) throws(InformationError) {
    guard x.rows == y.rows else {
      throw InformationError(
        .shape, "expected as many rows in x as in y, found \(x.rows) and \(y.rows)",
        remedy: "Row i of x belongs to row i of y.")
    }
    for (name, ids) in [("records", records), ("groups", groups)] {
      guard let ids, ids.count != x.rows else { continue }
      throw InformationError(
        .shape, "expected one of \(name) for each of \(x.rows) rows, found \(ids.count)",
        remedy: "Give an id for each row.")
    }
    guard x.columns > 0, y.columns > 0 else {
      throw InformationError(
        .shape, "expected columns in x and y, found \(x.columns) and \(y.columns)",
        remedy: "Give at least one column each.")
    }
    if let records, let groups { try Self.requireCoarser(groups, than: records) }
    try Self.requireFinite(x, "x")
    try Self.requireFinite(y, "y")
    try Self.requireSpan(x, "x")
    try Self.requireSpan(y, "y")
    var notes: [String] = []
    let kept = Copies(x, y).kept
    hasDuplicates = kept.count < x.rows
    if hasDuplicates {
      notes.append(
        "\(x.rows - kept.count) of \(x.rows) rows are copies of others and were left out.")
    }
    guard kept.count >= Self.fewest else {
      throw InformationError(
        .tooFewRows, "expected at least \(Self.fewest) distinct rows, found \(kept.count)",
        remedy: "Record more rows.")
    }
    func varying(_ rows: Matrix, _ name: String) -> Matrix {
      let used = kept.count == rows.rows ? rows : rows.gatheringRows(kept)
      let columns = (0..<used.columns).filter { used.varies(inColumn: $0) }
      guard columns.count < used.columns else { return used }
      notes.append(
        "\(used.columns - columns.count) of \(used.columns) columns of \(name) do not vary and were left out."
      )
      return used.gatheringColumns(columns)
    }
    self.x = varying(x, "x")
    self.y = varying(y, "y")
    (xIsLabel, yIsLabel) = (Self.isLabel(self.x), Self.isLabel(self.y))
    sources = kept
    units = (groups ?? records).map { ids in kept.map { ids[$0] } }
    self.notes = notes
  }

  /// Some of the rows of others, which were checked.
  init(_ rows: [Int], of other: PairedRows) {
    func varying(_ side: Matrix) -> Matrix {
      let used = side.gatheringRows(rows)
      return used.gatheringColumns((0..<used.columns).filter { used.varies(inColumn: $0) })
    }
    (x, y) = (varying(other.x), varying(other.y))
    // A part of a label's values is a label still, however few its rows.
    (xIsLabel, yIsLabel) = (other.xIsLabel, other.yIsLabel)
    sources = rows.map { other.sources[$0] }
    units = other.units.map { units in rows.map { units[$0] } }
    (notes, hasDuplicates) = ([], false)
  }

  /// The same rows with other values of x, and of y.
  init(replacing x: Matrix, and y: Matrix? = nil, in other: PairedRows) {
    (self.x, self.y) = (x, y ?? other.y)
    (xIsLabel, yIsLabel) = (other.xIsLabel, other.yIsLabel)
    (sources, units) = (other.sources, other.units)
    (notes, hasDuplicates) = ([], false)
  }

  /// Whether there are few distinct whole numbers for the rows.
  private static func isLabel(_ rows: Matrix) -> Bool {
    guard rows.columns == 1, rows.elements.allSatisfy({ $0 == $0.rounded() }) else { return false }
    return Set(rows.elements).count <= max(2, min(100, rows.rows / 20))
  }

  private static func requireCoarser(
    _ groups: [Int], than records: [Int]
  ) throws(InformationError) {
    var group: [Int: Int] = [:]
    for (row, record) in records.enumerated() {
      guard let known = group.updateValue(groups[row], forKey: record), known != groups[row] else {
        continue
      }
      throw InformationError(
        .shape, "expected each record in one group, found record \(record) in two",
        remedy: "Give groups that hold whole records.")
    }
  }

  /// Beyond, squares and their sums may be no numbers.
  private static let largest = 1e150
  /// Columns that span less have squares that may be 0.
  private static let smallest = 1e-150

  private static func requireSpan(_ rows: Matrix, _ name: String) throws(InformationError) {
    for column in 0..<rows.columns {
      let values = (0..<rows.rows).lazy.map { rows[$0, column] }
      guard let low = values.min(), let high = values.max(), high > low, high - low < smallest
      else { continue }
      throw InformationError(
        .unsuitable,
        "\(name): expected columns that span 1e-150 at least, found \(high - low) in column \(column)",
        remedy: "Give it in other units.")
    }
  }

  private static func requireFinite(_ rows: Matrix, _ name: String) throws(InformationError) {
    func isFine(_ value: Double) -> Bool { abs(value) <= largest }
    guard let place = rows.elements.firstIndex(where: { !isFine($0) }) else { return }
    let count = rows.elements.count { !isFine($0) }
    throw InformationError(
      .notFinite,
      "\(name): expected finite numbers up to 1e150, found \(rows.elements[place]) in row \(place / rows.columns), column \(place % rows.columns), and \(count) such values in all",
      remedy: "Leave these rows out of x and y.")
  }
}

extension Matrix {
  fileprivate func varies(inColumn column: Int) -> Bool {
    rows > 0 && (1..<rows).contains { self[$0, column] != self[0, column] }
  }
}
