public import ArgumentParser
private import Demonstrations
private import Foundation
private import Recording
private import SnapshotFormat

/// `ptoken-record`: records training runs.
public struct RecordCommand: ParsableCommand {
  public static let configuration = CommandConfiguration(
    commandName: "ptoken-record",
    abstract: "Record the gradients of a training run into one snapshot file.",
    discussion: """
      A snapshot file holds, for each recorded step, per-layer gradients and the data they came from. Analyse it
      later and elsewhere with ptoken-analyze. Treat it as personal data: whoever has the gradients may learn about
      the records.

      \(Command.statuses)
      """,
    version: Command.version, subcommands: [RecordDemo.self])

  public init() {}
}

/// `ptoken-record demo`.
struct RecordDemo: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo",
    abstract: "Train a small network on handwritten digits and record it.",
    discussion: """
      Trains on 1,438 of the 1,797 UCI digits (shipped inside the program), tests on the others, and records the
      gradients of a fixed probe set at about ten checkpoints, and every tenth batch as training saw it.

      EXAMPLES
        ptoken-record demo run.h5
        ptoken-record demo dp.h5 --dp-clip 1 --dp-noise 1
        ptoken-analyze run.h5 && ptoken-report --html run.h5

      \(Command.statuses)
      """)

  @Argument(help: "Snapshot file to write.")
  var output: String

  @Option(help: "Network: \(DigitsRun.Model.allCases.map(\.rawValue).joined(separator: " or ")).")
  var model = "mlp"

  @Option(help: "Records whose gradients are probed at every checkpoint.")
  var probe = 1000

  @Option(help: "Train with DP-SGD: clip each example's gradient to this norm.")
  var dpClip: Double?

  @Option(help: "DP-SGD noise multiplier z: N(0, z^2 C^2) on each sum of clipped gradients.")
  var dpNoise: Double?

  @Option(help: "Clip each probed gradient to this norm, as an observer would see it.")
  var probeClip: Double?

  @Option(help: "Noise multiplier z of the probed gradients; needs --probe-clip.")
  var probeNoise: Double?

  @Option(help: "Examples of a mini-batch.")
  var batchSize = 32

  @Option(help: "Passes over the training data.")
  var epochs = 15

  @Option(help: "Learning rate of SGD with momentum 0.9.")
  var learningRate = 0.05

  @Option(help: "Record every n-th batch as trace.")
  var traceEvery = 10

  @Option(help: "Numbers that a wider gradient is sketched to.")
  var sketch = 256

  @Flag(help: "Record gradients in full, without a sketch.")
  var full = false

  @Option(help: "Compression: zstd, deflate or none.")
  var compression = "zstd"

  @Option(help: "Seed of everything random.")
  var seed: UInt64 = 1

  @Flag(help: "Replace the output if it exists.")
  var force = false

  @OptionGroup var common: CommonOptions

  func validate() throws {
    guard DigitsRun.Model(rawValue: model) != nil else {
      throw ValidationError("--model: expected mlp or cnn, found '\(model)'.")
    }
    guard Writer.Compression(rawValue: compression) != nil else {
      throw ValidationError("--compression: expected zstd, deflate or none, found '\(compression)'.")
    }
    try Self.require(probe, "--probe", in: 1...1438)
    try Self.require(batchSize, "--batch-size", in: 1...1438)
    try Self.require(epochs, "--epochs", in: 0...10_000)
    try Self.require(traceEvery, "--trace-every", in: 1...1_000_000)
    try Self.require(sketch, "--sketch", in: 1...65_536)
    guard learningRate > 0, learningRate.isFinite else {
      throw ValidationError("--learning-rate: expected a positive number, found \(learningRate).")
    }
    try Self.requirePrivacy(dpClip, dpNoise, "--dp-clip", "--dp-noise")
    try Self.requirePrivacy(probeClip, probeNoise, "--probe-clip", "--probe-noise")
  }

  private static func require(_ value: Int, _ name: String, in range: ClosedRange<Int>) throws {
    guard range.contains(value) else {
      throw ValidationError(
        "\(name): expected \(range.lowerBound) to \(range.upperBound), found \(value).")
    }
  }

  private static func requirePrivacy(
    _ clip: Double?, _ noise: Double?, _ clipName: String, _ noiseName: String
  ) throws {
    if let noise, clip == nil || noise < 0 || !noise.isFinite {
      throw ValidationError(
        "\(noiseName): expected a multiplier of at least 0 together with \(clipName).")
    }
    if let clip, clip <= 0 || !clip.isFinite {
      throw ValidationError("\(clipName): expected a positive norm, found \(clip).")
    }
  }

  func run() throws {
    var options = DigitsRun.Options()
    options.model = DigitsRun.Model(rawValue: model)!
    options.probe = probe
    options.batchSize = batchSize
    options.epochs = epochs
    options.learningRate = learningRate
    options.privacy = dpClip.map { .init(clip: $0, noise: dpNoise ?? 0) }
    options.probePrivacy = probeClip.map { .init(clip: $0, noise: probeNoise ?? 0) }
    options.traceEvery = traceEvery
    options.seed = seed
    options.recording = Recorder.Options(
      sketchWidth: full ? nil : sketch, sketchSeed: seed,
      compression: Writer.Compression(rawValue: compression)!, force: force)

    let console = Console(quiet: common.quiet)
    let outcome = try DigitsRun(options).record(
      to: output, producer: "ptoken-record \(Command.version)",
      progress: { progress in
        console.progress(
          progress.step, of: progress.steps,
          "step \(progress.step), loss \(String(format: "%.3f", progress.loss)), \(progress.recordedSteps) steps recorded"
        )
      }, isInterrupted: { Interruption.isRequested })
    console.endProgress()
    let bytes = Files.size(output)
    if common.json {
      print(
        try Files.json(
          Summary(
            file: output, bytes: bytes, heldOutAccuracy: outcome.accuracy, steps: outcome.steps,
            recordedSteps: outcome.recordedSteps,
            status: outcome.isInterrupted ? "interrupted" : "complete")))
    } else {
      print(
        "\(output): \(outcome.steps) steps trained, \(outcome.recordedSteps) recorded, "
          + "\(Console.bytes(bytes)); held-out accuracy \(String(format: "%.1f", 100 * outcome.accuracy)) %."
      )
    }
    if outcome.isInterrupted {
      throw Interrupted(
        message:
          "\(output): interrupted; the \(outcome.recordedSteps) steps recorded so far are kept.")
    }
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
