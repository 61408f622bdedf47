private import Foundation
internal import Inspection
private import Results
private import SnapshotFormat

extension Page {
  /// What `ptoken-inspect info` says about an analysis.
  init(_ summary: AnalysisSummary) {
    self.init()
    line("\(Page.name(summary.file, 70))  analysis \(summary.version)")
    entry("run", "\(summary.runID), \(Page.name(summary.status, 20))")
    entry("recorded", "\(Page.name(summary.created, 20)) by \(Page.name(summary.producer))")
    entry("snapshot", Page.name(summary.input))
    entry("sha256", Page.name(summary.inputDigest, 64))
    let libraries = summary.libraries.sorted { $0.key < $1.key }
      .map { "\(Page.name($0.key, 20)) \(Page.name($0.value, 20))" }
    entry(
      "analysed",
      "by ptoken \(Page.name(summary.analysisVersion, 20))"
        + (libraries.isEmpty ? "" : " with " + libraries.joined(separator: ", ")))
    let settings = summary.settings
    entry(
      "settings",
      "sigma \(settings.sigma), token \(Page.name(settings.token, 20)), components "
        + "\(settings.components), neighbours \(settings.neighbours) in "
        + "\(settings.neighbourComponents) components, folds \(settings.folds), pairings "
        + "\(settings.pairings), critic \(Page.name(settings.critic, 20)) of \(settings.networks), candidates \(settings.candidates), trace steps "
        + "\(settings.traceSteps), seed \(settings.seed)")
    entry(
      "holds",
      "\(Console.count(summary.layers.count, "layer")), "
        + "\(Console.count(summary.windows.count, "window")), "
        + "\(Console.count(summary.cells, "cell")), \(Console.count(summary.figures, "figure"))")
    entry("size", Console.bytes(summary.bytes))
    if !summary.measures.isEmpty {
      line("")
      rows(
        [["figures", "count", "found", "largest", "unit", "layer", "window"]]
          + summary.measures.map { Self.row($0, summary) }, indent: 2, right: [1, 2, 3, 6])
    }
    if !summary.layers.isEmpty {
      line("")
      rows(
        [["layers", "", "stage", "parameters", "recorded", "windows"]]
          + summary.layers.enumerated().map { number, layer in
            [
              Names.numbered("L", number), Page.name(layer.name, 40), Page.name(layer.stage, 10),
              "\(layer.parameters)", "\(layer.width)", "\(layer.cells)",
            ]
          }, indent: 2, right: [3, 4, 5])
    }
    if !summary.windows.isEmpty {
      line("")
      rows(
        [["windows", "table", "mode", "steps", "epoch", "loss", "rows", "folds", "layers"]]
          + summary.windows.enumerated().map(Self.row), indent: 2, right: [4, 5, 6, 7, 8])
    }
    for (number, warning) in summary.warnings.enumerated() {
      if number == 0 { line("") }
      entry(number == 0 ? "warnings" : "", Page.name(warning, 800))
    }
  }

  private static func row(
    _ measure: AnalysisSummary.MeasureSummary, _ summary: AnalysisSummary
  ) -> [String] {
    let layer = measure.layer.map { Page.name(summary.layers[$0].name, 30) }
    return [
      measure.measure, "\(measure.count)", measure.findings.map { "\($0)" } ?? "-",
      measure.largest.map { String(format: "%.4g", $0) } ?? "-", measure.unit, layer ?? "",
      measure.window.map { "\($0)" } ?? "",
    ]
  }

  private static func row(_ number: Int, _ window: AnalysisSummary.Window) -> [String] {
    let steps =
      window.firstStep == window.lastStep
      ? "\(window.firstStep)" : "\(window.firstStep) to \(window.lastStep)"
    return [
      Names.numbered("W", number), "\(window.table)", window.mode, steps,
      window.epoch.map { String(format: "%.4g", $0) } ?? "-",
      window.loss.map { String(format: "%.4g", $0) } ?? "-", "\(window.rows)", "\(window.folds)",
      "\(window.cells)",
    ]
  }
}
