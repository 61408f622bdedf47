private import HDF5
internal import SnapshotFormat

extension FileReading {
  static func snapshot(_ reader: Reader) throws(SnapshotError) -> JSON {
    var tables: [JSON] = []
    for table in reader.tables.indices { tables.append(try self.table(table, of: reader)) }
    return .object([
      "format": .text("ptoken-snapshot"), "version": .text(reader.version),
      "run_id": .text(reader.run.id), "created": .text(reader.run.created),
      "producer": .text(reader.run.producer), "status": .text(reader.status.rawValue),
      "json": .object([
        "model": Digest.of(reader.run.model.utf8), "training": Digest.of(reader.run.training.utf8),
        "observer": Digest.of(reader.run.observer.utf8),
      ]),
      "sessions": try sessions(reader),
      "steps": .object(
        try columns(reader.stepColumns, of: reader)
          .merging(["count": .integer(reader.steps.count)]) { $1 }),
      "tables": .array(tables),
    ])
  }

  private static func sessions(_ reader: Reader) throws(SnapshotError) -> JSON {
    let sessions = reader.sessions
    var object: [String: JSON] = [
      "first_step": digest(sessions.map { UInt64($0.firstStep) }),
      "started": Digest.of(sessions.flatMap { Array($0.started.utf8) }),
      "cut_bytes": digest(sessions.map { UInt64($0.cutBytes) }),
      "rank": digest(sessions.map(\.rank)),
    ]
    // Numbers beyond Int are cut in a description; a finished file is asked itself.
    if let file = try? File.open(at: reader.path) {
      do throws(HDF5Error) {
        let group = try file.group("sessions")
        for name in object.keys { object[name] = try Digest.of(group.dataset(name)) }
      } catch {
        throw SnapshotError(error)
      }
    }
    object["count"] = .integer(sessions.count)
    return .object(object)
  }

  private static func digest<T: FixedWidthInteger>(_ values: [T]) -> JSON {
    Digest.of(values.map(\.littleEndian).withUnsafeBytes { Array($0) })
  }

  private static func columns(
    _ columns: [SnapshotColumn], of reader: Reader
  ) throws(SnapshotError) -> [String: JSON] {
    var digests: [String: JSON] = [:]
    for column in columns { digests[column.name] = try Digest.of(column, in: reader) }
    return digests
  }

  private static func table(_ number: Int, of reader: Reader) throws(SnapshotError) -> JSON {
    let table = reader.tables[number]
    var members = JSON.null
    if let list = reader.memberColumns(ofTable: number) {
      members = .object(
        try columns(list, of: reader).merging(["count": .integer(list.first?.rows ?? 0)]) { $1 })
    }
    var streams: [JSON] = []
    for position in table.streams.indices {
      streams.append(
        try stream(
          table.streams[position], reader.streamColumn(position, ofTable: number), of: reader))
    }
    return .object([
      "name": .text(table.name), "unit": .text(table.unit.rawValue),
      "mode": .text(table.mode.description), "schedule": .text(table.schedule),
      "rows": .integer(reader.rowCount(ofTable: number)),
      "observations": .object(
        try columns(reader.observationColumns(ofTable: number), of: reader)),
      "members": members, "streams": .array(streams),
    ])
  }

  private static func stream(
    _ stream: StreamDescription, _ column: SnapshotColumn, of reader: Reader
  ) throws(SnapshotError) -> JSON {
    let facts = StreamFacts(stream)
    return .object([
      "object": .text(column.name), "name": .text(stream.name), "kind": .text(facts.kind),
      "shape": .array(stream.shape.map { .integer($0) }), "width": .integer(stream.width),
      "sketch": stream.sketch.map {
        .object(["seed": .text("\($0.seed)"), "nonzeros": .integer($0.nonzeros)])
      } ?? .null,
      "layer": .text(facts.layer), "stage": .text(facts.stage),
      "role": .text(stream.role?.rawValue), "unit": .text(stream.unit),
      "clip_norm": stream.clipping.map { .number($0.norm) } ?? .null,
      "noise_multiplier": stream.clipping?.noiseMultiplier.map { .number($0) } ?? .null,
      "values": try Digest.of(column, in: reader),
    ])
  }
}

/// The parts of a stream's kind by the names that files give them.
struct StreamFacts {
  var kind: String
  var layer: String?
  var stage: String?

  init(_ stream: StreamDescription) {
    switch stream.kind {
    case .gradient(let layer, let stage):
      (kind, self.layer, self.stage) = ("gradient", layer, stage.rawValue)
    case .feature: kind = "feature"
    case .label: kind = "label"
    case .scalar: kind = "scalar"
    }
  }
}
