internal import ArgumentParser
private import SnapshotFormat

/// `ptoken-inspect info`.
struct InspectInfo: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "info", abstract: "Show run, steps, tables and streams.",
    discussion: """
      Reads what the file declares, not its rows: quick however large the file is.

      EXAMPLES
        ptoken-inspect info run.h5
        ptoken-inspect info run.h5 --json | jq '.tables[0].streams'

      \(Command.statuses)
      """)

  @Argument(help: "Snapshot file.")
  var input: String

  @OptionGroup var common: CommonOptions

  func validate() throws { try Files.requireName(input, "<input>") }

  func run() throws {
    try Files.requireInput(input)
    let description = try FileDescription(path: input)
    try Console.result(
      common.json ? try Files.json(description) : description.text, isJSON: common.json)
  }
}
