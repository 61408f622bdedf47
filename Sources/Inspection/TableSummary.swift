internal import SnapshotFormat

/// What a table of a snapshot declares.
package struct TableSummary: Encodable {
  /// A stream.
  package struct Stream: Encodable {
    package var name: String
    package var kind: String
    package var stage: String?
    package var layer: String?
    package var role: String?
    package var unit: String?
    package var clipNorm: Double?
    package var noiseMultiplier: Double?
    /// Path of the dataset.
    package var object: String
    package var shape: [Int]
    package var width: Int
    /// How rows were made short, in words; nil if they were not.
    package var sketch: String?
    package var sketchNonzeros: Int?
    package var sketchSeed: UInt64?
    package var payloadBytes: Int
    package var storedBytes: Int
    package var filters: [String]
    package var chunkRows: Int
  }

  package var name: String
  package var unit: String
  package var mode: String
  /// Which steps were to be recorded, a JSON text; nil if not said.
  package var schedule: String?
  package var rows: Int
  package var steps: Int
  package var firstStep: Int?
  package var lastStep: Int?
  /// Share of the model's parameters whose gradients are recorded; nil for a model without parameters.
  package var parameterShare: Double?
  package var hasWeights: Bool
  package var hasLocalSteps: Bool
  /// Number of members; nil where the table does not say what its observations were made of.
  package var members: Int?
  /// Bytes of all columns before compression.
  package var payloadBytes: Int
  /// Bytes of their chunks in the file.
  package var storedBytes: Int
  package var streams: [Stream]

  init(_ number: Int, of reader: Reader) throws(SnapshotError) {
    let table = reader.tables[number]
    let ranges = reader.stepRanges(ofTable: number)
    let members = reader.memberColumns(ofTable: number)
    name = table.name
    unit = table.unit.rawValue
    mode = table.mode.description
    schedule = table.schedule
    rows = reader.rowCount(ofTable: number)
    steps = ranges.count
    firstStep = ranges.first.map { reader.steps[$0.step].index }
    lastStep = ranges.last.map { reader.steps[$0.step].index }
    parameterShare = reader.parameterShare(ofTable: number)
    hasWeights = table.columns.contains(.weight)
    hasLocalSteps = table.columns.contains(.localSteps)
    self.members = members.map { $0.first?.rows ?? 0 }
    streams = []
    for (position, stream) in table.streams.enumerated() {
      streams.append(Stream(stream, try reader.storage(ofStream: position, table: number)))
    }
    payloadBytes = streams.reduce(0) { $0 + $1.payloadBytes }
    storedBytes = streams.reduce(0) { $0 + $1.storedBytes }
    for column in reader.observationColumns(ofTable: number) + (members ?? []) {
      payloadBytes += column.rows * column.rowBytes
      storedBytes += try reader.storedBytes(of: column)
    }
  }
}

extension TableSummary.Stream {
  fileprivate init(_ stream: StreamDescription, _ storage: StreamStorage) {
    let kind = stream.kind
    self.init(
      name: stream.name, kind: kind.name, stage: kind.stage?.rawValue, layer: kind.layer,
      role: stream.role?.rawValue, unit: stream.unit, clipNorm: stream.clipping?.norm,
      noiseMultiplier: stream.clipping?.noiseMultiplier, object: storage.object,
      shape: stream.shape, width: stream.width,
      sketch: stream.sketch.map {
        "\(stream.elements) -> \($0.width), \($0.nonzeros) nonzeros, seed \($0.seed)"
      }, sketchNonzeros: stream.sketch?.nonzeros, sketchSeed: stream.sketch?.seed,
      payloadBytes: storage.payloadBytes, storedBytes: storage.storedBytes,
      filters: storage.filters, chunkRows: storage.chunkRows)
  }
}
