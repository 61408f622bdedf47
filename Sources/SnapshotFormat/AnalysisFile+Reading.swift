private import Foundation
internal import HDF5
public import Results

extension AnalysisFile {
  /// Whether a file calls itself an analysis, as opposed to a snapshot; false for anything unreadable.
  public static func isAnalysis(_ path: String) -> Bool {
    guard let file = try? File.open(at: path) else { return false }
    return (try? file.string(Names.format)) == Names.analysisFormat
  }

  /// Reads the study of a file.
  ///
  /// - Throws: `SnapshotError`: `notFound`, `notOurs`, `newerVersion`, `olderVersion`, `truncated`, `permission`, or `invalid`.
  public static func study(inFileAt path: String) throws(SnapshotError) -> Study {
    let file = try Decoder.open(path, format: Names.analysisFormat)
    if let breach = try structuralBreaches(of: file).first {
      throw SnapshotError(
        code: .invalid, file: path, object: breach.object, message: breach.message,
        remedy: "List every fault with ptoken-inspect validate.", requirement: breach.requirement)
    }
    let layers = try translating { () throws(HDF5Error) in try readLayers(file) }
    let windows = try translating { () throws(HDF5Error) in try readWindows(file) }
    let study = Study(
      run: try json(Names.run, in: file), provenance: try json(Names.provenance, in: file),
      layers: layers, windows: windows,
      cells: try translating { () throws(HDF5Error) in try readCells(file) },
      warnings: try json(Names.warnings, in: file))
    guard
      study.cells.allSatisfy({
        layers.indices.contains($0.layer) && windows.indices.contains($0.window)
      })
    else {
      throw SnapshotError(
        code: .invalid, file: path, object: "/cells",
        message: "expected layers and windows of this file, found others", requirement: "R-085")
    }
    return study
  }

  /// What the schema finds wrong with a file.
  static func structuralBreaches(
    of file: borrowing File
  ) throws(SnapshotError) -> [DescriptionRules.Breach] {
    let version = try Decoder.version(of: file, format: Names.analysisFormat)
    let isNewer = version.minor > Names.version.minor
    var breaches = SchemaChecker.breaches(
      of: file, format: Names.analysisFormat, isNewer: isNewer)
    guard !breaches.contains(where: { $0.object == "/\(Names.schema)" }) else {
      return breaches
    }
    let text = try translating { () throws(HDF5Error) in
      try file.dataset(Names.schema).readAll(UInt8.self)
    }
    if !isNewer, text != Schema.text(Names.analysisFormat) {
      breaches.append(
        .init(
          requirement: "R-015", object: "/\(Names.schema)",
          message: "expected the schema of version \(Names.version)"))
    }
    return breaches
  }

  static func json<T: Decodable>(
    _ name: String, in file: borrowing File
  ) throws(SnapshotError) -> T {
    let bytes = try translating { () throws(HDF5Error) in
      try bounded(file.dataset(name), most: Limits.jsonBytes).readAll(UInt8.self)
    }
    guard !JSONText.isLax(bytes), let value = try? JSONDecoder().decode(T.self, from: Data(bytes))
    else {
      throw SnapshotError(
        code: .invalid, file: file.file, object: "/\(name)",
        message: "expected JSON as the specification describes it", requirement: "R-081")
    }
    return value
  }

  /// Refuses a dataset with more elements than an analysis can have.
  static func bounded(
    _ dataset: consuming Dataset, most: Int
  ) throws(HDF5Error) -> Dataset {
    let shape = try dataset.shape()
    guard shape.reduce(1, *) <= most else {
      throw HDF5Error(
        code: .mismatch, file: dataset.file, object: dataset.path,
        message: "expected at most \(most) elements, found shape \(shape)")
    }
    return dataset
  }

  static func readLayers(_ file: borrowing File) throws(HDF5Error) -> [Study.Layer] {
    let group = try file.group(Names.layers)
    var layers: [Study.Layer] = []
    let names = try group.children()
    for name in names.sorted(by: { Names.number(of: $0) ?? -1 < Names.number(of: $1) ?? -1 }) {
      let child = try group.group(name)
      layers.append(
        Study.Layer(
          name: try child.string(Names.name), stage: try child.string(Names.stage),
          parameters: Int(clamping: try child.scalar("parameters", as: UInt64.self)),
          width: Int(clamping: try child.scalar("width", as: UInt64.self))))
    }
    return layers
  }

  /// Columns of one table, all equally long.
  struct Columns: ~Copyable {
    let group: Group
    let count: Int

    init(_ group: consuming Group, first: String) throws(HDF5Error) {
      count = try AnalysisFile.bounded(group.dataset(first), most: 1 << 24).shape().first ?? 0
      self.group = group
    }

    func callAsFunction<T: Element>(_ name: String, _: T.Type = T.self) throws(HDF5Error) -> [T] {
      let values = try group.dataset(name).read(T.self, start: [0], count: [count])
      return values
    }
  }

  static func readWindows(_ file: borrowing File) throws(HDF5Error) -> [Study.Window] {
    let columns = try Columns(file.group(Names.windows), first: Names.mode)
    let table = try columns(Names.table, UInt32.self)
    let mode = try columns(Names.mode, UInt8.self)
    let first = try columns("first_step", Int64.self)
    let last = try columns("last_step", Int64.self)
    let epoch = try columns(Names.epoch, Double.self)
    let loss = try columns(Names.loss, Double.self)
    let rows = try columns(Names.rows, UInt32.self)
    let folds = try columns("folds", UInt32.self)
    let candidates = try columns("candidates", UInt32.self)
    let entropy = try columns("label_entropy", Double.self)
    let chance = try columns("label_chance", Double.self)
    if let wrong = mode.first(where: { $0 > 1 }) {
      throw HDF5Error(
        code: .mismatch, file: file.file, object: "/windows/mode",
        message: "expected 0 or 1, found \(wrong)")
    }
    return mode.indices.map {
      Study.Window(
        table: Int(table[$0]), mode: mode[$0] == 0 ? "probe" : "trace", firstStep: Int(first[$0]),
        lastStep: Int(last[$0]),
        epoch: epoch[$0], loss: loss[$0], rows: Int(rows[$0]), folds: Int(folds[$0]),
        candidates: Int(candidates[$0]), labelEntropy: entropy[$0], labelChance: chance[$0])
    }
  }

  private static func readCells(_ file: borrowing File) throws(HDF5Error) -> [Study.Cell] {
    let columns = try Columns(file.group(Names.cells), first: Names.layer)
    let layer = try columns(Names.layer, UInt32.self)
    let window = try columns("window", UInt32.self)
    let components = try columns("components", UInt32.self)
    let kept = try columns("kept_variance", Double.self)
    var cells = layer.indices.map {
      Study.Cell(
        layer: Int(layer[$0]), window: Int(window[$0]), components: Int(components[$0]),
        keptVariance: kept[$0], figures: [])
    }
    let group = try file.group(Names.estimates)
    let names = try group.string("measures").split(separator: ",").map(String.init)
    let figures = try Columns(group, first: "cell")
    let cell = try figures("cell", UInt32.self)
    let measure = try figures("measure", UInt8.self)
    let value = try figures("value", Double.self)
    let error = try figures("standard_error", Double.self)
    let low = try figures("low", Double.self)
    let high = try figures("high", Double.self)
    let nullMean = try figures("null_mean", Double.self)
    let nullDeviation = try figures("null_deviation", Double.self)
    let p = try figures("p", Double.self)
    let mapP = try figures("map_p", Double.self)
    let ceiling = try figures("ceiling", Double.self)
    let rows = try figures(Names.rows, UInt32.self)
    let flags = try figures("flags", UInt8.self)
    for index in cell.indices {
      // Measures of newer minor versions are passed over.
      guard cells.indices.contains(Int(cell[index])), names.indices.contains(Int(measure[index])),
        let known = Measure(rawValue: names[Int(measure[index])])
      else { continue }
      cells[Int(cell[index])].figures.append(
        Figure(
          measure: known, value: value[index], standardError: error[index], low: low[index],
          high: high[index], nullMean: nullMean[index], nullDeviation: nullDeviation[index],
          p: p[index], mapP: mapP[index], ceiling: ceiling[index], rows: Int(rows[index]),
          flags: Figure.Flag.allCases.filter { flags[index] & 1 << UInt8($0.rawValue) != 0 }))
    }
    return cells
  }
}
