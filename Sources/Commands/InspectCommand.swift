public import ArgumentParser
private import SnapshotFormat

/// `ptoken-inspect`: looks into snapshot files.
public struct InspectCommand: ParsableCommand {
  public static let configuration = CommandConfiguration(
    commandName: "ptoken-inspect",
    abstract: "Show what a snapshot file holds, and check it against the specification.",
    discussion: Command.statuses, version: Command.version,
    subcommands: [InspectInfo.self, InspectValidate.self])

  public init() {}
}

/// `ptoken-inspect info`.
struct InspectInfo: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "info", abstract: "Show run, steps, tables and streams.",
    discussion: """
      EXAMPLES
        ptoken-inspect info run.h5
        ptoken-inspect info run.h5 --json | jq '.tables[0].streams'

      \(Command.statuses)
      """)

  @Argument(help: "Snapshot file.")
  var input: String

  @OptionGroup var common: CommonOptions

  func run() throws {
    let description = try FileDescription(path: input)
    print(common.json ? try Files.json(description) : description.text)
  }
}

/// `ptoken-inspect validate`.
struct InspectValidate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "validate", abstract: "Check a snapshot file against the specification.",
    discussion: """
      Lists every violation with the number of its requirement in spec/SPEC.md, and reads every stream.

      EXAMPLE
        ptoken-inspect validate run.h5 && echo sound

      \(Command.statuses)
      """)

  @Argument(help: "Snapshot file.")
  var input: String

  @OptionGroup var common: CommonOptions

  func run() throws {
    let violations = try Validator.violations(inFileAt: input)
    if common.json {
      print(try Files.json(Outcome(file: input, isValid: violations.isEmpty, violations: violations)))
    } else if violations.isEmpty {
      print("\(input): valid.")
    } else {
      for violation in violations {
        print("\(input):\(violation.object): \(violation.message) [\(violation.requirement)]")
      }
    }
    if !violations.isEmpty { throw ExitCode(1) }
  }

  private struct Outcome: Encodable {
    var file: String
    var isValid: Bool
    var violations: [Validator.Violation]
  }
}
