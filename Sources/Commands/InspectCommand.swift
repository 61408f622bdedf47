public import ArgumentParser

/// `ptoken-inspect`: looks into snapshot files.
public struct InspectCommand: ParsableCommand, CommandGroup {
  /// Name, help and version.
  public static let configuration = CommandConfiguration(
    commandName: "ptoken-inspect",
    abstract: "Look into snapshot files: check, compare, recover, merge, export.",
    discussion: """
      EXAMPLES
        ptoken-inspect info run.h5
        ptoken-inspect validate run.h5 && echo sound
        ptoken-inspect recover run.h5                  (after its recorder died)
        ptoken-inspect merge run.rank*.h5 -o run.h5
        ptoken-inspect diff a.h5 b.h5
        ptoken-inspect export run.h5 -o run.npz

      \(Command.statuses)
      """,
    version: Command.version,
    subcommands: [
      InspectInfo.self, InspectValidate.self, InspectRecover.self, InspectMerge.self,
      InspectDiff.self, InspectExport.self, InspectReading.self,
    ])

  /// An empty command, for the parser to fill.
  public init() {}

  /// Runs the command.
  public func run() throws { try requireSubcommand() }
}
