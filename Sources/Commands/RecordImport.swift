internal import ArgumentParser
private import Foundation
private import Importing
private import Inspection
private import Recording
private import SnapshotFormat

/// `ptoken-record import`.
struct RecordImport: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Make a snapshot of gradients that were dumped by other means.",
    discussion: """
      Each file (.safetensors or .npz) is one step, by the number that its name ends in: grads_000100.npz is step 100. \
      Its arrays are gradients, [examples, ...], of the layers that they are named after; inputs, labels, record_ids \
      and losses are what their names say.

      EXAMPLES
        ptoken-record import grads/*.safetensors -o run.h5
        ptoken-record import probe_*.npz -o run.h5 --probe --inputs images --labels digits
        ptoken-record import mean_*.npz -o run.h5 --unit batch

      \(Command.statuses)
      """)

  @Argument(help: "Files of arrays, one for each step.")
  var files: [String]

  @Option(
    name: [.customShort("o"), .long],
    help: .init("Snapshot file to write, such as run.h5.", valueName: "file"))
  var output: String

  @Flag(
    help: "The rows of each file are the same records at frozen weights, not a batch of training.")
  var probe = false

  @Option(
    help: .init(
      "What a row stands for: example or batch (files without an axis of examples).",
      valueName: "unit"))
  var unit = "example"

  @Option(
    help: .init(
      "Stage of the gradients: raw, clipped, noised, averaged or delta.", valueName: "stage"))
  var stage: String?

  @Option(help: .init("Array of the inputs.", valueName: "name"))
  var inputs = "inputs"

  @Option(help: .init("Array of integer labels.", valueName: "name"))
  var labels = "labels"

  @Option(help: .init("Array of integers that name the records.", valueName: "name"))
  var recordIds = "record_ids"

  @Option(help: .init("Array of losses.", valueName: "name"))
  var losses = "losses"

  @OptionGroup var wide: SketchOptions

  @OptionGroup var file: FileOptions

  @OptionGroup var key: KeyOptions

  @OptionGroup var common: CommonOptions

  func validate() throws {
    try Files.requireName(output, "--output")
    guard unit == "example" || unit == "batch" else {
      throw ValidationError("--unit: expected example or batch, found '\(unit)'.")
    }
    if let stage, GradientStage(rawValue: stage) == nil {
      throw ValidationError(
        "--stage: expected raw, clipped, noised, averaged or delta, found '\(stage)'.")
    }
  }

  func run() throws {
    let console = Console(quiet: common.quiet)
    for file in files { try Files.requireOther(output, than: file) }
    var options = GradientImport.Options()
    options.roles.inputs = inputs
    options.roles.labels = labels
    options.roles.recordIDs = recordIds
    options.roles.losses = losses
    options.unit = unit == "batch" ? .batch : .example
    options.mode = probe ? .probe : .trace
    options.stage = stage.flatMap(GradientStage.init) ?? (unit == "batch" ? .averaged : .raw)
    options.key = RecordKey(bytes: try KeyFile.key(key.keyFile))
    options.recording.sketchWidth = wide.width
    file.apply(to: &options.recording)
    let count = files.count
    let steps = try GradientImport(options: options).run(
      files, to: output, producer: "ptoken-record \(Command.version)"
    ) { done in
      console.progress(done, of: count, "\(done) of \(count) files")
      return Interruption.isRequested
    }
    Console.endProgress()
    let bytes = FileSize.of(output)
    if common.json {
      try Console.result(
        try Files.json(Summary(file: output, steps: steps, bytes: bytes)), isJSON: true)
    } else {
      try Console.result(
        "\(output): \(Console.count(steps, "step")) imported, \(Console.bytes(bytes)).")
    }
    if Interruption.isRequested {
      throw Interrupted(message: "\(output): interrupted; kept \(Console.count(steps, "step")).")
    }
  }

  private struct Summary: Encodable {
    var file: String
    var steps: Int
    var bytes: Int
  }
}
