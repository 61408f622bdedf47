internal import ArgumentParser
private import Inspection
private import SnapshotFormat

/// `ptoken-inspect reading`.
struct InspectReading: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reading",
    abstract: "Print what a file says in the form that readers are compared by.",
    discussion: """
      JSON, whether --json is given or not: texts and numbers as they are, every dataset as the SHA-256 of its \
      elements (spec/conformance/README.md). A file that breaks the specification has no reading: then the numbers of \
      the broken requirements are printed, and the exit status is 1.

      EXAMPLE
        ptoken-inspect reading run.h5 | diff - expected.json

      \(Command.statuses)
      """)

  @OptionGroup var file: AnyFile
  @OptionGroup var common: CommonOptions

  func run() throws {
    let input = file.path
    do throws(SnapshotError) {
      try Files.requireSnapshot(input)
    } catch {
      // An empty file is read, and refused, as any other that is no HDF5.
      guard error.code == .truncated else { throw error }
    }
    let outcome = try FileReading.of(input)
    try Console.result(outcome.json.rendered, isJSON: true)
    if case .refused = outcome { throw ExitCode(1) }
  }
}
