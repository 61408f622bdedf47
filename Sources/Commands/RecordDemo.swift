internal import ArgumentParser
private import Demonstrations
private import Foundation
private import Inspection
private import Recording
private import SnapshotFormat

/// `ptoken-record demo`.
struct RecordDemo: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo",
    abstract: "Train a small network on handwritten digits and record it.",
    discussion: """
      Trains on 1,438 of the 1,797 UCI digits (shipped inside the program), tests on the others, and records the \
      gradients of a fixed probe set at about ten checkpoints, and every tenth batch as training saw it. Takes a \
      few seconds. Interrupted, it keeps the steps recorded so far.

      EXAMPLES
        ptoken-record demo run.h5
        ptoken-record demo dp.h5 --dp-clip 1 --dp-noise 1      (train with DP-SGD)
        ptoken-record demo noisy.h5 --probe-clip 1 --probe-noise 0.1
        ptoken-record demo run.h5 --ranks 2                    (two files, one a rank)
        ptoken-record demo fl.h5 --clients 20                  (federated averaging)
        ptoken-analyze run.h5 && ptoken-report --html run.h5

      \(Command.statuses)
      """)

  @Argument(help: "Snapshot file to write, such as run.h5.")
  var output: String

  @Option(help: .init("Network: mlp or cnn.", valueName: "name"))
  var model = "mlp"

  @Option(
    parsing: .unconditional,
    help: .init("Records whose gradients are probed at every checkpoint.", valueName: "count"))
  var probe = 1000

  @Option(
    parsing: .unconditional,
    help: .init("Train with DP-SGD: clip each example's gradient to this norm.", valueName: "norm"))
  var dpClip: Double?

  @Option(
    parsing: .unconditional,
    help: .init(
      "DP-SGD noise multiplier z: N(0, z^2 C^2) on each sum of gradients clipped to C.",
      valueName: "z"))
  var dpNoise: Double?

  @Option(
    parsing: .unconditional,
    help: .init(
      "Clip each probed gradient to this norm, as its observer would see it.", valueName: "norm"))
  var probeClip: Double?

  @Option(
    parsing: .unconditional,
    help: .init("Noise multiplier z of the probed gradients; needs --probe-clip.", valueName: "z"))
  var probeNoise: Double?

  @Option(
    parsing: .unconditional, help: .init("Examples of a mini-batch.", valueName: "count"))
  var batchSize = 32

  @Option(
    parsing: .unconditional, help: .init("Passes over the training data.", valueName: "count"))
  var epochs = 15

  @Option(
    parsing: .unconditional,
    help: .init("Learning rate of SGD with momentum 0.9.", valueName: "number"))
  var learningRate = 0.05

  @Option(
    parsing: .unconditional, help: .init("Record every n-th batch as trace.", valueName: "n"))
  var traceEvery = 10

  @Option(
    parsing: .unconditional, help: .init("Seed of everything random.", valueName: "number"))
  var seed: UInt64 = 1

  @Option(
    parsing: .unconditional,
    help: .init(
      "Ranks of data-parallel training; each records a file of its own, to be merged.",
      valueName: "count"))
  var ranks = 1

  @Option(
    parsing: .unconditional,
    help: .init("Clients of federated averaging, in place of one training.", valueName: "count"))
  var clients: Int?

  @Flag(help: "Record no times, and an id made of the seed: the same file each time.")
  var repeatable = false

  @Flag(help: "Go on with a recording that was interrupted or killed.")
  var resume = false

  @OptionGroup var wide: SketchOptions

  @OptionGroup var file: FileOptions

  @OptionGroup var common: CommonOptions

  func validate() throws {
    try Files.requireName(output, "<output>")
    try StudyOptions.require(ranks, "--ranks", in: 1...16)
    try StudyOptions.require(clients, "--clients", in: 2...200)
    if ranks > 1, dpClip != nil {
      throw ValidationError("--ranks: expected no --dp-clip with it, found one.")
    }
    if clients != nil, ranks > 1 || resume || dpClip != nil || probeClip != nil || model != "mlp" {
      throw ValidationError(
        "--clients: expected no --ranks, --resume, --model, --dp-clip or --probe-clip with it, found one."
      )
    }
    guard !(resume && file.force) else {
      throw ValidationError("Expected one of --resume and --force, found both.")
    }
    guard DigitsRun.Model(rawValue: model) != nil else {
      throw ValidationError("--model: expected mlp or cnn, found '\(model)'.")
    }
    try StudyOptions.require(probe, "--probe", in: 1...1438)
    try StudyOptions.require(batchSize, "--batch-size", in: 1...1438)
    try StudyOptions.require(epochs, "--epochs", in: 0...10_000)
    try StudyOptions.require(traceEvery, "--trace-every", in: 1...1_000_000)
    guard ranks <= min(batchSize, probe) else {
      throw ValidationError("--ranks: expected at most --batch-size and --probe, found \(ranks).")
    }
    guard learningRate > 0, learningRate.isFinite else {
      throw ValidationError("--learning-rate: expected a positive number, found \(learningRate).")
    }
    try Self.requirePrivacy(dpClip, dpNoise, "--dp-clip", "--dp-noise")
    try Self.requirePrivacy(probeClip, probeNoise, "--probe-clip", "--probe-noise")
  }

  private static func requirePrivacy(
    _ clip: Double?, _ noise: Double?, _ clipName: String, _ noiseName: String
  ) throws {
    if let noise, noise < 0 || !noise.isFinite {
      throw ValidationError("\(noiseName): expected a multiplier of at least 0, found \(noise).")
    }
    if noise != nil, clip == nil {
      throw ValidationError("\(noiseName): expected \(clipName) with it, found none.")
    }
    if let clip, clip <= 0 || !clip.isFinite {
      throw ValidationError("\(clipName): expected a positive norm, found \(clip).")
    }
  }

  private var recording: Recorder.Options {
    var options = Recorder.Options(sketchWidth: wide.width, sketchSeed: seed)
    file.apply(to: &options)
    return options
  }

  private func train(_ progress: (DigitsRun.Progress) -> Void) throws -> DigitsRun.Outcome {
    let producer = "ptoken-record \(Command.version)"
    if let clients {
      var options = FederatedRun.Options()
      options.clients = clients
      options.probe = min(probe, options.probe)
      options.isRepeatable = repeatable
      options.seed = seed
      options.recording = recording
      return try FederatedRun(options).record(
        to: output, producer: producer, progress: progress,
        isInterrupted: { Interruption.isRequested })
    }
    var options = DigitsRun.Options()
    options.model = DigitsRun.Model(rawValue: model)!
    options.probe = probe
    options.batchSize = batchSize
    options.epochs = epochs
    options.learningRate = learningRate
    options.privacy = dpClip.map { .init(clip: $0, noise: dpNoise ?? 0) }
    options.probePrivacy = probeClip.map { .init(clip: $0, noise: probeNoise ?? 0) }
    options.traceEvery = traceEvery
    options.ranks = ranks
    options.resumes = resume
    options.isRepeatable = repeatable
    options.seed = seed
    options.recording = recording
    return try DigitsRun(options).record(
      to: output, producer: producer, progress: progress,
      isInterrupted: { Interruption.isRequested })
  }

  func run() throws {
    let console = Console(quiet: common.quiet)
    let outcome = try train { progress in
      console.progress(
        progress.step, of: progress.steps,
        "step \(progress.step) of \(progress.steps), loss \(String(format: "%.3f", progress.loss))"
      )
    }
    Console.endProgress()
    let files = DigitsRun.paths(for: output, ranks: ranks)
    let output = files.joined(separator: ", ")
    let bytes = files.reduce(0) { $0 + FileSize.of($1) }
    if common.json {
      try Console.result(
        try Files.json(
          Summary(
            file: output, bytes: bytes, heldOutAccuracy: outcome.accuracy, steps: outcome.steps,
            recordedSteps: outcome.recordedSteps,
            status: outcome.isInterrupted ? "interrupted" : "complete")), isJSON: true)
    } else {
      try Console.result(
        "\(output): \(Console.count(outcome.steps, "step")) trained, "
          + "\(outcome.recordedSteps) recorded, \(Console.bytes(bytes)); "
          + "held-out accuracy \(String(format: "%.1f", 100 * outcome.accuracy)) %.")
    }
    if outcome.isInterrupted {
      let kept = Console.count(outcome.recordedSteps, "step")
      throw Interrupted(message: "\(output): interrupted; kept the \(kept) recorded so far.")
    }
    guard !common.json else { return }
    console.note(
      ranks > 1
        ? "Next: ptoken-inspect merge \(files.joined(separator: " ")) -o \(self.output)"
        : "Next: ptoken-analyze \(output)")
  }

  private struct Summary: Encodable {
    var file: String
    var bytes: Int
    var heldOutAccuracy: Double
    var steps: Int
    var recordedSteps: Int
    var status: String
  }
}
