private import Foundation
internal import HDF5

/// Checks a snapshot or analysis file against the specification, payload included.
public enum Validator {
  /// One broken requirement.
  public struct Violation: Sendable, Codable, Equatable {
    /// Number of the requirement in spec/SPEC.md.
    public var requirement: String
    /// Path of the object.
    public var object: String
    /// What was expected and what was found.
    public var message: String
  }

  /// Every violation that can be found, in the order of the file; O(file size).
  ///
  /// Where the structure of a file is broken, its rows are not looked at.
  ///
  /// - Throws: `SnapshotError` if the file cannot be opened as one of ours at all.
  public static func violations(inFileAt path: String) throws(SnapshotError) -> [Violation] {
    if AnalysisFile.isAnalysis(path) { return try AnalysisFile.violations(inFileAt: path) }
    let opened = try Opened(path)
    var breaches = opened.breaches
    if breaches.isEmpty {
      var check = PayloadCheck(opened)
      check.run()
      breaches = check.breaches
    }
    return breaches.map {
      Violation(requirement: $0.requirement, object: $0.object, message: $0.message)
    }
  }
}

/// Reads every row of a snapshot and notes what may not be there.
private struct PayloadCheck {
  private let opened: Opened
  private(set) var breaches: [DescriptionRules.Breach] = []

  init(_ opened: Opened) { self.opened = opened }

  private var layout: Layout { opened.declaration.layout }

  private mutating func note(_ requirement: String, _ column: Int, _ message: String) {
    breaches.append(
      .init(
        requirement: requirement, object: opened.source.columns[column].path, message: message))
  }

  /// Reads a column to its end; what cannot be read is a breach of R-051.
  private mutating func read<T: Element>(
    _ column: Int, rows: Int, as type: T.Type,
    _ fault: (Range<Int>, [T]) -> (requirement: String, message: String)?
  ) {
    var found: (requirement: String, message: String)?
    do throws(SnapshotError) {
      try opened.source.forEachBlock(column, rows: 0..<rows, as: T.self) { range, values in
        found = fault(range, values)
        return found == nil
      }
    } catch {
      found = (error.requirement ?? "R-051", error.message)
    }
    if let found { note(found.requirement, column, found.message) }
  }

  /// Steps of few rows share chunks: none is decoded once for each.
  private func window(_ column: Int, rows: Int) -> ColumnWindow {
    ColumnWindow(
      opened.source, SnapshotColumn(opened.source.columns[column], at: column, rows: rows))
  }

  mutating func run() {
    for (number, table) in opened.declaration.tables.enumerated() {
      let columns = layout.tables[number]
      let ranges = opened.contents.tables[number]
      let rows = ranges.last?.rows.upperBound ?? 0
      checkRecords(columns.record, table, ranges, rows: rows)
      read(columns.rank, rows: rows, as: UInt16.self) { _, _ in nil }
      if let weight = columns.weight {
        read(weight, rows: rows, as: Double.self) { range, values in
          values.firstIndex(where: \.isInfinite).map {
            (
              "R-093",
              "expected finite weights, found \(values[$0]) in row \(range.lowerBound + $0)"
            )
          }
        }
      }
      if let localSteps = columns.localSteps {
        read(localSteps, rows: rows, as: UInt32.self) { _, _ in nil }
      }
      if let members = columns.members { checkMembers(members, number, rows: rows) }
      for (stream, column) in zip(table.streams, columns.streams) {
        checkStream(stream, column, rows: rows)
      }
      checkFrozen(table, columns, ranges)
    }
  }

  private mutating func checkRecords(
    _ column: Int, _ table: TableDescription, _ ranges: [Contents.StepRows], rows: Int
  ) {
    guard table.mode == .probe else {
      return read(column, rows: rows, as: UInt8.self) { _, _ in nil }
    }
    let window = window(column, rows: rows)
    for range in ranges {
      do throws(SnapshotError) {
        let records = try window.values(range.rows, as: UInt128.self)
        guard Set(records).count != records.count else { continue }
        note(
          "R-036", column,
          "expected each record once in probe step \(opened.contents.steps[range.step].index)")
      } catch {
        return note(error.requirement ?? "R-051", column, error.message)
      }
    }
  }

  private mutating func checkMembers(_ columns: Layout.Members, _ table: Int, rows: Int) {
    let count = opened.contents.members[table]
    var last: UInt32 = 0
    read(columns.observation, rows: count, as: UInt32.self) { _, values in
      for value in values {
        if value < last {
          return ("R-091", "expected ascending observations, found \(value) after \(last)")
        }
        if value >= rows { return ("R-091", "expected one of \(rows) rows, found \(value)") }
        last = value
      }
      return nil
    }
    read(columns.record, rows: count, as: UInt8.self) { _, _ in nil }
    read(columns.weight, rows: count, as: Double.self) { range, values in
      values.firstIndex { !$0.isFinite }.map {
        ("R-092", "expected finite weights, found \(values[$0]) in row \(range.lowerBound + $0)")
      }
    }
  }

  private mutating func checkStream(_ stream: StreamDescription, _ column: Int, rows: Int) {
    let width = max(1, stream.width)
    if stream.kind == .label {
      read(column, rows: rows, as: Int32.self) { range, values in
        values.firstIndex { $0 < 0 }.map {
          (
            "R-046",
            "expected labels from 0, found \(values[$0]) in row \(range.lowerBound + $0 / width)"
          )
        }
      }
    } else {
      read(column, rows: rows, as: Float.self) { range, values in
        guard !FiniteScan.areFinite(values) else { return nil }
        return values.firstIndex { !$0.isFinite }.map {
          (
            "R-046",
            "expected finite numbers, found \(values[$0]) in row \(range.lowerBound + $0 / width)"
          )
        }
      }
    }
  }

  /// Rows of a frozen layer are zero.
  private mutating func checkFrozen(
    _ table: TableDescription, _ columns: Layout.Table, _ ranges: [Contents.StepRows]
  ) {
    for (stream, column) in zip(table.streams, columns.streams) {
      guard let layer = stream.kind.layer else { continue }
      let window = window(column, rows: ranges.last?.rows.upperBound ?? 0)
      for range in ranges {
        let step = opened.contents.steps[range.step]
        guard step.frozenLayers?.contains(layer) == true else { continue }
        // What cannot be read has been noted.
        guard let values = try? window.values(range.rows, as: Float.self),
          values.contains(where: { $0 != 0 })
        else { continue }
        note(
          "R-025", column,
          "expected zeros for the frozen layer '\(layer.prefix(80))' in step \(step.index)")
        break
      }
    }
  }
}
