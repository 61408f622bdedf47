/// What a snapshot file says about its run as a whole.
public struct RunDescription: Sendable, Equatable {
  /// UUID of the run, lower case with hyphens; every rank of one run has the same.
  public var id: String
  /// When recording began: ISO 8601, UTC, such as `2026-01-31T12:00:00Z`.
  public var created: String
  /// Software and version that recorded.
  public var producer: String
  /// Model description: a JSON object with `name`, `layers` and `parameters`; see `ModelDescription`.
  public var model: String
  /// Training description (optimizer, batch size, DP-SGD settings, data set ...): a JSON object.
  public var training: String
  /// Whose view is recorded: a JSON object with `role`, `layers` and `aggregation`; see `ObserverDescription`.
  public var observer: String
  /// Unit of `StepDescription.loss`.
  public var lossUnit: String

  /// Creates a description from its parts.
  public init(
    id: String, created: String, producer: String, model: String, training: String = "{}",
    observer: String = ObserverDescription().json, lossUnit: String = "nats"
  ) {
    self.id = id
    self.created = created
    self.producer = producer
    self.model = model
    self.training = training
    self.observer = observer
    self.lossUnit = lossUnit
  }
}

/// The model, as files describe it.
public struct ModelDescription: Sendable, Codable, Equatable {
  /// A layer with parameters.
  public struct Layer: Sendable, Codable, Equatable {
    /// Full name, as the training framework has it.
    public var name: String
    /// Elements of its gradient.
    public var parameters: Int

    /// A layer from its parts.
    public init(_ name: String, parameters: Int) {
      self.name = name
      self.parameters = parameters
    }
  }

  /// A name for people.
  public var name: String
  /// Layers in the order of the model, recorded or not.
  public var layers: [Layer]
  /// All trainable parameters, those of layers that are not listed included.
  public var parameters: Int

  /// A description from its parts; `parameters` defaults to the sum over the layers.
  public init(name: String, layers: [Layer], parameters: Int? = nil) {
    self.name = name
    self.layers = layers
    self.parameters = parameters ?? layers.reduce(0) { $0 + $1.parameters }
  }

  /// The JSON text of `RunDescription.model`.
  public var json: String { JSONText.of(self) }
}

/// Whose view of the gradients is recorded.
public struct ObserverDescription: Sendable, Equatable {
  /// What an observer gets.
  public enum Aggregation: String, Sendable, Codable, CaseIterable {
    /// Each row by itself.
    case none
    /// Only averages over batches.
    case batch
    /// Only updates of clients.
    case client
    /// Only sums over clients, as under secure aggregation.
    case sum
  }

  /// Who would see these gradients.
  public var role: String
  /// Names of the layers that the observer sees; nil: all.
  public var layers: [String]?
  /// What the observer gets.
  public var aggregation: Aggregation

  /// An observer from its parts; by default somebody who sees each row of every layer.
  public init(
    role: String = "reader of per-example gradients", layers: [String]? = nil,
    aggregation: Aggregation = .none
  ) {
    self.role = role
    self.layers = layers
    self.aggregation = aggregation
  }

  /// The JSON text of `RunDescription.observer`.
  public var json: String {
    struct Object: Encodable {
      var role: String
      var layers: [String]?
      var aggregation: Aggregation
      func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(role, forKey: .role)
        try container.encode(aggregation, forKey: .aggregation)
        if let layers {
          try container.encode(layers, forKey: .layers)
        } else {
          try container.encode("all", forKey: .layers)
        }
      }
      enum Key: CodingKey { case role, layers, aggregation }
    }
    return JSONText.of(Object(role: role, layers: layers, aggregation: aggregation))
  }
}

/// A stretch of recording by one process.
public struct Session: Sendable, Equatable {
  /// Steps that were there when it began.
  public var firstStep: Int
  /// When it began: ISO 8601, UTC.
  public var started: String
  /// Bytes of a torn tail that were cut off the journal before it began.
  public var cutBytes: UInt64
  /// Rank of the process.
  public var rank: UInt16
}
