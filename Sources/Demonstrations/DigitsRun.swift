private import Foundation
public import LinearAlgebra
public import Recording
public import SnapshotFormat

/// A real training run on the digits, recorded while it trains: a small network, true per-example gradients,
/// optionally DP-SGD. Needs no Python.
public struct DigitsRun: Sendable {
  /// Which network is trained.
  public enum Model: String, Sendable, CaseIterable {
    /// 64-32-32-10, ReLU: 3,466 parameters.
    case mlp
    /// Two 3 x 3 convolutions (8 and 16 channels, the second with stride 2) and a dense layer: 3,818 parameters.
    case cnn
  }

  /// Noise and clipping of differentially private SGD (Abadi et al. 2016, arXiv 1607.00133).
  public struct Privacy: Sendable {
    /// Largest norm C of an example's gradient.
    public var clip: Double
    /// Noise multiplier z: N(0, z² C²) is added to each element of a sum of clipped gradients.
    public var noise: Double

    /// Settings from their parts.
    public init(clip: Double, noise: Double) {
      self.clip = clip
      self.noise = noise
    }
  }

  /// Options of a run.
  public struct Options: Sendable {
    /// Network.
    public var model = Model.mlp
    /// Records in the probe set.
    public var probe = 1000
    /// Examples of a mini-batch.
    public var batchSize = 32
    /// Passes over the training set.
    public var epochs = 15
    /// Learning rate; SGD with momentum 0.9.
    public var learningRate = 0.05
    /// DP-SGD in training; nil for plain SGD.
    public var privacy: Privacy?
    /// What an observer of the probe's per-example gradients would see; nil: raw, or clipped under DP-SGD.
    public var probePrivacy: Privacy?
    /// Trace every so many steps.
    public var traceEvery = 10
    /// Seed of split, weights, batches, noise, sketch and record ids.
    public var seed: UInt64 = 1
    /// Recorder options.
    public var recording = Recorder.Options()

    /// The defaults of `ptoken-record demo`.
    public init() {}
  }

  /// How a run ended.
  public struct Outcome: Sendable {
    /// Share of held-out digits that the final network gets right.
    public var accuracy: Double
    /// Optimizer steps taken.
    public var steps: Int
    /// Steps recorded: probe and trace.
    public var recordedSteps: Int
    /// Whether it was stopped before its end.
    public var isInterrupted: Bool
  }

  /// Where a run is; passed to the progress callback.
  public struct Progress: Sendable {
    /// Optimizer steps taken, and in all.
    public var step, steps: Int
    /// Epochs trained.
    public var epoch: Double
    /// Mean loss of the last batch, nats.
    public var loss: Double
    /// Steps recorded so far.
    public var recordedSteps: Int
  }

  let options: Options
  let train: Digits
  private let heldOut: Digits
  let probe: Digits
  private let key: RecordKey
  let probePrivacy: Privacy?

  /// Prepares a run.
  public init(_ options: Options) {
    self.options = options
    (train, heldOut) = Digits().split(seed: options.seed)
    var generator = SeededGenerator(seed: options.seed, stream: 0x9e0b)
    let count = min(options.probe, train.images.rows)
    probe = train.gathering(Array(generator.permutation(train.images.rows).prefix(count)))
    // The data set is public, so a key that repeats with the seed gives nothing away; a real run draws a random one.
    key = RecordKey(bytes: Array("ptoken demo \(options.seed)".utf8))
    probePrivacy = options.probePrivacy ?? options.privacy.map { Privacy(clip: $0.clip, noise: 0) }
  }

  /// The network before training.
  public var network: Network {
    let layers: [Network.NamedLayer] =
      switch options.model {
      case .mlp:
        [
          .init("fc1", .dense(inputs: 64, outputs: 32)), .init("relu1", .relu),
          .init("fc2", .dense(inputs: 32, outputs: 32)), .init("relu2", .relu),
          .init("fc3", .dense(inputs: 32, outputs: 10)),
        ]
      case .cnn:
        [
          .init(
            "conv1",
            .convolution(Convolution(channels: 1, size: 8, outputs: 8, kernel: 3, padding: 1))),
          .init("relu1", .relu),
          .init(
            "conv2",
            .convolution(
              Convolution(channels: 8, size: 8, outputs: 16, kernel: 3, stride: 2, padding: 1))),
          .init("relu2", .relu), .init("fc", .dense(inputs: 256, outputs: 10)),
        ]
      }
    return Network(layers, seed: options.seed)
  }

  private enum Table { static let probe = 0, trace = 1, batch = 2 }

  private func tables(_ network: Network) -> [Recorder.Table] {
    let layers = network.trainable.map {
      (network.layers[$0].name, network.layers[$0].layer.parameterCount)
    }
    func gradients(_ stage: GradientStage) -> [Recorder.Stream] {
      layers.map { .gradient(layer: $0.0, stage: stage, shape: [$0.1]) }
    }
    let inputs: [Recorder.Stream] = [.feature("image", shape: [1, 8, 8]), .label("digit")]
    let probeStage: GradientStage =
      probePrivacy.map { $0.noise > 0 ? .noised : .clipped } ?? .raw
    return [
      Recorder.Table(
        name: "probe", mode: .probe, streams: inputs + gradients(probeStage) + [.scalar("loss")]),
      Recorder.Table(
        name: "trace", mode: .trace, schedule: Schedule(every: options.traceEvery),
        streams: inputs + gradients(options.privacy == nil ? .raw : .clipped) + [.scalar("loss")]),
      Recorder.Table(
        name: "batches", unit: .batch, mode: .trace, schedule: Schedule(every: options.traceEvery),
        streams: [.feature("digit share", shape: [10])]
          + gradients((options.privacy?.noise ?? 0) > 0 ? .noised : .averaged)),
    ]
  }

  /// Trains and records.
  ///
  /// - Parameters:
  ///   - path: the snapshot file to write.
  ///   - producer: name and version of the program.
  ///   - progress: called after each step.
  ///   - isInterrupted: asked before each step; true ends the run there and closes the file as `interrupted`.
  /// - Throws: `SnapshotError`.
  public func record(
    to path: String, producer: String, progress: (Progress) -> Void = { _ in },
    isInterrupted: () -> Bool = { false }
  ) throws(SnapshotError) -> Outcome {
    BLAS.useOneThread()
    var network = network
    let clock = ContinuousClock()
    let start = clock.now
    let recorder = try Recorder(
      path: path,
      run: RunDescription(
        id: UUID().uuidString.lowercased(), created: Date().formatted(.iso8601),
        producer: producer, model: modelDescription(network), training: trainingDescription()),
      tables: tables(network), options: options.recording)
    let perEpoch = train.images.rows / options.batchSize
    let total = perEpoch * options.epochs
    let probeSteps = probeSchedule(total: total, perEpoch: perEpoch)
    var velocity = network.parameters.map { [Double](repeating: 0, count: $0.count) }
    var order: [Int] = []
    var batches = SeededGenerator(seed: options.seed, stream: 0xba7c)
    var noise = SeededGenerator(seed: options.seed, stream: 0xd95d)
    var loss = Double.nan
    var step = 0
    var isFinished = false
    var failure: SnapshotError?
    do throws(SnapshotError) {
      while !isInterrupted() {
        let epoch = Double(step) / Double(max(perEpoch, 1))
        let elapsed = Double((clock.now - start) / .milliseconds(1)) / 1000
        let description = StepDescription(
          index: step, epoch: epoch, time: elapsed, loss: loss,
          learningRate: options.learningRate, mode: .probe)
        if probeSteps.contains(step) { try recordProbe(network, description, recorder) }
        guard step < total else {
          isFinished = true
          break
        }
        if step % perEpoch == 0 { order = batches.permutation(train.images.rows) }
        let first = step % perEpoch * options.batchSize
        let batch = train.gathering(Array(order[first..<first + options.batchSize]))
        var gradients = network.gradients(batch.images, labels: batch.labels)
        loss = gradients.losses.reduce(0, +) / Double(gradients.losses.count)
        if let privacy = options.privacy { gradients.clip(to: privacy.clip) }
        let update = averaged(gradients, noise: &noise)
        if recorder.wants(step, table: Table.trace) {
          var traced = description
          (traced.mode, traced.loss) = (.trace, loss)
          try recordTrace(batch, gradients, update, traced, recorder)
        }
        apply(update, to: &network, &velocity)
        step += 1
        progress(
          Progress(
            step: step, steps: total, epoch: epoch, loss: loss,
            recordedSteps: recorder.committedSteps))
      }
    } catch {
      failure = error
    }
    let isComplete = isFinished && failure == nil
    try recorder.close(isComplete ? .complete : .interrupted)
    if let failure { throw failure }
    return Outcome(
      accuracy: network.accuracy(heldOut.images, labels: heldOut.labels), steps: step,
      recordedSteps: recorder.committedSteps, isInterrupted: !isComplete)
  }

  /// Probe at the start, early while the network changes fast, then about once an epoch, and at the end.
  private func probeSchedule(total: Int, perEpoch: Int) -> Set<Int> {
    var steps: Set<Int> = [0, perEpoch / 4, perEpoch, total]
    let stride = max(1, (options.epochs + 7) / 8) * perEpoch
    for step in Swift.stride(from: 2 * perEpoch, to: total, by: max(stride, 1)) {
      steps.insert(step)
    }
    return steps.filter { $0 <= total }
  }

  private func recordProbe(
    _ network: Network, _ step: StepDescription, _ recorder: Recorder
  ) throws(SnapshotError) {
    var gradients = network.gradients(probe.images, labels: probe.labels)
    if let privacy = probePrivacy {
      gradients.clip(to: privacy.clip)
      // One stream of noise per checkpoint, scaled by z: runs that differ only in z see the same noise.
      var generator = SeededGenerator(seed: options.seed, stream: 0x4015_0000 + UInt64(step.index))
      if privacy.noise > 0 {
        gradients.addNoise(deviation: privacy.noise * privacy.clip, using: &generator)
      }
    }
    try recorder.record(step, rows: [exampleRows(Table.probe, probe, gradients)])
  }

  private func recordTrace(
    _ batch: Digits, _ gradients: Network.Gradients, _ update: [[Double]],
    _ step: StepDescription, _ recorder: Recorder
  ) throws(SnapshotError) {
    var share = [Float](repeating: 0, count: 10)
    for label in batch.labels { share[Int(label)] += 1 / Float(batch.labels.count) }
    let name = batch.records.sorted().map(String.init).joined(separator: ",")
    let rows = TableRows(
      table: Table.batch, records: [key.id(of: "batch \(name)".utf8)],
      values: [.float(share)] + update.map { .float($0.map { Float($0) }) })
    try recorder.record(step, rows: [exampleRows(Table.trace, batch, gradients), rows])
  }

  private func exampleRows(
    _ table: Int, _ examples: Digits, _ gradients: Network.Gradients
  ) -> TableRows {
    TableRows(
      table: table, records: examples.records.map { key.id(of: "digits \($0)".utf8) },
      values: [.float(examples.images.elements.map { Float($0) }), .label(examples.labels)]
        + gradients.perExample.map { .float($0.elements.map { Float($0) }) }
        + [.float(gradients.losses.map { Float($0) })])
  }

  /// Mean gradient of a batch, with DP-SGD's noise on the sum where asked for.
  private func averaged(
    _ gradients: Network.Gradients, noise: inout SeededGenerator
  ) -> [[Double]] {
    let count = Double(gradients.losses.count)
    let deviation = options.privacy.map { $0.clip * $0.noise } ?? 0
    return gradients.sums.map { sum in
      sum.map { ($0 + (deviation > 0 ? deviation * noise.normal() : 0)) / count }
    }
  }

  private func apply(
    _ update: [[Double]], to network: inout Network, _ velocity: inout [[Double]]
  ) {
    for (position, layer) in network.trainable.enumerated() {
      for index in network.parameters[layer].indices {
        velocity[layer][index] = 0.9 * velocity[layer][index] + update[position][index]
        network.parameters[layer][index] -= options.learningRate * velocity[layer][index]
      }
    }
  }
}
