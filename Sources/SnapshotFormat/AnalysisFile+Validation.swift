private import Foundation
internal import HDF5
internal import Results

extension AnalysisFile {
  /// Every violation that can be found in an analysis file, in the order of the file; O(file size).
  static func violations(inFileAt path: String) throws(SnapshotError) -> [Validator.Violation] {
    let file = try Decoder.open(path, format: Names.analysisFormat)
    var check = Check()
    check.breaches = try structuralBreaches(of: file)
    if check.breaches.isEmpty {
      do throws(HDF5Error) {
        try check.run(file)
      } catch {
        check.note(SnapshotError(error).requirement ?? "R-051", error.object, error.message)
      }
    }
    return check.breaches.map {
      .init(requirement: $0.requirement, object: $0.object, message: $0.message)
    }
  }

  /// What the schema cannot say.
  private struct Check {
    var breaches: [DescriptionRules.Breach] = []

    mutating func note(_ requirement: String, _ object: String, _ message: String) {
      breaches.append(.init(requirement: requirement, object: object, message: message))
    }

    mutating func run(_ file: borrowing File) throws(HDF5Error) {
      checkJSON(file)
      let layers = try AnalysisFile.readLayers(file).count
      let windowColumns = try Columns(file.group(Names.windows), first: Names.mode)
      if try windowColumns(Names.mode, UInt8.self).contains(where: { $0 > 1 }) {
        note("R-083", "/windows/mode", "expected 0 or 1")
      }
      // Read to the end: damage shows here.
      for name in ["table", "rows", "folds", "candidates"] {
        _ = try windowColumns(name, UInt32.self)
      }
      for name in ["first_step", "last_step"] { _ = try windowColumns(name, Int64.self) }
      for name in ["epoch", "loss", "label_entropy", "label_chance"] {
        _ = try windowColumns(name, Double.self)
      }
      let windowRows = try windowColumns(Names.rows, UInt32.self).map { Int($0) }
      let cells = try checkCells(file, layers: layers, windows: windowRows.count)
      try checkFigures(file, cells: cells.count)
      try checkRows(file, windowRows, cells)
    }

    private mutating func checkJSON(_ file: borrowing File) {
      do throws(SnapshotError) {
        let _: Study.Run = try AnalysisFile.json(Names.run, in: file)
        let provenance: Study.Provenance = try AnalysisFile.json(Names.provenance, in: file)
        if Hexadecimal.bytes(provenance.inputDigest)?.count != 32 {
          note(
            "R-081", "/\(Names.provenance)",
            "expected 'inputDigest' to be 64 lower-case hexadecimal digits")
        }
        let _: [String] = try AnalysisFile.json(Names.warnings, in: file)
      } catch {
        note(error.requirement ?? "R-051", error.object, error.message)
      }
    }

    private struct Cell {
      var layer, window, components: Int
    }

    private mutating func checkCells(
      _ file: borrowing File, layers: Int, windows: Int
    ) throws(HDF5Error) -> [Cell] {
      let columns = try Columns(file.group(Names.cells), first: Names.layer)
      let layer = try columns(Names.layer, UInt32.self)
      let window = try columns("window", UInt32.self)
      let components = try columns("components", UInt32.self)
      _ = try columns("kept_variance", Double.self)
      let cells = layer.indices.map {
        Cell(layer: Int(layer[$0]), window: Int(window[$0]), components: Int(components[$0]))
      }
      if cells.contains(where: { $0.layer >= layers || $0.window >= windows }) {
        note("R-085", "/cells", "expected layers and windows of this file, found others")
      } else if Set(cells.map { [$0.layer, $0.window] }).count != cells.count {
        note("R-084", "/cells", "expected each pair of layer and window once")
      }
      return cells
    }

    private mutating func checkFigures(
      _ file: borrowing File, cells: Int
    ) throws(HDF5Error) {
      let group = try file.group(Names.estimates)
      func list(_ name: String) throws(HDF5Error) -> Int {
        try group.string(name).split(separator: ",", omittingEmptySubsequences: false).count
      }
      let measures = try list("measures")
      let (units, kinds) = (try list("units"), try list("kinds"))
      if units != measures || kinds != measures {
        note("R-087", "/estimates@units", "expected a unit and a kind for each measure")
      }
      let columns = try Columns(group, first: "cell")
      let cell = try columns("cell", UInt32.self)
      let measure = try columns("measure", UInt8.self)
      for name in [
        "value", "standard_error", "low", "high", "null_mean", "null_deviation", "p", "map_p",
        "ceiling",
      ] {
        _ = try columns(name, Double.self)
      }
      _ = try columns(Names.rows, UInt32.self)
      _ = try columns("flags", UInt8.self)
      if let wrong = cell.first(where: { $0 >= cells }) {
        note("R-086", "/estimates/cell", "expected one of \(cells) cells, found \(wrong)")
      } else if let wrong = measure.first(where: { $0 >= measures }) {
        note("R-086", "/estimates/measure", "expected one of \(measures) measures, found \(wrong)")
      } else if Set(zip(cell, measure).map { [$0, UInt32($1)] }).count != cell.count {
        note("R-086", "/estimates", "expected a measure at most once in a cell")
      }
    }

    private mutating func checkRows(
      _ file: borrowing File, _ windows: [Int], _ cells: [Cell]
    ) throws(HDF5Error) {
      let group = try file.group(Names.rows)
      for (number, rows) in windows.enumerated() {
        let name = Names.numbered("W", number)
        guard group.hasChild(name) else {
          return note("R-088", "/rows", "expected \(name), found nothing")
        }
        let window = try group.group(name)
        let records = RecordID.list(try window.dataset(Names.record).readAll(UInt8.self))
        _ = try window.dataset(Names.step).readAll(Int64.self)
        _ = try window.dataset("fold").readAll(UInt8.self)
        if records.count != rows {
          note("R-088", window.path, "expected \(rows) rows, found \(records.count)")
        } else if Set(records).count != rows {
          note("R-088", "\(window.path)/record", "expected each record once")
        }
        for cell in cells where cell.window == number {
          try checkCell(cell, in: window)
        }
      }
    }

    private mutating func checkCell(
      _ cell: Cell, in window: borrowing Group
    ) throws(HDF5Error) {
      let name = Names.numbered("L", cell.layer)
      guard window.hasChild(name) else {
        return note("R-088", "\(window.path)/\(name)", "expected tokens, found nothing")
      }
      let group = try window.group(name)
      let tokens = try group.dataset("tokens")
      let width = try tokens.shape()[1]
      if width != cell.components {
        note(
          "R-088", "\(group.path)/tokens",
          "expected \(cell.components) components, found \(width)")
      }
      _ = try tokens.readAll(Float.self)
      for measure in Measure.allCases where group.hasChild(measure.rawValue) {
        _ = try group.dataset(measure.rawValue).readAll(Double.self)
      }
    }
  }
}
