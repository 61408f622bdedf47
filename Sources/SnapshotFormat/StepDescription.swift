/// How recording ended.
public enum RunStatus: String, Sendable, CaseIterable {
  /// Not at all: it goes on. Never in a finished file.
  case recording
  /// Everything that was meant to be recorded was.
  case complete
  /// Stopped early on request or for want of space; all committed steps are there.
  case interrupted
  /// The training process or the recorder died; all committed steps are there.
  case crashed

  /// The statuses that a finished file may have.
  public static let allCases: [RunStatus] = [.complete, .interrupted, .crashed]
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

/// Whether a model ran as in training.
public enum ModelMode: UInt8, Sendable, CaseIterable {
  /// Not recorded.
  case unknown = 0
  /// As in evaluation.
  case evaluation = 1
  /// As in training.
  case training = 2
}

/// Whether dropout was active.
public enum DropoutState: UInt8, Sendable, CaseIterable {
  /// Not recorded.
  case unknown = 0
  /// Inactive, or there is none.
  case inactive = 1
  /// Active.
  case active = 2
}

/// What batch norm normalised by.
public enum BatchNormState: UInt8, Sendable, CaseIterable {
  /// Not recorded.
  case unknown = 0
  /// Running statistics, or there is no batch norm.
  case running = 1
  /// Statistics of the batch: gradients of its examples depend on each other.
  case batch = 2
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
  /// Factor that the loss was multiplied by for mixed precision; gradients are recorded divided by it. NaN if unknown.
  public var lossScale: Double
  /// Backward passes whose gradients were summed; 0 if unknown.
  public var accumulation: Int
  /// Clients or ranks that took part, recorded or not; 0 if unknown.
  public var participants: Int
  /// Whether the model ran as in training.
  public var modelMode: ModelMode
  /// Whether dropout was active.
  public var dropout: DropoutState
  /// What batch norm normalised by.
  public var batchNorm: BatchNormState
  /// Names of layers that were frozen; nil if the file does not say. Their rows are zero.
  public var frozenLayers: Set<String>?

  /// Creates a step from its parts.
  public init(
    index: Int, epoch: Double = .nan, time: Double = .nan, loss: Double = .nan,
    learningRate: Double = .nan, mode: StepMode, lossScale: Double = 1, accumulation: Int = 1,
    participants: Int = 0, modelMode: ModelMode = .unknown, dropout: DropoutState = .unknown,
    batchNorm: BatchNormState = .unknown, frozenLayers: Set<String>? = nil
  ) {
    self.index = index
    self.epoch = epoch
    self.time = time
    self.loss = loss
    self.learningRate = learningRate
    self.mode = mode
    self.lossScale = lossScale
    self.accumulation = accumulation
    self.participants = participants
    self.modelMode = modelMode
    self.dropout = dropout
    self.batchNorm = batchNorm
    self.frozenLayers = frozenLayers
  }
}
