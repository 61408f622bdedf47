internal import Foundation
internal import Results
internal import SnapshotFormat

/// What of a file is analysed: windows, layers, and the cells where both have rows.
struct StudyPlan {
  /// A window and where its rows are.
  struct Window {
    var table: Int
    var mode: StepMode
    /// Rows of `/steps`, first and last.
    var steps: ClosedRange<Int>
    var rows: Range<Int>
  }

  /// A layer of one table.
  struct Stream {
    var layer: Int
    var stream: Int
  }

  var windows: [Window] = []
  var layers: [Study.Layer] = []
  /// Gradient streams of each analysed table.
  var streams: [Int: [Stream]] = [:]
  /// Feature stream of each analysed table.
  var features: [Int: Int] = [:]
  /// Label stream of each analysed table that has one.
  var labels: [Int: Int] = [:]
  /// Different labels in the first window of each table, for the cost model.
  private(set) var classes: [Int: Int] = [:]
  var warnings: [String] = []

  /// Fewest rows of a window: below, not even two folds with one component make sense.
  static let fewestRows = 60
  /// Rows that trace steps are grouped to, unless the user says how many steps.
  static let traceRows = 500

  /// Plans the study of a file.
  ///
  /// - Throws: `nothingToAnalyse` or `tooFewRows`.
  init(_ reader: Reader, settings: Study.Settings) throws(AnalysisError) {
    for (number, table) in reader.tables.enumerated() {
      addTable(number, table, of: reader)
    }
    guard !streams.isEmpty else {
      throw AnalysisError(
        code: .nothingToAnalyse, file: reader.path,
        message:
          "expected a table of examples with a feature stream and a gradient stream, found none",
        remedy:
          "Record inputs beside the gradients of each example. \(warnings.joined(separator: " "))")
    }
    var largest = 0
    for table in streams.keys.sorted() {
      largest = max(largest, addWindows(of: table, reader: reader, settings: settings))
    }
    guard !windows.isEmpty else {
      throw AnalysisError(
        code: .tooFewRows, file: reader.path,
        message:
          "expected a window of at least \(Self.fewestRows) rows, found at most \(largest)",
        remedy: "Record a larger probe set, or group more trace steps with --trace-steps.")
    }
    for (table, stream) in labels {
      guard let window = windows.first(where: { $0.table == table }) else { continue }
      // What cannot be read is said when it is needed.
      let values = try? reader.labels(ofStream: stream, table: table, rows: window.rows)
      classes[table] = values.map { Set($0).count }
    }
  }

  private mutating func addTable(_ number: Int, _ table: TableDescription, of reader: Reader) {
    let gradients = table.streams.indices.filter {
      if case .gradient = table.streams[$0].kind { true } else { false }
    }
    guard !gradients.isEmpty else { return }
    guard table.unit == .example else {
      warnings.append(
        "Table '\(table.name)' holds one row per \(table.unit.rawValue); only tables of examples are analysed."
      )
      return
    }
    guard let feature = table.streams.firstIndex(where: { $0.kind == .feature }) else {
      warnings.append(
        "Table '\(table.name)' has no feature stream, so its gradients were not analysed.")
      return
    }
    let others = table.streams.count { $0.kind == .feature } - 1
    if others > 0 {
      warnings.append(
        "Table '\(table.name)' has \(others) more feature stream(s); only '\(table.streams[feature].name)' was analysed."
      )
    }
    features[number] = feature
    labels[number] = table.streams.firstIndex { $0.kind == .label && $0.elements == 1 }
    if labels[number] == nil, let wide = table.streams.first(where: { $0.kind == .label }) {
      warnings.append(
        "Labels '\(wide.name)' of table '\(table.name)' are \(wide.elements) numbers a row; only single class numbers were analysed, so none were."
      )
    }
    streams[number] = gradients.map { position in
      let stream = table.streams[position]
      guard case .gradient(let name, let stage) = stream.kind else { preconditionFailure() }
      let layer = Study.Layer(
        name: name, stage: stage.rawValue, parameters: stream.elements, width: stream.width)
      if let known = layers.firstIndex(of: layer) { return Stream(layer: known, stream: position) }
      layers.append(layer)
      return Stream(layer: layers.count - 1, stream: position)
    }
  }

  /// Adds a table's windows; returns the rows of its largest candidate.
  private mutating func addWindows(
    of table: Int, reader: Reader, settings: Study.Settings
  ) -> Int {
    let steps = reader.stepRanges(ofTable: table)
    let mode = reader.tables[table].mode
    var candidates: [Window] = []
    for (position, step) in steps.enumerated() {
      let isGrouped =
        mode == .trace && !candidates.isEmpty
        && (settings.traceSteps > 0
          ? position % settings.traceSteps != 0 : candidates.last!.rows.count < Self.traceRows)
      if isGrouped {
        let last = candidates.removeLast()
        candidates.append(
          Window(
            table: table, mode: mode, steps: last.steps.lowerBound...step.step,
            rows: last.rows.lowerBound..<step.rows.upperBound))
      } else {
        candidates.append(
          Window(table: table, mode: mode, steps: step.step...step.step, rows: step.rows))
      }
    }
    // A short rest of the trace joins the window before it.
    if mode == .trace, settings.traceSteps == 0, candidates.count > 1,
      candidates.last!.rows.count < Self.traceRows / 2
    {
      let rest = candidates.removeLast()
      let last = candidates.removeLast()
      candidates.append(
        Window(
          table: table, mode: mode, steps: last.steps.lowerBound...rest.steps.upperBound,
          rows: last.rows.lowerBound..<rest.rows.upperBound))
    }
    let kept = candidates.filter { $0.rows.count >= Self.fewestRows }
    if kept.count < candidates.count {
      warnings.append(
        "\(candidates.count - kept.count) \(mode) window(s) of table '\(reader.tables[table].name)' have fewer than \(Self.fewestRows) rows and were left out."
      )
    }
    if mode == .trace, !kept.isEmpty {
      warnings.append(
        "Trace windows pool gradients of several steps while the weights drift: read them as a trend; the probe windows are the measurement."
      )
    }
    windows += kept
    return candidates.map(\.rows.count).max() ?? 0
  }
}
