private import Foundation
internal import SnapshotFormat

/// What `ptoken-inspect info` says about a snapshot file, for people and as JSON.
struct FileDescription: Encodable {
  struct Stream: Encodable {
    var name: String
    var kind: String
    var stage: String?
    var object: String
    var shape: [Int]
    var width: Int
    var sketch: String?
    var payloadBytes: Int
    var storedBytes: Int
    var filters: [String]
    var chunkRows: Int
  }

  struct Table: Encodable {
    var name: String
    var unit: String
    var mode: String
    var rows: Int
    var steps: Int
    var streams: [Stream]
  }

  var file: String
  var bytes: Int
  var runID: String
  var created: String
  var producer: String
  var status: String
  var steps: Int
  var firstStep: Int?
  var lastStep: Int?
  var tables: [Table]

  init(path: String) throws(SnapshotError) {
    let reader = try Reader(path: path)
    file = path
    bytes = Files.size(path)
    runID = reader.run.id
    created = reader.run.created
    producer = reader.run.producer
    status = reader.status.rawValue
    steps = reader.steps.count
    firstStep = reader.steps.first?.index
    lastStep = reader.steps.last?.index
    tables = []
    for (number, table) in reader.tables.enumerated() {
      var streams: [Stream] = []
      for (position, stream) in table.streams.enumerated() {
        let storage = try reader.storage(ofStream: position, table: number)
        streams.append(Self.describe(stream, storage))
      }
      tables.append(
        Table(
          name: table.name, unit: table.unit.rawValue, mode: table.mode.description,
          rows: reader.rowCount(ofTable: number), steps: reader.stepRanges(ofTable: number).count,
          streams: streams))
    }
  }

  private static func describe(_ stream: StreamDescription, _ storage: StreamStorage) -> Stream {
    var (kind, stage): (String, String?) = ("gradient", nil)
    switch stream.kind {
    case .gradient(_, let observed): stage = observed.rawValue
    case .feature: kind = "feature"
    case .label: kind = "label"
    case .scalar: kind = "scalar"
    }
    return Stream(
      name: stream.name, kind: kind, stage: stage, object: storage.object, shape: stream.shape,
      width: stream.width,
      sketch: stream.sketch.map {
        "\(stream.elements) -> \($0.width), \($0.nonzeros) nonzeros, seed \($0.seed)"
      }, payloadBytes: storage.payloadBytes, storedBytes: storage.storedBytes,
      filters: storage.filters, chunkRows: storage.chunkRows)
  }

  /// A page of text.
  var text: String {
    var lines = [
      "\(file)  \(Console.bytes(bytes))", "  run       \(runID), \(status)",
      "  created   \(created) by \(Self.short(producer))",
      "  steps     \(steps)" + (firstStep.map { ", index \($0) to \(lastStep!)" } ?? ""),
    ]
    for table in tables {
      lines.append(
        "  \(Self.short(table.name)): \(table.mode), \(Console.count(table.rows, "row")) "
          + "(one per \(table.unit)) in \(Console.count(table.steps, "step"))"
      )
      for stream in table.streams {
        let shape = stream.shape.map(String.init).joined(separator: "x")
        let sketch = stream.sketch.map { ", sketch \($0)" } ?? ""
        let kind = stream.stage.map { "\($0) \(stream.kind)" } ?? stream.kind
        let ratio =
          stream.payloadBytes > 0
          ? " (\(100 * stream.storedBytes / stream.payloadBytes) % of payload)" : ""
        lines.append(
          "    " + Self.padded(Self.short(stream.name))
            + " \(kind) \(shape)\(sketch), \(Console.bytes(stream.storedBytes))\(ratio)")
      }
    }
    return lines.joined(separator: "\n")
  }

  /// Names come from strangers: on one line, and not endless.
  private static func short(_ text: String) -> String { Printable.line(text, limit: 120) }

  private static func padded(_ name: String) -> String {
    name + String(repeating: " ", count: max(0, 14 - name.count))
  }
}
