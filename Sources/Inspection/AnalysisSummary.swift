package import Results
package import SnapshotFormat

/// What an analysis file holds.
package struct AnalysisSummary: Encodable {
  /// A gradient layer.
  package struct Layer: Encodable {
    package var name: String
    package var stage: String
    package var parameters: Int
    package var width: Int
    /// Windows that it was analysed in.
    package var cells: Int
  }

  /// A window over training.
  package struct Window: Encodable {
    package var table: Int
    package var mode: String
    package var firstStep: Int
    package var lastStep: Int
    package var epoch: Double?
    package var loss: Double?
    package var rows: Int
    package var folds: Int
    package var candidates: Int
    package var labelEntropy: Double?
    package var labelChance: Double?
    /// Layers that were analysed in it.
    package var cells: Int
  }

  /// The figures of one measure.
  package struct MeasureSummary: Encodable {
    package var measure: String
    package var unit: String
    package var kind: String
    package var count: Int
    /// Figures that the map's largest mismatched figure does not explain at 5 %; nil where that was not tested.
    package var findings: Int?
    package var largest: Double?
    /// Where the largest stands.
    package var layer: Int?
    package var window: Int?
  }

  /// Name that the file was opened by.
  package var file: String
  package var format = "ptoken-analysis"
  package var version: String
  package var bytes: Int
  package var runID: String
  package var created: String
  package var producer: String
  package var status: String
  /// Name of the snapshot.
  package var input: String
  package var inputDigest: String
  /// Software that analysed.
  package var analysisVersion: String
  package var libraries: [String: String]
  package var settings: Study.Settings
  package var layers: [Layer]
  package var windows: [Window]
  package var cells: Int
  package var figures: Int
  package var measures: [MeasureSummary]
  package var warnings: [String]

  /// Reads an analysis.
  ///
  /// - Throws: as `AnalysisFile.study`.
  package init(path: String) throws(SnapshotError) {
    let study = try AnalysisFile.study(inFileAt: path)
    func finite(_ value: Double) -> Double? { value.isFinite ? value : nil }
    file = path
    version = try AnalysisFile.version(ofFileAt: path)
    bytes = FileSize.of(path)
    runID = study.run.id
    created = study.run.created
    producer = study.run.producer
    status = study.run.status
    input = study.provenance.input
    inputDigest = study.provenance.inputDigest
    analysisVersion = study.provenance.version
    libraries = study.provenance.libraries
    settings = study.provenance.settings
    let byLayer = Dictionary(grouping: study.cells, by: \.layer)
    let byWindow = Dictionary(grouping: study.cells, by: \.window)
    layers = study.layers.enumerated().map { number, layer in
      Layer(
        name: layer.name, stage: layer.stage, parameters: layer.parameters, width: layer.width,
        cells: byLayer[number]?.count ?? 0)
    }
    windows = study.windows.enumerated().map { number, window in
      Window(
        table: window.table, mode: window.mode, firstStep: window.firstStep,
        lastStep: window.lastStep, epoch: finite(window.epoch), loss: finite(window.loss),
        rows: window.rows, folds: window.folds, candidates: window.candidates,
        labelEntropy: finite(window.labelEntropy), labelChance: finite(window.labelChance),
        cells: byWindow[number]?.count ?? 0)
    }
    cells = study.cells.count
    figures = study.cells.reduce(0) { $0 + $1.figures.count }
    measures = Measure.allCases.compactMap { MeasureSummary($0, study) }
    warnings = study.warnings
  }
}

extension AnalysisSummary.MeasureSummary {
  fileprivate init?(_ measure: Measure, _ study: Study) {
    let found = study.cells.compactMap { cell in cell[measure].map { (cell, $0) } }
    guard !found.isEmpty else { return nil }
    let tested = found.filter { $0.1.isTested }
    let largest = found.filter { $0.1.value.isFinite }.max { $0.1.value < $1.1.value }
    self.init(
      measure: measure.rawValue, unit: measure.unit.rawValue, kind: measure.kind.rawValue,
      count: found.count,
      findings: tested.isEmpty ? nil : tested.count { $0.1.isFinding },
      largest: largest?.1.value, layer: largest?.0.layer, window: largest?.0.window)
  }
}
