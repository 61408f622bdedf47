public import ArgumentParser
private import Reporting
private import Results
private import SnapshotFormat

/// `ptoken-report`: turns an analysis into a page or into JSON.
public struct ReportCommand: ParsableCommand {
  /// Name, help and version.
  public static let configuration = CommandConfiguration(
    commandName: "ptoken-report",
    abstract: "Write a report: one self-contained HTML page, or JSON.",
    discussion: """
      Takes an analysis, or a snapshot file: then the analysis beside it is used, or made first where there is \
      none. The page is written to run.report.html; it needs no network, runs no script and prints well. JSON goes \
      to standard output.

      EXAMPLES
        ptoken-report --html run.h5
        ptoken-report --html run.analysis.h5 -o report.html
        ptoken-report --json run.h5 | jq .verdict.headline

      \(Command.statuses)
      """,
    version: Command.version)

  @Argument(help: "Snapshot file or analysis file.")
  var input: String

  @Flag(help: "Write an HTML page (default: run.report.html).")
  var html = false

  @Flag(help: "Print JSON, or write it to --output.")
  var json = false

  @Option(name: .shortAndLong, help: .init("File to write.", valueName: "file"))
  var output: String?

  @Flag(help: "Replace outputs that exist.")
  var force = false

  @Flag(name: .shortAndLong, help: "Say nothing but results and errors.")
  var quiet = false

  @OptionGroup(title: "Analysis options, where no analysis exists") var options: StudyOptions

  /// An empty command, for the parser to fill.
  public init() {}

  /// Refuses options that do not fit together.
  public func validate() throws {
    try Files.requireName(input, "<input>")
    try Files.requireName(output, "--output")
    guard html != json else {
      throw ValidationError(
        "Expected one of --html and --json, found \(html ? "both" : "neither").")
    }
  }

  /// Runs the command.
  public func run() throws {
    let console = Console(quiet: quiet)
    let target = output ?? Files.sibling(of: input, ".report.html")
    // Found out before the work, not after it.
    try Files.requireInput(input)
    if html || output != nil {
      try Files.requireOther(target, than: input)
      try Files.requireOther(target, than: Files.sibling(of: input, ".analysis.h5"))
      try requireNoRecording(target)
      _ = try ReplacingFile(target, force: force)
    }
    let (study, notes) = try study(console)
    let text =
      html
      ? HTMLReport(study: study, notes: notes).render()
      : JSONReport(study: study, notes: notes).render()
    if json, output == nil {
      try Console.result(text, isJSON: true)
    } else {
      try Files.write(text, to: target, force: force)
      try Console.result(target)
    }
  }

  /// Refuses, even with `--force`, to put a report in place of the recording that an analysis was made from.
  private func requireNoRecording(_ target: String) throws(SnapshotError) {
    guard AnalysisFile.isAnalysis(input) else { return }
    for ending in [".h5", ".hdf5"] {
      do {
        try Files.requireOther(target, than: Files.sibling(of: input, ending))
      } catch {
        throw SnapshotError(
          code: .exists, file: target,
          message: "expected an output of its own, found the recording of \(input)",
          remedy: "Choose another name with --output.")
      }
    }
  }

  /// The study to report, and what to say about where it came from.
  private func study(_ console: Console) throws -> (Study, [String]) {
    if AnalysisFile.isAnalysis(input) { return (try existing(input), []) }
    // The snapshot must be sound even if only its analysis is shown.
    _ = try Reader(path: input)
    let analysis = Files.sibling(of: input, ".analysis.h5")
    guard Files.exists(analysis) else {
      console.note("\(input) has no analysis yet; analysing it first, into \(analysis).")
      let study = try options.analyse(input, to: analysis, force: false, console: console)
      return (
        study, ["No analysis was found beside the snapshot, so it was analysed for this report."]
      )
    }
    try Files.requireInput(analysis)
    let digest = try AnalysisFile.study(inFileAt: analysis).provenance.inputDigest
    if try FileDigest.sha256(of: input) == digest { return (try existing(analysis), []) }
    guard force else {
      throw SnapshotError(
        code: .exists, file: analysis,
        message: "expected the analysis of \(input), found that of another file",
        remedy: "Analyse again with --force, or name the analysis itself to report it as it is.")
    }
    console.note("\(analysis) belongs to another file; \(input) is analysed again.")
    let fresh = try options.analyse(input, to: analysis, force: true, console: console)
    return (
      fresh,
      ["The analysis found beside the snapshot belonged to another file, so it was made again."]
    )
  }

  private func existing(_ analysis: String) throws(SnapshotError) -> Study {
    let study = try AnalysisFile.study(inFileAt: analysis)
    try options.requireAgreement(with: study, in: analysis)
    return study
  }
}
