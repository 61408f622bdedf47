import ArgumentParser

/// Studies whose answers are known: run by scripts/known-answers, and in short form by the tests.
@main
struct KnownAnswers: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "known-answers",
    abstract: "Check the whole path, record to analysis, against answers that are known.",
    subcommands: [
      ClosedForm.self, Planted.self, Independent.self, Power.self,
      Pairs.self, Calibration.self,
    ])
}

extension ParsableArguments {
  /// Prints a verdict line and fails the program if a study missed its goal.
  func conclude(_ isReached: Bool, _ words: String) throws {
    print("\(isReached ? "reached" : "MISSED"): \(words)")
    if !isReached { throw ExitCode(1) }
  }
}
