public import ArgumentParser
private import Reporting
private import Results
private import SnapshotFormat

/// `ptoken-report`: turns an analysis into a page or into JSON.
public struct ReportCommand: ParsableCommand {
  public static let configuration = CommandConfiguration(
    commandName: "ptoken-report",
    abstract: "Write a report: one self-contained HTML page, or JSON.",
    discussion: """
      Takes an analysis, or a snapshot file: then the analysis beside it is used, or made first. The page needs no
      network, runs no script and prints well.

      EXAMPLES
        ptoken-report --html run.h5
        ptoken-report --html run.analysis.h5 -o report.html
        ptoken-report --json run.h5

      \(Command.statuses)
      """,
    version: Command.version)

  @Argument(help: "Snapshot file or analysis file.")
  var input: String

  @Flag(help: "Write an HTML page (default: run.report.html).")
  var html = false

  @Flag(help: "Print JSON, or write it to --output.")
  var json = false

  @Option(name: .shortAndLong, help: "File to write.")
  var output: String?

  @Flag(help: "Replace outputs that exist.")
  var force = false

  @Flag(name: .shortAndLong, help: "Say nothing but results and errors.")
  var quiet = false

  @OptionGroup(title: "Analysis options, where no analysis exists") var options: StudyOptions

  public init() {}

  public func validate() throws {
    guard html != json else {
      throw ValidationError("Expected one of --html and --json, found \(html ? "both" : "neither").")
    }
  }

  public func run() throws {
    let console = Console(quiet: quiet)
    let target = output ?? Files.sibling(of: input, ".report.html")
    // Found out before the work, not after it.
    if html || output != nil { _ = try ReplacingFile(target, force: force) }
    let (study, notes) = try study(console)
    let text =
      html
      ? HTMLReport(study: study, notes: notes).render()
      : JSONReport(study: study, notes: notes).render()
    if json, output == nil {
      print(text)
    } else {
      try Files.write(text, to: target, force: force)
      print(target)
    }
  }

  /// The study to report, and what to say about where it came from.
  private func study(_ console: Console) throws -> (Study, [String]) {
    if AnalysisFile.isAnalysis(input) { return (try AnalysisFile.study(inFileAt: input), []) }
    let analysis = Files.sibling(of: input, ".analysis.h5")
    if Files.exists(analysis) {
      // The snapshot must be sound even if only its analysis is shown.
      _ = try Reader(path: input)
      let study = try AnalysisFile.study(inFileAt: analysis)
      if try FileDigest.sha256(of: input) == study.provenance.inputDigest { return (study, []) }
      guard force else {
        throw SnapshotError(
          code: .exists, file: analysis, message: "is the analysis of another file than \(input)",
          remedy: "Analyse again with --force, or name the analysis itself.")
      }
      console.note("\(analysis) belongs to another file; \(input) is analysed again.")
      let fresh = try options.analyse(input, to: analysis, force: true, console: console)
      return (fresh, ["The analysis found beside the snapshot belonged to another file, so it was made again."])
    }
    console.note("\(input) has no analysis yet; analysing it first, into \(analysis).")
    let study = try options.analyse(input, to: analysis, force: false, console: console)
    return (study, ["No analysis was found beside the snapshot, so it was analysed for this report."])
  }
}
