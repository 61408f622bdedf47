internal import ArgumentParser
private import Inspection
private import SnapshotFormat

/// `ptoken-inspect info`.
struct InspectInfo: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "info", abstract: "Show what a file holds, on one page.",
    discussion: """
      Of a snapshot: run, sessions, model, steps, tables and streams with their sizes. It reads what the file \
      declares, not its rows: quick however large the file is. A snapshot that is still being recorded, or whose \
      recorder died, is read from its journal. Of an analysis: layers, windows, figures and where they came from.

      EXAMPLES
        ptoken-inspect info run.h5
        ptoken-inspect info run.h5 --json | jq '.tables[0].streams'

      \(Command.statuses)
      """)

  @OptionGroup var file: AnyFile
  @OptionGroup var common: CommonOptions

  func run() throws {
    let input = file.path
    try Files.requireSnapshot(input)
    if AnalysisFile.isAnalysis(input) {
      let summary = try AnalysisSummary(path: input)
      try Console.result(
        common.json ? try Files.json(summary) : Page(summary).text, isJSON: common.json)
    } else {
      let summary = try SnapshotSummary(path: input)
      try Console.result(
        common.json ? try Files.json(summary) : Page(summary).text, isJSON: common.json)
    }
  }
}
