internal import ArgumentParser
private import Foundation
private import Inspection
private import SnapshotFormat

/// `ptoken-inspect export`.
struct InspectExport: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Write the arrays of a snapshot as npz, safetensors or CSV.",
    usage: "ptoken-inspect export [<options>] <input> --output <file>",
    discussion: """
      The form is that of the output's ending, or of --format. Arrays are called as they lie in the file: \
      tables/probe/streams/fc1, tables/probe/observations/record, steps/index. CSV has numbers and labels only: \
      the rows of one --table, or the steps. Members are exported with all steps and streams only; the columns of \
      steps always whole, since observations/step counts in them. What is exported is personal data, as the snapshot is.

      EXAMPLES
        ptoken-inspect export run.h5 -o run.npz
        ptoken-inspect export run.h5 -o fc1.safetensors --table probe --stream fc1 --steps 0..100
        ptoken-inspect export run.h5 -o probe.csv --table probe

      \(Command.statuses)
      """)

  @Argument(help: "Snapshot file.")
  var input: String

  @Option(name: .shortAndLong, help: .init("File to write.", valueName: "file"))
  var output: String

  @Option(
    help: .init(
      "Form: npz, safetensors or csv. (default: by the output's ending)", valueName: "name"))
  var format: String?

  @Option(help: .init("Only this table, by name or number.", valueName: "table"))
  var table: String?

  @Option(help: .init("Only this stream; may be repeated.", valueName: "stream"))
  var stream: [String] = []

  @Option(help: .init("Only steps with an index from A to B.", valueName: "A..B"))
  var steps: String?

  @Flag(help: "Replace the output if it exists.")
  var force = false

  @OptionGroup var common: CommonOptions

  private var form: Export.Format? {
    let ending = output.split(separator: ".").last.map { String($0).lowercased() } ?? ""
    return Export.Format(rawValue: format ?? ending)
  }

  private var range: ClosedRange<Int>? {
    let parts = (steps ?? "").components(separatedBy: "..").map { Int($0) }
    guard parts.count == 2, let low = parts[0], let high = parts[1], low <= high else { return nil }
    return low...high
  }

  func validate() throws {
    try Files.requireName(input, "<input>")
    try Files.requireName(output, "--output")
    guard form != nil else {
      throw ValidationError(
        format.map { "--format: expected npz, safetensors or csv, found '\($0)'." }
          ?? "--output: expected a name that ends in .npz, .safetensors or .csv, or --format with it."
      )
    }
    guard form != .csv || stream.isEmpty || table != nil else {
      throw ValidationError("--stream: expected --table with it for CSV, found none.")
    }
    guard steps == nil || range != nil else {
      throw ValidationError("--steps: expected a range such as 0..100, found '\(steps ?? "")'.")
    }
  }

  func run() throws {
    try Files.requireSnapshot(input)
    for own in Leftovers.files(of: input) { try Files.requireOther(output, than: own) }
    let export = try Export(input, table: table, streams: stream, steps: range)
    try export.write(form!, to: output, force: force)
    let bytes = FileSize.of(output)
    try Console.result(
      common.json
        ? try Files.json(Outcome(file: output, bytes: bytes))
        : "\(output): \(Console.bytes(bytes)).",
      isJSON: common.json)
  }

  private struct Outcome: Encodable {
    var file: String
    var bytes: Int
  }
}
