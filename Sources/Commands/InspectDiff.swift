internal import ArgumentParser
private import Inspection

/// `ptoken-inspect diff`.
struct InspectDiff: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff", abstract: "Say what differs between two files.",
    discussion: """
      Compares two snapshots (descriptions, steps, tables, streams, every row by its record id) or two analyses \
      (settings, layers, windows, figures). How a file is compressed and cut into chunks makes no difference. Steps \
      go by index and mode. Snapshots that are still being recorded are compared as far as they are.

      The exit status is 0 if the files are equal, and 1 if they differ.

      EXAMPLE
        ptoken-inspect diff run.h5 copy.h5

      \(Command.statuses)
      """)

  @Argument(help: "Snapshot or analysis file.")
  var a: String

  @Argument(help: "The file to compare it with.")
  var b: String

  @OptionGroup var common: CommonOptions

  func validate() throws {
    try Files.requireName(a, "<a>")
    try Files.requireName(b, "<b>")
  }

  func run() throws {
    try Files.requireSnapshot(a)
    try Files.requireSnapshot(b)
    let differences = try FileComparison.differences(a, b)
    if common.json {
      try Console.result(
        try Files.json(
          Outcome(a: a, b: b, isEqual: differences.isEmpty, differences: differences)),
        isJSON: true)
    } else if differences.isEmpty {
      try Console.result("\(a) and \(b) are equal.")
    } else {
      try Console.result(differences.map { Printable.line($0.line) }.joined(separator: "\n"))
    }
    if !differences.isEmpty { throw ExitCode(1) }
  }

  private struct Outcome: Encodable {
    var a: String
    var b: String
    var isEqual: Bool
    var differences: [Difference]
  }
}
