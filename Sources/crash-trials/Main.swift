import ArgumentParser

/// Recordings that are killed, starved and followed, with every payload compared: run by scripts/crash-trials.
@main
struct CrashTrials: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "crash-trials",
    abstract: "Check that every committed step survives, whatever happens to its recorder.",
    subcommands: [
      Record.self, KillTrials.self, FaultTrials.self, FullTrials.self, FollowTrials.self,
    ])
}

/// A trial whose outcome is not what was promised.
struct Broken: Error, CustomStringConvertible {
  var description: String

  init(_ description: String) { self.description = description }
}
