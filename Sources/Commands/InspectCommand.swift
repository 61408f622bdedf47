public import ArgumentParser

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
