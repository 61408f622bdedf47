import SnapshotFormat
import TestSupport
import Testing

/// A run with probe rows of examples and updates of clients, every kind of stream and every optional column.
struct SmallRun {
  var run = RunDescription(
    id: "11111111-2222-4333-8444-555555555555", created: "2026-01-31T12:00:00Z",
    producer: "ptoken test",
    model: ModelDescription(
      name: "net", layers: [.init("conv", parameters: 24), .init("dense", parameters: 1000)],
      parameters: 2048
    ).json, training: #"{"batch_size": 3, "dp_sgd": {"clip": 1, "noise_multiplier": 0.5}}"#)
  var tables = [
    TableDescription(
      name: "probe", unit: .example, mode: .probe, schedule: #"{"every": 5}"#,
      streams: [
        StreamDescription(
          name: "conv", kind: .gradient(layer: "conv", stage: .clipped), shape: [4, 3, 2],
          clipping: Clipping(norm: 1.5, noiseMultiplier: 0.25)),
        StreamDescription(
          name: "dense", kind: .gradient(layer: "dense", stage: .raw), shape: [50, 20],
          sketch: SketchDescriptor(width: 100, nonzeros: 4, seed: .max)),
        StreamDescription(name: "input", kind: .feature, shape: [2, 3], role: .input),
        StreamDescription(name: "class", kind: .label, shape: [1]),
        StreamDescription(name: "loss", kind: .scalar, shape: [1], unit: "nats"),
      ]),
    TableDescription(
      name: "clients", unit: .client, mode: .trace, columns: [.weight, .localSteps, .members],
      streams: [
        StreamDescription(
          name: "conv", kind: .gradient(layer: "conv", stage: .delta), shape: [4, 3, 2])
      ]),
  ]
  /// Index, table and number of rows of each step; the tables take part by turns.
  var steps: [(index: Int, table: Int, rows: Int)] = [
    (0, 0, 5), (0, 1, 2), (5, 0, 700), (5, 1, 1), (9, 0, 40), (10, 1, 3),
  ]
  /// Loss of every step.
  var loss = 0.5
  /// Changes rows before they are written: gets the step's row of /steps.
  var change: (Int, inout TableRows) -> Void = { _, _ in }
  var compression = Writer.Compression.zstd
  var status = RunStatus.complete

  static let key = RecordKey(bytes: Array("key".utf8))

  static func record(_ row: Int) -> RecordID { key.id(of: Array("record \(row)".utf8)) }

  /// The value of a float stream: no two of a step alike, exact in float32.
  static func value(step: Int, stream: Int, element: Int) -> Float {
    Float(step * 100 + stream) + Float(element % 65_521) / 65_536
  }

  func rows(_ count: Int, step: Int, table: Int) -> TableRows {
    let values = tables[table].streams.enumerated().map { number, stream in
      stream.kind == .label
        ? TableRows.Values.label((0..<count).map { Int32(($0 + step) % 10) })
        : .float(
          (0..<count * stream.width).map { Self.value(step: step, stream: number, element: $0) })
    }
    var rows = TableRows(
      table: table, records: (0..<count).map(Self.record), rank: UInt16(table), values: values)
    if table == 1 {
      rows.weights = (0..<count).map { Double($0) + 0.5 }
      rows.localSteps = (0..<count).map { $0 + 1 }
      rows.members = TableRows.Members(
        counts: (0..<count).map { _ in 2 }, records: (0..<2 * count).map { Self.record(1000 + $0) },
        weights: (0..<2 * count).map { _ in 0.5 })
    }
    return rows
  }

  /// Starts the file and appends all steps.
  func begin(_ path: String) throws -> Writer {
    let writer = try Writer(
      path: path, run: run, tables: tables, compression: compression, recordsFrozenLayers: true)
    for (number, step) in steps.enumerated() {
      var rows = rows(step.rows, step: number, table: step.table)
      change(number, &rows)
      try writer.append(
        StepDescription(
          index: step.index, epoch: Double(step.index) / 8, loss: loss, learningRate: 0.1,
          mode: tables[step.table].mode, participants: 7, modelMode: .training,
          frozenLayers: step.table == 1 && step.index == 5 ? ["dense"] : []),
        rows: [rows])
    }
    return writer
  }

  /// Writes the file.
  func write(_ path: String) throws { try begin(path).close(status) }
}
