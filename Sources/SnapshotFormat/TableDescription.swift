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
  /// Which steps were to be recorded: a JSON object; nil if not said.
  public var schedule: String?
  /// Optional columns that the table has.
  public var columns: Columns
  /// The streams, in the order of their object numbers.
  public var streams: [StreamDescription]

  /// Columns that tables of batches and clients may have.
  public struct Columns: OptionSet, Sendable {
    /// The bits.
    public let rawValue: Int

    /// A set from its bits.
    public init(rawValue: Int) { self.rawValue = rawValue }

    /// Weight of each observation in the aggregate.
    public static let weight = Columns(rawValue: 1)
    /// Local optimizer steps behind each client's update.
    public static let localSteps = Columns(rawValue: 2)
    /// Which examples, with which weights, made up each observation.
    public static let members = Columns(rawValue: 4)
  }

  /// Creates a description from its parts.
  public init(
    name: String, unit: ObservationUnit, mode: StepMode, schedule: String? = nil,
    columns: Columns = [], streams: [StreamDescription]
  ) {
    self.name = name
    self.unit = unit
    self.mode = mode
    self.schedule = schedule
    self.columns = columns
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
  /// Shape of one row's array before flattening (row-major) and sketching; `[1]` for one number.
  public var shape: [Int]
  /// How a long row was made short; nil if rows are recorded whole.
  public var sketch: SketchDescriptor?
  /// How each observation's whole gradient was clipped, and noised; gradients only.
  public var clipping: Clipping?
  /// What a feature is; features only.
  public var role: FeatureRole?
  /// Unit of the numbers; nil if not said.
  public var unit: String?

  /// Creates a description from its parts.
  public init(
    name: String, kind: Kind, shape: [Int], sketch: SketchDescriptor? = nil,
    clipping: Clipping? = nil, role: FeatureRole? = nil, unit: String? = nil
  ) {
    self.name = name
    self.kind = kind
    self.shape = shape
    self.sketch = sketch
    self.clipping = clipping
    self.role = role
    self.unit = unit
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

/// Clipping and noise on a recorded gradient.
public struct Clipping: Sendable, Equatable {
  /// Norm C that the observation's whole gradient was clipped to.
  public var norm: Double
  /// z: each element of the sum of clipped gradients got noise of deviation z C; nil if not said.
  public var noiseMultiplier: Double?

  /// Clipping from its parts.
  public init(norm: Double, noiseMultiplier: Double? = nil) {
    self.norm = norm
    self.noiseMultiplier = noiseMultiplier
  }
}

/// What a feature is.
public enum FeatureRole: String, Sendable, CaseIterable {
  /// The record itself, as the model gets it.
  case input
  /// What a layer made of it.
  case activation
  /// A vector that stands for it.
  case embedding
  /// Anything else.
  case other
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
