/// What a snapshot file says about its run as a whole.
public struct RunDescription: Sendable, Equatable {
  /// UUID of the run, lower case with hyphens; every rank of one run has the same.
  public var id: String
  /// When recording began: ISO 8601, UTC, such as `2026-01-31T12:00:00Z`.
  public var created: String
  /// Software and version that recorded.
  public var producer: String
  /// Model description: a JSON object.
  public var model: String
  /// Training description (optimizer, batch size, DP-SGD settings, data set ...): a JSON object.
  public var training: String

  /// Creates a description from its parts.
  public init(id: String, created: String, producer: String, model: String, training: String) {
    self.id = id
    self.created = created
    self.producer = producer
    self.model = model
    self.training = training
  }
}

/// How recording ended.
public enum RunStatus: String, Sendable, CaseIterable {
  /// Everything that was meant to be recorded was.
  case complete
  /// Stopped early on request or for want of space; all committed steps are there.
  case interrupted
  /// The training process died; all committed steps are there.
  case crashed
}

/// How rows arise.
public enum StepMode: UInt8, Sendable, CaseIterable, CustomStringConvertible {
  /// Gradients of a fixed set of records, all at the same frozen weights.
  case probe = 0
  /// Gradients as training produced them.
  case trace = 1

  /// `probe` or `trace`.
  public var description: String { self == .probe ? "probe" : "trace" }
}

/// One recorded step. Times and losses that are unknown are NaN.
public struct StepDescription: Sendable, Equatable {
  /// Global index of the optimizer step before which (probe) or at which (trace) the gradients were taken.
  public var index: Int
  /// Epochs trained so far; fractions allowed.
  public var epoch: Double
  /// Seconds since the run was created.
  public var time: Double
  /// Mean training loss.
  public var loss: Double
  /// Learning rate in force.
  public var learningRate: Double
  /// How the rows arose.
  public var mode: StepMode

  /// Creates a step from its parts.
  public init(
    index: Int, epoch: Double = .nan, time: Double = .nan, loss: Double = .nan,
    learningRate: Double = .nan, mode: StepMode
  ) {
    self.index = index
    self.epoch = epoch
    self.time = time
    self.loss = loss
    self.learningRate = learningRate
    self.mode = mode
  }
}

/// What one row stands for.
public enum ObservationUnit: String, Sendable, CaseIterable {
  /// One training example.
  case example
  /// One mini-batch.
  case batch
  /// One client's update in federated learning.
  case client
}

/// What an observer of this gradient would see.
public enum GradientStage: String, Sendable, CaseIterable {
  /// As back-propagation gave it.
  case raw
  /// After clipping to a norm.
  case clipped
  /// After noise was added.
  case noised
  /// Averaged over a batch.
  case averaged
  /// Difference of weights after local training.
  case delta
}

/// A table: observations of one unit and one mode, and the streams that have one row for each of them.
public struct TableDescription: Sendable, Equatable {
  /// A name for people.
  public var name: String
  /// What a row stands for.
  public var unit: ObservationUnit
  /// How rows arise.
  public var mode: StepMode
  /// The streams, in the order of their object numbers.
  public var streams: [StreamDescription]

  /// Creates a description from its parts.
  public init(name: String, unit: ObservationUnit, mode: StepMode, streams: [StreamDescription]) {
    self.name = name
    self.unit = unit
    self.mode = mode
    self.streams = streams
  }
}

/// A stream: a named array with one row per observation.
public struct StreamDescription: Sendable, Equatable {
  /// What a stream holds.
  public enum Kind: Sendable, Equatable {
    /// Gradient of one layer's parameters; full layer name and observer's stage.
    case gradient(layer: String, stage: GradientStage)
    /// Data: an input, activation or embedding.
    case feature
    /// Class labels, integers from 0.
    case label
    /// Any other number of an observation, such as its loss.
    case scalar
  }

  /// A name for people; unique in its table.
  public var name: String
  /// What the stream holds.
  public var kind: Kind
  /// Shape of one row's array before flattening (row-major) and sketching.
  public var shape: [Int]
  /// How a long row was made short; nil if rows are recorded whole.
  public var sketch: SketchDescriptor?

  /// Creates a description from its parts.
  public init(name: String, kind: Kind, shape: [Int], sketch: SketchDescriptor? = nil) {
    self.name = name
    self.kind = kind
    self.shape = shape
    self.sketch = sketch
  }

  /// Elements of one row before any sketch.
  public var elements: Int { shape.reduce(1, *) }
  /// Numbers recorded per row.
  public var width: Int { sketch?.width ?? elements }

  /// Letter that begins the object's name.
  var prefix: String {
    switch kind {
    case .gradient: "L"
    case .feature: "F"
    case .label: "Y"
    case .scalar: "S"
    }
  }
}

/// Parameters of the seeded sparse sign projection (spec, section "The sketch").
public struct SketchDescriptor: Sendable, Equatable {
  /// Numbers after projection.
  public var width: Int
  /// Nonzero entries of the projection for each input element.
  public var nonzeros: Int
  /// Seed of indices and signs.
  public var seed: UInt64

  /// Creates a descriptor from its parts.
  public init(width: Int, nonzeros: Int, seed: UInt64) {
    self.width = width
    self.nonzeros = nonzeros
    self.seed = seed
  }
}

/// One step's rows of one table.
public struct TableRows: Sendable {
  /// One column of a stream, row-major [rows, width].
  public enum Values: Sendable {
    /// Gradients, features and scalars.
    case float([Float])
    /// Labels.
    case label([Int32])

    /// The first element that a file may not hold: a number that is not finite, a label below 0.
    package var firstFault: (index: Int, value: String)? {
      switch self {
      case .float(let values):
        values.firstIndex { !$0.isFinite }.map { ($0, "\(values[$0])") }
      case .label(let values):
        values.firstIndex { $0 < 0 }.map { ($0, "\(values[$0])") }
      }
    }

    /// Number of elements.
    public var count: Int {
      switch self {
      case .float(let values): values.count
      case .label(let values): values.count
      }
    }
  }

  /// Index of the table.
  public var table: Int
  /// Keyed hashes of the records, one per row.
  public var records: [RecordID]
  /// Rank that produced the rows.
  public var rank: UInt16
  /// Values of each stream, in the table's order.
  public var values: [Values]

  /// Creates rows from their parts.
  public init(table: Int, records: [RecordID], rank: UInt16 = 0, values: [Values]) {
    self.table = table
    self.records = records
    self.rank = rank
    self.values = values
  }
}
