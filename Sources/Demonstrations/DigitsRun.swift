internal import LinearAlgebra
public import Recording
internal import SnapshotFormat

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
    /// Ranks of data-parallel training: each has its part of every batch and of the probe set, and a file of its own.
    public var ranks = 1
    /// Go on with a recording that was interrupted, or whose process died.
    public var resumes = false
    /// Write nothing that differs from one recording to the next: no times, and an id made of the seed.
    public var isRepeatable = false
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
  let heldOut: Digits
  let probe: Digits
  let key: RecordKey
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
  package var network: Network {
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
}
