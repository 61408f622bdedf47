/// Everything an analysis found, as plain values: what `run.analysis.h5` stores and reports show.
///
/// Figures are in nats (or shares); only reports speak of bits.
public struct Study: Codable, Sendable, Equatable {
  /// The recorded run, as its snapshot file describes it.
  public var run: Run
  /// What was analysed, with what, and how: enough to repeat the study bit for bit.
  public var provenance: Provenance
  /// Gradient layers, in the order of the model.
  public var layers: [Layer]
  /// Windows over training, in order.
  public var windows: [Window]
  /// One cell per layer and window that had enough rows; layer-major.
  public var cells: [Cell]
  /// What a reader must know before believing a figure, most important first.
  public var warnings: [String]

  /// Creates a study from its parts.
  public init(
    run: Run, provenance: Provenance, layers: [Layer], windows: [Window], cells: [Cell],
    warnings: [String]
  ) {
    self.run = run
    self.provenance = provenance
    self.layers = layers
    self.windows = windows
    self.cells = cells
    self.warnings = warnings
  }

  /// The cell of a layer and window, if it was analysed.
  public func cell(layer: Int, window: Int) -> Cell? {
    cells.first { $0.layer == layer && $0.window == window }
  }
}

extension Study {
  /// Identity of the recorded run.
  public struct Run: Codable, Sendable, Equatable {
    /// UUID of the run.
    public var id: String
    /// When recording began, ISO 8601.
    public var created: String
    /// Software that wrote the snapshot file.
    public var producer: String
    /// How recording ended: `complete`, `interrupted` or `crashed`.
    public var status: String
    /// Model description, JSON text.
    public var model: String
    /// Training description, JSON text.
    public var training: String

    /// Creates a run description from its parts.
    public init(
      id: String, created: String, producer: String, status: String, model: String,
      training: String
    ) {
      self.id = id
      self.created = created
      self.producer = producer
      self.status = status
      self.model = model
      self.training = training
    }
  }

  /// What the figures came from.
  public struct Provenance: Codable, Sendable, Equatable {
    /// Name of the snapshot file, without its folder.
    public var input: String
    /// SHA-256 of the snapshot file, lower-case hexadecimal.
    public var inputDigest: String
    /// Version of ptoken that analysed.
    public var version: String
    /// Native libraries that took part, by name.
    public var libraries: [String: String]
    /// Every option in force.
    public var settings: Settings

    /// Creates a provenance record from its parts.
    public init(
      input: String, inputDigest: String, version: String, libraries: [String: String],
      settings: Settings
    ) {
      self.input = input
      self.inputDigest = inputDigest
      self.version = version
      self.libraries = libraries
      self.settings = settings
    }
  }

  /// Options of a study.
  public struct Settings: Codable, Sendable, Equatable {
    /// Standard deviation of the noise added to train-standardised tokens: the resolution of every figure.
    public var sigma: Double
    /// How a gradient enters its token: `direction` (direction and log norm) or `raw`.
    public var token: String
    /// Most principal components in a token (and in the feature that it is compared with).
    public var components: Int
    /// What the bound and re-identification score pairs by: `gaussian` (closed form) or `hybrid` (and a network).
    public var critic: String
    /// Networks trained for each fold by a critic that has them; their mean score is the critic's.
    public var networks: Int
    /// Components that nearest neighbours are searched in.
    public var neighbourComponents: Int
    /// k of the k-nearest-neighbour estimate.
    public var neighbours: Int
    /// Folds; 0 chooses between 2 and 5 by the rows of a window.
    public var folds: Int
    /// Mismatched pairings drawn for the null.
    public var pairings: Int
    /// Candidate records in re-identification.
    public var candidates: Int
    /// Trace steps grouped into one window; 0 chooses so that a window has about 500 rows.
    public var traceSteps: Int
    /// Seed of folds, noise and pairings.
    public var seed: UInt64

    /// Networks that were trained for each fold: none with the critic `gaussian`.
    public var trainedNetworks: Int { critic == "gaussian" ? 0 : networks }

    /// The defaults of `ptoken-analyze`.
    public init(
      sigma: Double = 0.1, token: String = "direction", components: Int = 16,
      critic: String = "hybrid", networks: Int = 1, neighbourComponents: Int = 2,
      neighbours: Int = 4,
      folds: Int = 0, pairings: Int = 99, candidates: Int = 256, traceSteps: Int = 0,
      seed: UInt64 = 1
    ) {
      self.sigma = sigma
      self.token = token
      self.components = components
      self.critic = critic
      self.networks = networks
      self.neighbourComponents = neighbourComponents
      self.neighbours = neighbours
      self.folds = folds
      self.pairings = pairings
      self.candidates = candidates
      self.traceSteps = traceSteps
      self.seed = seed
    }

    /// Reads settings; what other versions do not say is taken to be the default.
    public init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      let usual = Settings()
      func value<T: Decodable>(_ key: CodingKeys, _ fallback: T) throws -> T {
        try container.decodeIfPresent(T.self, forKey: key) ?? fallback
      }
      self.init(
        sigma: try value(.sigma, usual.sigma), token: try value(.token, usual.token),
        components: try value(.components, usual.components),
        // Files of versions that had no other say nothing.
        critic: try value(.critic, "gaussian"), networks: try value(.networks, usual.networks),
        neighbourComponents: try value(.neighbourComponents, usual.neighbourComponents),
        neighbours: try value(.neighbours, usual.neighbours),
        folds: try value(.folds, usual.folds), pairings: try value(.pairings, usual.pairings),
        candidates: try value(.candidates, usual.candidates),
        traceSteps: try value(.traceSteps, usual.traceSteps), seed: try value(.seed, usual.seed))
    }
  }

  /// A layer whose gradients were recorded.
  public struct Layer: Codable, Sendable, Equatable {
    /// Full name, as the training framework has it.
    public var name: String
    /// Gradient stage: `raw`, `clipped`, `noised`, `averaged` or `delta`.
    public var stage: String
    /// Elements of the gradient before any sketch.
    public var parameters: Int
    /// Numbers recorded per row (the sketch's width, or `parameters`).
    public var width: Int

    /// Creates a layer description from its parts.
    public init(name: String, stage: String, parameters: Int, width: Int) {
      self.name = name
      self.stage = stage
      self.parameters = parameters
      self.width = width
    }
  }

  /// A stretch of training whose rows were analysed together.
  public struct Window: Codable, Sendable, Equatable {
    /// Number of the snapshot's table that the rows came from.
    public var table: Int
    /// `probe` (one step, frozen weights) or `trace` (grouped steps, drifting weights).
    public var mode: String
    /// Global index of the first step.
    public var firstStep: Int
    /// Global index of the last step.
    public var lastStep: Int
    /// Epochs trained at the first step.
    public var epoch: Double
    /// Mean training loss over the window; NaN where not recorded.
    public var loss: Double
    /// Rows (observations), each of another record.
    public var rows: Int
    /// Folds that the rows were split in.
    public var folds: Int
    /// Records that a re-identification chose among.
    public var candidates: Int
    /// Entropy of the labels in nats; NaN without labels.
    public var labelEntropy: Double
    /// Share of the most frequent label, which blind guessing reaches; NaN without labels.
    public var labelChance: Double

    /// Creates a window description from its parts.
    public init(
      table: Int, mode: String, firstStep: Int, lastStep: Int, epoch: Double, loss: Double,
      rows: Int,
      folds: Int, candidates: Int, labelEntropy: Double, labelChance: Double
    ) {
      self.table = table
      self.mode = mode
      self.firstStep = firstStep
      self.lastStep = lastStep
      self.epoch = epoch
      self.loss = loss
      self.rows = rows
      self.folds = folds
      self.candidates = candidates
      self.labelEntropy = labelEntropy
      self.labelChance = labelChance
    }
  }

  /// Figures of one layer in one window.
  public struct Cell: Codable, Sendable, Equatable {
    /// Index into `layers`.
    public var layer: Int
    /// Index into `windows`.
    public var window: Int
    /// Components of the token that were used.
    public var components: Int
    /// Share of the recorded gradient's variance that the token's components keep, on held-out rows.
    public var keptVariance: Double
    /// One figure per measure that could be taken.
    public var figures: [Figure]

    /// Creates a cell from its parts.
    public init(
      layer: Int, window: Int, components: Int, keptVariance: Double, figures: [Figure]
    ) {
      self.layer = layer
      self.window = window
      self.components = components
      self.keptVariance = keptVariance
      self.figures = figures
    }

    /// The figure of a measure, if it was taken.
    public subscript(measure: Measure) -> Figure? { figures.first { $0.measure == measure } }
  }
}
