private import Foundation
internal import HDF5
public import Results

/// The analysis file `run.analysis.h5`: a study and the rows behind it (spec/SPEC.md, part 2).
///
/// Holds no times of its own, so that the same input, options and seed give the same bytes.
public enum AnalysisFile {
  /// Rows that a window's figures were computed on.
  public struct WindowRows: Sendable {
    /// Keyed hash of each row's record.
    public var records: [RecordID]
    /// Global step index of each row.
    public var steps: [Int64]
    /// Fold that held each row out.
    public var folds: [UInt8]

    /// Rows from their parts; equally many of each.
    public init(records: [RecordID], steps: [Int64], folds: [UInt8]) {
      self.records = records
      self.steps = steps
      self.folds = folds
    }
  }

  /// Tokens and per-row scores of a cell.
  public struct CellRows: Sendable {
    /// Index of the layer.
    public var layer: Int
    /// Index of the window.
    public var window: Int
    /// Components of a token.
    public var width: Int
    /// Tokens of held-out rows, without noise, by the encoder of their fold: [rows, width].
    public var tokens: [Float]
    /// Contribution of each row to a figure, in the figure's unit.
    public var scores: [Measure: [Double]]

    /// Rows from their parts.
    public init(
      layer: Int, window: Int, width: Int, tokens: [Float], scores: [Measure: [Double]]
    ) {
      self.layer = layer
      self.window = window
      self.width = width
      self.tokens = tokens
      self.scores = scores
    }
  }

  /// Version of libhdf5 in use.
  public static var libraryVersion: String { Library.version }

  private static let filters: [Filter] = [.shuffle, .zstd(3), .fletcher32]

  /// Writes a file; it appears whole or not at all.
  ///
  /// - Throws: `SnapshotError`: `exists` unless `force`, `permission`, `noSpace`, `notFound`.
  public static func write(
    _ study: Study, windows: [WindowRows], cells: [CellRows], to path: String, force: Bool = false
  ) throws(SnapshotError) {
    let output = try ReplacingFile(path, force: force)
    do throws(HDF5Error) {
      let file = try File.create(at: output.temporary, overwrite: true)
      try file.setAttribute(Names.format, Names.analysisFormat)
      try file.setAttribute(Names.versionAttribute, Names.version.description)
      try file.setAttribute(Names.producer, "ptoken \(study.provenance.version)")
      try file.write(Names.schema, Schema.text(Names.analysisFormat))
      try file.write(Names.provenance, json(study.provenance))
      try file.write(Names.run, json(study.run))
      try file.write(Names.warnings, json(study.warnings))
      try writeLayers(study, to: file)
      try writeWindows(study, to: file)
      try writeFigures(study, to: file)
      try writeRows(windows, cells, to: file)
      try file.close()
    } catch {
      throw SnapshotError(error).naming(path)
    }
    try output.commit()
  }

  private static func json(_ value: some Encodable) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // Strings, finite numbers and dictionaries of them always encode.
    return (try? encoder.encode(value)).map { Array($0) } ?? []
  }

  private static func writeLayers(_ study: Study, to file: borrowing File) throws(HDF5Error) {
    let group = try file.createGroup(Names.layers)
    for (number, layer) in study.layers.enumerated() {
      let child = try group.createGroup(Names.numbered("L", number))
      try child.setAttribute(Names.name, layer.name)
      try child.setAttribute(Names.stage, layer.stage)
      try child.setAttribute("parameters", UInt64(layer.parameters))
      try child.setAttribute("width", UInt64(layer.width))
    }
  }

  private static func writeWindows(_ study: Study, to file: borrowing File) throws(HDF5Error) {
    let group = try file.createGroup(Names.windows)
    let windows = study.windows
    let modes = windows.map { UInt8($0.mode == "probe" ? 0 : 1) }
    try group.write(Names.table, windows.map { UInt32($0.table) })
    try group.write(Names.mode, modes)
    try group.write("first_step", windows.map { Int64($0.firstStep) })
    try group.write("last_step", windows.map { Int64($0.lastStep) })
    try group.write(Names.epoch, windows.map(\.epoch), unit: "epochs")
    try group.write(Names.loss, windows.map(\.loss))
    try group.write(Names.rows, windows.map { UInt32($0.rows) })
    try group.write("folds", windows.map { UInt32($0.folds) })
    try group.write("candidates", windows.map { UInt32($0.candidates) })
    try group.write("label_entropy", windows.map(\.labelEntropy), unit: "nats")
    try group.write("label_chance", windows.map(\.labelChance), unit: "share")
  }

  private static func writeFigures(_ study: Study, to file: borrowing File) throws(HDF5Error) {
    let cells = try file.createGroup(Names.cells)
    try cells.write(Names.layer, study.cells.map { UInt32($0.layer) })
    try cells.write("window", study.cells.map { UInt32($0.window) })
    try cells.write("components", study.cells.map { UInt32($0.components) })
    try cells.write("kept_variance", study.cells.map(\.keptVariance), unit: "share")

    let group = try file.createGroup(Names.estimates)
    try group.setAttribute("measures", Measure.allCases.map(\.rawValue).joined(separator: ","))
    try group.setAttribute("units", Measure.allCases.map(\.unit.rawValue).joined(separator: ","))
    try group.setAttribute("kinds", Measure.allCases.map(\.kind.rawValue).joined(separator: ","))
    try group.setAttribute("flags", Figure.Flag.allCases.map(\.name).joined(separator: ","))
    let figures = study.cells.enumerated().flatMap { cell in
      cell.element.figures.map { (UInt32(cell.offset), $0) }
    }
    try group.write("cell", figures.map(\.0))
    try group.write(
      "measure", figures.map { UInt8(Measure.allCases.firstIndex(of: $0.1.measure)!) })
    try group.write("value", figures.map(\.1.value))
    try group.write("standard_error", figures.map(\.1.standardError))
    try group.write("low", figures.map(\.1.low))
    try group.write("high", figures.map(\.1.high))
    try group.write("null_mean", figures.map(\.1.nullMean))
    try group.write("null_deviation", figures.map(\.1.nullDeviation))
    try group.write("p", figures.map(\.1.p))
    try group.write("map_p", figures.map(\.1.mapP))
    try group.write("ceiling", figures.map(\.1.ceiling))
    try group.write(Names.rows, figures.map { UInt32($0.1.rows) })
    try group.write(
      "flags", figures.map { $0.1.flags.reduce(UInt8(0)) { $0 | 1 << UInt8($1.rawValue) } })
  }

  private static func writeRows(
    _ windows: [WindowRows], _ cells: [CellRows], to file: borrowing File
  ) throws(HDF5Error) {
    let group = try file.createGroup(Names.rows)
    for (number, window) in windows.enumerated() {
      let child = try group.createGroup(Names.numbered("W", number))
      try child.write(
        Names.record, RecordID.bytes(window.records), shape: [window.records.count, RecordID.size])
      try child.write(Names.step, window.steps)
      try child.write("fold", window.folds)
      for cell in cells where cell.window == number {
        let layer = try child.createGroup(Names.numbered("L", cell.layer))
        let rows = window.records.count
        let tokens = try layer.createDataset(
          "tokens", of: Float.self, shape: [rows, cell.width], chunk: [rows, cell.width],
          filters: filters)
        try tokens.write(cell.tokens, start: [0, 0], count: [rows, cell.width])
        for (measure, values) in cell.scores.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
          try layer.write(measure.rawValue, values)
        }
      }
    }
  }
}

extension Group {
  /// Writes a column with its unit.
  fileprivate func write(
    _ name: String, _ values: [Double], unit: String
  ) throws(HDF5Error) {
    try write(name, values)
    try dataset(name).setAttribute(Names.unit, unit)
  }
}
