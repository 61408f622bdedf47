package import Results
package import SnapshotFormat

/// What a snapshot declares about itself, finished or still being recorded; no row is read.
package struct SnapshotSummary: Encodable {
  /// A stretch of recording by one process.
  package struct Session: Encodable {
    /// Row of /steps that it began with.
    package var firstStep: Int
    /// Index of that step; nil where the session brought none.
    package var firstIndex: Int?
    package var started: String
    package var cutBytes: Int
    package var rank: Int
  }

  /// The model, as the file describes it.
  package struct Model: Encodable {
    package var name: String
    package var layers: Int
    package var parameters: Int
  }

  /// A layer that was frozen at some steps.
  package struct FrozenLayer: Encodable {
    package var layer: String
    package var steps: Int
  }

  /// How one training process was recorded.
  package struct Capture: Encodable {
    package var rank: Int
    package var producer: String
    package var method: JSONValue
    package var passedSteps: Int?
    package var droppedSteps: Int
    package var blockedSeconds: Double
    package var ended: String
    package var problems: [String]
  }

  /// Name that the file was opened by.
  package var file: String
  package var format = "ptoken-snapshot"
  package var version: String
  /// Bytes of the file; of journal and store while there is no file yet.
  package var bytes: Int
  package var runID: String
  package var created: String
  package var producer: String
  package var status: String
  package var sessions: [Session]
  package var model: Model
  package var observer: JSONValue
  package var training: JSONValue
  package var steps: Int
  package var firstStep: Int?
  package var lastStep: Int?
  package var firstEpoch: Double?
  package var lastEpoch: Double?
  /// Number of steps by mode.
  package var modes: [String: Int]
  /// Whether the file says which layers were frozen.
  package var recordsFrozenLayers: Bool
  package var frozenLayers: [FrozenLayer]
  /// How the training processes were recorded (spec/EXTENSIONS.md).
  package var captures: [Capture]
  /// Filters of the streams, in writing order; one text for each way that there is.
  package var compression: [String]
  /// Bytes of all columns before compression.
  package var payloadBytes: Int
  /// Bytes of their chunks in the file.
  package var storedBytes: Int
  package var tables: [TableSummary]

  /// Reads what a file declares.
  ///
  /// - Throws: as `Reader.init`.
  package init(path: String) throws(SnapshotError) {
    let reader = try Reader(path: path)
    file = path
    version = reader.version
    bytes = FileSize.of(snapshot: path)
    runID = reader.run.id
    created = reader.run.created
    producer = reader.run.producer
    status = reader.status.rawValue
    let steps = reader.steps
    sessions = reader.sessions.map {
      Session(
        firstStep: $0.firstStep,
        firstIndex: steps.indices.contains($0.firstStep) ? steps[$0.firstStep].index : nil,
        started: $0.started, cutBytes: Int(clamping: $0.cutBytes), rank: Int($0.rank))
    }
    model = Self.model(reader)
    observer = JSONValue(parsing: reader.run.observer) ?? .null
    training = JSONValue(parsing: reader.run.training) ?? .null
    self.steps = steps.count
    firstStep = steps.first?.index
    lastStep = steps.last?.index
    firstEpoch = steps.first.flatMap { $0.epoch.isFinite ? $0.epoch : nil }
    lastEpoch = steps.last.flatMap { $0.epoch.isFinite ? $0.epoch : nil }
    modes = Dictionary(steps.map { ($0.mode.description, 1) }) { $0 + $1 }
    recordsFrozenLayers = reader.stepColumns.contains { $0.name == "trainable" }
    let frozen = Dictionary(
      steps.flatMap { ($0.frozenLayers ?? []).map { ($0, 1) } }, uniquingKeysWith: +)
    frozenLayers = reader.layers.compactMap { layer in
      frozen[layer].map { FrozenLayer(layer: layer, steps: $0) }
    }
    captures = reader.captures.map {
      Capture(
        rank: $0.rank, producer: $0.producer, method: JSONValue(parsing: $0.method) ?? .null,
        passedSteps: $0.passedSteps, droppedSteps: $0.droppedSteps,
        blockedSeconds: $0.blockedSeconds, ended: $0.end.rawValue, problems: $0.problems)
    }
    tables = []
    for table in reader.tables.indices { tables.append(try TableSummary(table, of: reader)) }
    compression = Set(
      tables.flatMap { $0.streams.map { $0.filters.joined(separator: ", ") } }
    ).sorted()
    payloadBytes = tables.reduce(0) { $0 + $1.payloadBytes }
    storedBytes = tables.reduce(0) { $0 + $1.storedBytes }
    for column in reader.stepColumns {
      payloadBytes += column.rows * column.rowBytes
      storedBytes += try reader.storedBytes(of: column)
    }
  }

  private static func model(_ reader: Reader) -> Model {
    let model = JSONValue(parsing: reader.run.model)
    var parameters = 0
    if case .number(let digits)? = model?["parameters"] {
      parameters = Int(digits) ?? Double(digits).flatMap { Int(exactly: $0) } ?? 0
    }
    return Model(
      name: model?["name"]?.text ?? "", layers: reader.layers.count, parameters: parameters)
  }
}
