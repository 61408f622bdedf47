private import Foundation
public import SnapshotFormat

/// Writes the arrays of a snapshot in forms that other software reads.
public struct Export {
  /// The forms.
  public enum Format: String, Sendable, CaseIterable {
    /// A zip of .npy arrays, for numpy.load.
    case npz
    /// Hugging Face's safetensors.
    case safetensors
    /// A table of scalars, labels and ids, for people and spreadsheets.
    case csv
  }

  /// An array of the export: one dataset, cut to the rows that are asked for.
  struct Array {
    var name: String
    var column: SnapshotColumn
    var rows: Range<Int>
    var shape: [Int] { [rows.count] + (column.width.map { [$0] } ?? []) }
    var bytes: Int { rows.count * column.rowBytes }
  }

  let reader: Reader
  private let tables: [Int]
  private let streams: Set<String>
  private let steps: ClosedRange<Int>?
  /// Whether one table was asked for.
  private let isOfTable: Bool
  /// The steps that are exported, by place.
  private let stepRows: Range<Int>

  /// Selects what is exported.
  ///
  /// - Parameters:
  ///   - table: name or number of one table; nil: all.
  ///   - streams: names of streams; empty: all.
  ///   - steps: range of step indices; nil: all.
  /// - Throws: as `Reader.init`; `notFound` for a table or stream that is not there.
  public init(
    _ path: String, table: String? = nil, streams: [String] = [], steps: ClosedRange<Int>? = nil
  ) throws(SnapshotError) {
    let reader = try Reader(path: path)
    self.reader = reader
    self.steps = steps
    self.streams = Set(streams)
    isOfTable = table != nil
    let first = steps.flatMap { range in
      reader.steps.firstIndex { $0.index >= range.lowerBound } ?? reader.steps.count
    }
    let end = steps.flatMap { range in reader.steps.firstIndex { $0.index > range.upperBound } }
    stepRows = (first ?? 0)..<max(first ?? 0, end ?? reader.steps.count)
    let names = reader.tables.map(\.name)
    if let table {
      let found = names.indices.filter { names[$0] == table || "\($0)" == table }
      guard let first = found.first else {
        throw SnapshotError(
          code: .notFound, file: path, object: "/tables",
          message: "expected one of \(Self.list(names)), found no '\(table)'")
      }
      tables = [first]
    } else {
      tables = Swift.Array(names.indices)
    }
    let known = Set(tables.flatMap { reader.tables[$0].streams.map(\.name) })
    if let stranger = streams.first(where: { !known.contains($0) }) {
      throw SnapshotError(
        code: .notFound, file: path, object: "/tables",
        message: "expected one of \(Self.list(known.sorted())), found no stream '\(stranger)'")
    }
  }

  private static func list(_ names: [String]) -> String {
    names.prefix(8).map { "'\($0.prefix(40))'" }.joined(separator: ", ")
  }

  /// Writes everything that was selected; the file appears whole or not at all.
  public func write(_ format: Format, to path: String, force: Bool) throws(SnapshotError) {
    let output = try ReplacingFile(path, force: force)
    do throws(SnapshotError) {
      let file = try SequentialFile(output.temporary)
      switch format {
      case .npz: try writeNPZ(to: file)
      case .safetensors: try writeSafetensors(to: file)
      case .csv: try writeCSV(to: file)
      }
      try file.close()
    } catch {
      var own = error
      if own.file == output.temporary { own.file = path }
      throw own
    }
    try output.commit()
  }

  // MARK: What

  private func rows(ofTable table: Int) -> Range<Int> {
    let ranges = reader.stepRanges(ofTable: table).filter { stepRows.contains($0.step) }
    return (ranges.first?.rows.lowerBound ?? 0)..<(ranges.last?.rows.upperBound ?? 0)
  }

  /// Name of a table in the export; its number too where others share it.
  private func name(ofTable table: Int) -> String {
    let name = reader.tables[table].name
    let isShared = reader.tables.count { $0.name == name } > 1
    // A plus sign is no part of an encoded name.
    return Self.encoded(name) + (isShared ? "+\(table)" : "")
  }

  /// A name as one part of a path, and no other's: percent-encoded but for what is harmless everywhere.
  private static func encoded(_ name: String) -> String {
    let isHidden = name.hasPrefix(".")
    return name.utf8.enumerated().reduce(into: "") { result, byte in
      let scalar = Unicode.Scalar(byte.element)
      let isPlain =
        "-_. ()".unicodeScalars.contains(scalar) || scalar.properties.isAlphabetic
        || scalar.properties.numericType != nil
      if byte.element < 128, isPlain, !(isHidden && byte.offset == 0) {
        result.unicodeScalars.append(scalar)
      } else {
        let digits = String(byte.element, radix: 16, uppercase: true)
        result += "%" + (digits.count == 1 ? "0" : "") + digits
      }
    }
  }

  var arrays: [Array] {
    var found: [Array] = []
    if streams.isEmpty {
      for column in reader.stepColumns {
        // Whole, whatever steps are chosen: observations/step counts in them.
        found.append(
          Array(name: "steps/\(column.name)", column: column, rows: 0..<reader.steps.count))
      }
    }
    for table in tables {
      let place = "tables/\(name(ofTable: table))"
      let rows = rows(ofTable: table)
      for column in reader.observationColumns(ofTable: table) {
        found.append(
          Array(name: "\(place)/observations/\(column.name)", column: column, rows: rows))
      }
      if steps == nil, streams.isEmpty {
        for column in reader.memberColumns(ofTable: table) ?? [] {
          found.append(
            Array(name: "\(place)/members/\(column.name)", column: column, rows: 0..<column.rows))
        }
      }
      for (position, stream) in reader.tables[table].streams.enumerated()
      where streams.isEmpty || streams.contains(stream.name) {
        found.append(
          Array(
            name: "\(place)/streams/\(Self.encoded(stream.name))",
            column: reader.streamColumn(position, ofTable: table), rows: rows))
      }
    }
    return found
  }

  func forEachBlock(
    of array: Array, _ body: ([UInt8]) throws(SnapshotError) -> Void
  ) throws(SnapshotError) {
    try reader.forEachBlock(of: array.column, rows: array.rows) { _, bytes throws(SnapshotError) in
      try body(bytes)
    }
  }

  // MARK: CSV

  private func writeCSV(to file: SequentialFile) throws(SnapshotError) {
    guard isOfTable else { return try writeSteps(to: file) }
    let table = tables[0]
    let description = reader.tables[table]
    let columns = description.streams.enumerated().filter {
      $0.element.width == 1 && (streams.isEmpty || streams.contains($0.element.name))
    }
    try file.write(
      row: ["step", "mode", "epoch", "step_loss", "record", "rank"] + columns.map(\.element.name))
    let ranges = reader.stepRanges(ofTable: table).filter { stepRows.contains($0.step) }
    guard let first = ranges.first, let last = ranges.last else { return }
    var place = 0
    // Some rows at a time, of many short steps or of a part of a long one.
    for rows in (first.rows.lowerBound..<last.rows.upperBound).split(every: 65_536) {
      let records = try reader.records(ofTable: table, rows: rows)
      let ranks = try reader.ranks(ofTable: table, rows: rows)
      var values: [[String]] = []
      for (position, stream) in columns {
        values.append(
          stream.kind == .label
            ? try reader.labels(ofStream: position, table: table, rows: rows).map { "\($0)" }
            : try reader.values(ofStream: position, table: table, rows: rows).map { "\($0)" })
      }
      for (offset, row) in rows.enumerated() {
        while row >= ranges[place].rows.upperBound { place += 1 }
        let about = reader.steps[ranges[place].step]
        try file.write(
          row: [
            "\(about.index)", about.mode.description, Self.text(about.epoch),
            Self.text(about.loss), records[offset].hexadecimal, "\(ranks[offset])",
          ] + values.map { $0[offset] })
      }
    }
  }

  private func writeSteps(to file: SequentialFile) throws(SnapshotError) {
    try file.write(row: [
      "index", "mode", "epoch", "time", "loss", "learning_rate", "loss_scale", "accumulation",
      "participants", "model_mode", "dropout", "batch_norm",
    ])
    for step in reader.steps[stepRows] {
      try file.write(row: [
        "\(step.index)", step.mode.description, Self.text(step.epoch), Self.text(step.time),
        Self.text(step.loss), Self.text(step.learningRate), Self.text(step.lossScale),
        "\(step.accumulation)", "\(step.participants)", "\(step.modelMode)", "\(step.dropout)",
        "\(step.batchNorm)",
      ])
    }
  }

  /// A number, or nothing where it is unknown.
  private static func text(_ value: Double) -> String { value.isNaN ? "" : "\(value)" }
}
