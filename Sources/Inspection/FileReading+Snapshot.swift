private import HDF5
internal import Results
internal import SnapshotFormat

extension FileReading {
  static func snapshot(_ reader: Reader) throws(SnapshotError) -> JSONValue {
    var tables: [JSONValue] = []
    for table in reader.tables.indices { tables.append(try self.table(table, of: reader)) }
    return .object([
      "format": .string("ptoken-snapshot"), "version": .string(reader.version),
      "run_id": .string(reader.run.id), "created": .string(reader.run.created),
      "producer": .string(reader.run.producer), "status": .string(reader.status.rawValue),
      "json": .object([
        "model": Digest.of(reader.run.model.utf8), "training": Digest.of(reader.run.training.utf8),
        "observer": Digest.of(reader.run.observer.utf8),
      ]),
      "sessions": try sessions(reader),
      "steps": .object(
        sorted: try columns(reader.stepColumns, of: reader)
          .merging(["count": .number(reader.steps.count)]) { $1 }),
      "tables": .array(tables),
    ])
  }

  private static func sessions(_ reader: Reader) throws(SnapshotError) -> JSONValue {
    let sessions = reader.sessions
    var object: [String: JSONValue] = [
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
    object["count"] = .number(sessions.count)
    return .object(sorted: object)
  }

  private static func digest<T: FixedWidthInteger>(_ values: [T]) -> JSONValue {
    Digest.of(values.map(\.littleEndian).withUnsafeBytes { Array($0) })
  }

  private static func columns(
    _ columns: [SnapshotColumn], of reader: Reader
  ) throws(SnapshotError) -> [String: JSONValue] {
    var digests: [String: JSONValue] = [:]
    for column in columns { digests[column.name] = try Digest.of(column, in: reader) }
    return digests
  }

  private static func table(_ number: Int, of reader: Reader) throws(SnapshotError) -> JSONValue {
    let table = reader.tables[number]
    var members = JSONValue.null
    if let list = reader.memberColumns(ofTable: number) {
      members = .object(
        sorted: try columns(list, of: reader).merging(["count": .number(list.first?.rows ?? 0)]) {
          $1
        })
    }
    var streams: [JSONValue] = []
    for position in table.streams.indices {
      streams.append(
        try stream(
          table.streams[position], reader.streamColumn(position, ofTable: number), of: reader))
    }
    return .object([
      "name": .string(table.name), "unit": .string(table.unit.rawValue),
      "mode": .string(table.mode.description), "schedule": .string(table.schedule),
      "rows": .number(reader.rowCount(ofTable: number)),
      "observations": .object(
        sorted: try columns(reader.observationColumns(ofTable: number), of: reader)),
      "members": members, "streams": .array(streams),
    ])
  }

  private static func stream(
    _ stream: StreamDescription, _ column: SnapshotColumn, of reader: Reader
  ) throws(SnapshotError) -> JSONValue {
    let kind = stream.kind
    return .object([
      "object": .string(column.name), "name": .string(stream.name), "kind": .string(kind.name),
      "shape": .array(stream.shape.map { .number($0) }), "width": .number(stream.width),
      "sketch": stream.sketch.map {
        .object(["seed": .string("\($0.seed)"), "nonzeros": .number($0.nonzeros)])
      } ?? .null,
      "layer": .string(kind.layer), "stage": .string(kind.stage?.rawValue),
      "role": .string(stream.role?.rawValue), "unit": .string(stream.unit),
      "clip_norm": stream.clipping.map { .number($0.norm) } ?? .null,
      "noise_multiplier": stream.clipping?.noiseMultiplier.map { .number($0) } ?? .null,
      "values": try Digest.of(column, in: reader),
    ])
  }
}
