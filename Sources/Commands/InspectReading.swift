internal import ArgumentParser
private import Foundation
internal import SnapshotFormat

/// `ptoken-inspect reading`.
struct InspectReading: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reading", abstract: "Print what a reader gets from a file, as JSON to compare.",
    discussion: """
      The canonical form of spec/conformance/README.md: descriptions as they are, columns and streams as their \
      SHA-256. Two files that say the same have the same reading, however they are stored. A file that breaks the \
      specification gives the numbers of the requirements and exit status 1.

      EXAMPLE
        diff <(ptoken-inspect reading a.h5) <(ptoken-inspect reading b.h5)

      \(Command.statuses)
      """)

  @Argument(help: "Snapshot or analysis file.")
  var input: String

  func validate() throws { try Files.requireName(input, "<input>") }

  func run() throws {
    switch try CanonicalReading.ofFile(at: input) {
    case .reading(let text): try Console.result(text, isJSON: true)
    case .refused(let requirements):
      try Console.result(try Files.json(Refusal(refused: requirements)), isJSON: true)
      throw ExitCode(1)
    }
  }

  private struct Refusal: Encodable { var refused: [String] }
}
