public import ArgumentParser
private import Reporting
private import SnapshotFormat

/// `ptoken-analyze`: estimates what gradients tell about the data.
public struct AnalyzeCommand: ParsableCommand {
  public static let configuration = CommandConfiguration(
    commandName: "ptoken-analyze",
    abstract: "Estimate the information that recorded gradients carry about the training data.",
    discussion: """
      Turns each layer's gradients into tokens (principal components, standardised on training rows), adds noise of
      standard deviation --sigma, and measures on held-out records: mutual information with the inputs (Gaussian,
      Donsker-Varadhan bound, nearest neighbours) and the labels, re-identification and recoverable variance, all
      against mismatched pairings. Writes run.analysis.h5 and prints a summary.

      EXAMPLES
        ptoken-analyze run.h5
        ptoken-analyze run.h5 --sigma 0.5 --seed 7 -o coarse.analysis.h5
        ptoken-analyze run.h5 --json | jq .verdict

      \(Command.statuses)
      """,
    version: Command.version)

  @Argument(help: "Snapshot file, written by ptoken-record.")
  var input: String

  @Option(name: .shortAndLong, help: "Analysis file to write (default: run.analysis.h5).")
  var output: String?

  @OptionGroup(title: "Analysis options") var study: StudyOptions

  @Flag(help: "Replace the output if it exists.")
  var force = false

  @OptionGroup var common: CommonOptions

  public init() {}

  public func run() throws {
    let console = Console(quiet: common.quiet)
    let output = output ?? Files.sibling(of: input, ".analysis.h5")
    let result = try study.analyse(input, to: output, force: force, console: console)
    if common.json {
      print(JSONReport(study: result).render())
    } else {
      print(TextSummary(study: result).render())
      console.note("Written to \(output). Next: ptoken-report --html \(input)")
    }
  }
}
