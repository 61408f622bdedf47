import Results
import SnapshotFormat

/// An analysis with two layers, two windows and three cells.
struct SmallStudy {
  var study = Study(
    run: .init(
      id: "11111111-2222-4333-8444-555555555555", created: "2026-01-31T12:00:00Z",
      producer: "ptoken test", status: "complete", model: "{}", training: "{}"),
    provenance: .init(
      input: "run.h5", inputDigest: String(repeating: "0", count: 64), version: "0.1.0",
      libraries: ["HDF5": "1.10.8"], settings: .init()),
    layers: [
      .init(name: "conv", stage: "raw", parameters: 24, width: 24),
      .init(name: "dense", stage: "raw", parameters: 1000, width: 100),
    ],
    windows: [
      .init(
        table: 0, mode: "probe", firstStep: 0, lastStep: 0, epoch: 0, loss: .nan, rows: 2, folds: 2,
        candidates: 2, labelEntropy: .nan, labelChance: .nan),
      .init(
        table: 1, mode: "trace", firstStep: 0, lastStep: 10, epoch: 0, loss: 0.5, rows: 2, folds: 2,
        candidates: 2, labelEntropy: 0.7, labelChance: 0.5),
    ],
    cells: [
      cell(layer: 0, window: 0, 0.25), cell(layer: 0, window: 1, 0.5),
      cell(layer: 1, window: 1, 0.75),
    ], warnings: ["few rows"])

  /// The first token of every cell.
  var token: Float = 1

  private static func cell(layer: Int, window: Int, _ value: Double) -> Study.Cell {
    .init(
      layer: layer, window: window, components: 1, keptVariance: 0.9,
      figures: [
        Figure(
          measure: .gaussian, value: value, standardError: 0.1, low: 0, high: 1, nullMean: .nan,
          nullDeviation: .nan, p: .nan, mapP: .nan, ceiling: .infinity, rows: 2,
          flags: [.fewRows]),
        Figure(
          measure: .labelAccuracy, value: 0.5, standardError: 0.1, low: 0, high: 1, nullMean: 0.1,
          nullDeviation: 0.1, p: 0.5, mapP: .nan, ceiling: 1, rows: 2),
      ])
  }

  /// Writes the file.
  func write(_ path: String) throws {
    let rows = (0..<2).map(SmallRun.record)
    try AnalysisFile.write(
      study,
      windows: study.windows.map { _ in .init(records: rows, steps: [0, 0], folds: [0, 1]) },
      cells: study.cells.map {
        .init(layer: $0.layer, window: $0.window, width: 1, tokens: [token, 2], scores: [:])
      }, to: path)
  }
}
