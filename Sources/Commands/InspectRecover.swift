internal import ArgumentParser
private import Foundation
internal import SnapshotFormat

/// `ptoken-inspect recover`.
struct InspectRecover: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "recover", abstract: "Make a file of a recording that was not finished.",
    usage: "ptoken-inspect recover [<options>] <input>",
    discussion: """
      A recorder that was killed leaves run.h5.journal and run.h5.partial; together they hold every committed step. \
      Without --output, run.h5 is made of them and they are removed; where run.h5 is there as well, from before, with \
      --force only. Of a finished file that was damaged, the steps that can be read whole are kept.

      EXAMPLES
        ptoken-inspect recover run.h5
        ptoken-inspect recover broken.h5 -o ok.h5

      \(Command.statuses)
      """)

  @Argument(help: "Snapshot file, or the name it was to have.")
  var input: String

  @Option(name: .shortAndLong, help: .init("File to write.", valueName: "file"))
  var output: String?

  @Flag(help: "Replace the output if it exists.")
  var force = false

  @OptionGroup var common: CommonOptions

  func validate() throws {
    try Files.requireName(input, "<input>")
    try Files.requireName(output, "--output")
  }

  func run() throws {
    try Files.requireSnapshot(input)
    let name = Leftovers.files(of: input)[0]
    let target = output ?? name
    let isUnfinished =
      input != name || !Files.exists(name) || Leftovers.unfinished(beside: name) != nil
    if let output, !isUnfinished { try Files.requireOther(output, than: name) }
    guard output != nil || isUnfinished else {
      throw SnapshotError(
        code: .exists, file: name, message: "expected the name of a file to write, found none",
        remedy: "Name one with --output.")
    }
    let report = try Recovery.recover(
      input, to: target, force: force, removesJournal: output == nil)
    if common.json {
      try Console.result(
        try Files.json(
          Outcome(
            file: target, steps: report.steps, lostSteps: report.lostSteps,
            cutBytes: report.cutBytes, isFromJournal: report.isFromJournal)), isJSON: true)
      return
    }
    var words = "\(target): \(Console.count(report.steps, "step")) kept"
    if report.lostSteps > 0 { words += ", \(report.lostSteps) damaged and left out" }
    if report.cutBytes > 0 {
      words += ", \(Console.bytes(report.cutBytes)) of an unfinished step cut off"
    }
    try Console.result(words + ".")
    if report.isFromJournal, output != nil {
      Console(quiet: common.quiet).note(
        "The journal was left as it is; remove it when \(target) is safe.")
    }
  }

  private struct Outcome: Encodable {
    var file: String
    var steps: Int
    var lostSteps: Int
    var cutBytes: Int
    var isFromJournal: Bool
  }
}
