internal import ArgumentParser
private import SnapshotFormat

/// `ptoken-inspect validate`.
struct InspectValidate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "validate", abstract: "Check a snapshot or an analysis against the specification.",
    discussion: """
      Reads every stream to its end, and lists each violation with the number of its requirement in spec/SPEC.md. \
      The exit status says whether there was one.

      EXAMPLE
        ptoken-inspect validate run.h5 && echo sound

      \(Command.statuses)
      """)

  @OptionGroup var file: AnyFile
  @OptionGroup var common: CommonOptions

  func run() throws {
    let input = file.path
    try Files.requireSnapshot(input)
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
