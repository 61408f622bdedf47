internal import ArgumentParser
private import Foundation
internal import Inspection
internal import SnapshotFormat

/// `ptoken-inspect merge`.
struct InspectMerge: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge", abstract: "Put the files of several ranks together.",
    usage: "ptoken-inspect merge [<options>] <inputs> ... --output <file>",
    discussion: """
      The files must be of one run, with the same tables, and each of ranks of its own. Steps of equal index and \
      mode become one, with the rows of each rank after those of the lower one; every row keeps its rank. Whole \
      chunks are copied as they are stored where ranks begin and end with them.

      EXAMPLE
        ptoken-inspect merge run.rank0.h5 run.rank1.h5 -o run.h5

      \(Command.statuses)
      """)

  @Argument(help: "Snapshot files, one a rank.")
  var inputs: [String]

  @Option(name: .shortAndLong, help: .init("File to write.", valueName: "file"))
  var output: String

  @Flag(help: "Replace the output if it exists.")
  var force = false

  @OptionGroup var common: CommonOptions

  func validate() throws {
    for input in inputs { try Files.requireName(input, "<inputs>") }
    try Files.requireName(output, "--output")
    guard inputs.count > 1 else {
      throw ValidationError("Expected the files of at least two ranks, found \(inputs.count).")
    }
  }

  func run() throws {
    for input in inputs {
      try Files.requireInput(input)
      try Files.requireOther(output, than: input)
    }
    let report = try Merge.merge(inputs, to: output, force: force)
    if common.json {
      try Console.result(
        try Files.json(
          Outcome(
            file: output, steps: report.steps, partialSteps: report.partialSteps,
            ranks: report.ranks.map { Int($0) })), isJSON: true)
      return
    }
    let ranks = report.ranks.map { "\($0)" }.joined(separator: ", ")
    try Console.result(
      "\(output): \(Console.count(report.steps, "step")) of ranks \(ranks), \(Console.bytes(FileSize.of(output)))."
    )
    if report.partialSteps > 0 {
      Console(quiet: common.quiet).note(
        "\(Console.count(report.partialSteps, "step")) \(report.partialSteps == 1 ? "is" : "are") not in every file."
      )
    }
  }

  private struct Outcome: Encodable {
    var file: String
    var steps: Int
    var partialSteps: Int
    var ranks: [Int]
  }
}
