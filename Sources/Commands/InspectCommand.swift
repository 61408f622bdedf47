public import ArgumentParser
private import SnapshotFormat

/// `ptoken-inspect`: looks into snapshot files.
public struct InspectCommand: ParsableCommand, CommandGroup {
  /// Name, help and version.
  public static let configuration = CommandConfiguration(
    commandName: "ptoken-inspect",
    abstract: "Show what a snapshot file holds, and check it against the specification.",
    discussion: """
      EXAMPLES
        ptoken-inspect info run.h5
        ptoken-inspect validate run.h5 && echo sound

      \(Command.statuses)
      """,
    version: Command.version,
    subcommands: [
      InspectInfo.self, InspectValidate.self, InspectRecover.self, InspectMerge.self,
      InspectReading.self,
    ])

  /// An empty command, for the parser to fill.
  public init() {}

  /// Runs the command.
  public func run() throws { try requireSubcommand() }
}

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

/// `ptoken-inspect validate`.
struct InspectValidate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "validate", abstract: "Check a snapshot file against the specification.",
    discussion: """
      Reads every stream to its end, and lists each violation with the number of its requirement in spec/SPEC.md. \
      The exit status says whether there was one.

      EXAMPLE
        ptoken-inspect validate run.h5 && echo sound

      \(Command.statuses)
      """)

  @Argument(help: "Snapshot file.")
  var input: String

  @OptionGroup var common: CommonOptions

  func validate() throws { try Files.requireName(input, "<input>") }

  func run() throws {
    try Files.requireInput(input)
    let violations = try Validator.violations(inFileAt: input)
    if common.json {
      try Console.result(
        try Files.json(
          Outcome(file: input, isValid: violations.isEmpty, violations: violations)),
        isJSON: true)
    } else if violations.isEmpty {
      try Console.result("\(input): valid.")
    } else {
      let lines = violations.map {
        Printable.line("\(input):\($0.object): \($0.message) [\($0.requirement)]")
      }
      try Console.result(lines.joined(separator: "\n"))
    }
    if !violations.isEmpty { throw ExitCode(1) }
  }

  private struct Outcome: Encodable {
    var file: String
    var isValid: Bool
    var violations: [Validator.Violation]
  }
}
