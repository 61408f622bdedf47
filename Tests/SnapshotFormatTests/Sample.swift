import SnapshotFormat
import TestSupport
import Testing

/// A run with two tables and every kind of stream, the same on every machine.
enum Sample {
  static let run = RunDescription(
    id: "11111111-2222-4333-8444-555555555555", created: "2026-01-31T12:00:00Z",
    producer: "ptoken test",
    model: ModelDescription(
      name: "naïve",
      layers: [.init("net.0.conv", parameters: 24), .init("net.9.dense", parameters: 1000)],
      parameters: 2048
    ).json, training: #"{"batch_size": 3}"#,
    observer: ObserverDescription(role: "tester", layers: ["net.0.conv"]).json, lossUnit: "bits")

  static let sketch = SketchDescriptor(width: 100, nonzeros: 4, seed: .max)

  static let tables = [
    TableDescription(
      name: "probe", unit: .example, mode: .probe,
      streams: [
        StreamDescription(
          name: "conv", kind: .gradient(layer: "net.0.conv", stage: .raw), shape: [4, 3, 2]),
        StreamDescription(
          name: "dense", kind: .gradient(layer: "net.9.dense", stage: .clipped), shape: [50, 20],
          sketch: sketch, clipping: Clipping(norm: 1.5, noiseMultiplier: 0.25)),
        StreamDescription(name: "input", kind: .feature, shape: [2, 3], role: .input),
        StreamDescription(name: "class", kind: .label, shape: [1]),
        StreamDescription(name: "loss", kind: .scalar, shape: [1], unit: "bits"),
      ]),
    TableDescription(
      name: "trace", unit: .batch, mode: .trace, schedule: #"{"every": 5}"#,
      columns: [.weight, .members],
      streams: [
        StreamDescription(
          name: "conv", kind: .gradient(layer: "net.0.conv", stage: .averaged), shape: [4, 3, 2])
      ]),
  ]

  static let key = RecordKey(bytes: Array("key".utf8))

  /// The value of a float stream: no two alike, all finite.
  static func value(step: Int, stream: Int, element: Int) -> Float {
    Float(step * 100 + stream) + Float(element % 65_521) / 65_536
  }

  static func record(_ row: Int) -> RecordID { key.id(of: Array("record \(row)".utf8)) }

  static func rows(_ count: Int, step: Int, table: Int) -> TableRows {
    let values = tables[table].streams.enumerated().map { number, stream in
      stream.kind == .label
        ? TableRows.Values.label((0..<count).map { Int32(($0 + step) % 10) })
        : .float((0..<count * stream.width).map { value(step: step, stream: number, element: $0) })
    }
    let isBatch = table == 1
    return TableRows(
      table: table, records: (0..<count).map(record), rank: UInt16(table),
      weights: isBatch ? (0..<count).map { Double($0) / 4 } : [],
      members: isBatch ? members(count, step: step) : .init(), values: values)
  }

  /// Members of batches: none of the first, one of the second, then two, one, none ...
  static func members(_ count: Int, step: Int) -> TableRows.Members {
    let counts = (0..<count).map { [0, 1, 2, 1][$0 % 4] }
    let sum = counts.reduce(0, +)
    return .init(
      counts: counts, records: (0..<sum).map { record($0 + step) },
      weights: (0..<sum).map { Double($0) / 2 })
  }

  static func step(_ index: Int, table: Int, loss: Double = .nan) -> StepDescription {
    StepDescription(
      index: index, epoch: Double(index) / 8, time: Double(index) * 2, loss: loss,
      learningRate: 0.1, mode: tables[table].mode, lossScale: 1024, accumulation: 2,
      participants: 3, modelMode: .training, dropout: .inactive, batchNorm: .running,
      frozenLayers: [])
  }

  /// Index, table and number of rows of each step: one row, 700 rows, and sums that end inside chunks.
  static let steps: [(index: Int, table: Int, rows: Int)] = [
    (0, 0, 1), (0, 1, 2), (5, 0, 700), (5, 1, 1), (9, 0, 700), (10, 0, 1), (10, 1, 700),
  ]

  static func append(
    to writer: Writer, steps: some Sequence<(index: Int, table: Int, rows: Int)> = steps
  )
    throws
  {
    for (index, table, rows) in steps {
      try writer.append(
        step(index, table: table, loss: table == 0 ? .nan : 0.5),
        rows: [Self.rows(rows, step: writer.committedSteps, table: table)])
    }
  }

  /// Writes the sample run.
  static func write(
    _ path: String, compression: Writer.Compression = .zstd, status: RunStatus = .complete
  ) throws {
    let writer = try Writer(
      path: path, run: run, tables: tables, compression: compression, recordsFrozenLayers: true)
    try append(to: writer)
    try writer.close(status)
  }

  /// Expects a file to hold the first `count` steps of the sample run, and nothing else.
  static func expect(
    _ path: String, holdsSteps count: Int = steps.count, status: RunStatus,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let reader = try Reader(path: path)
    #expect(reader.run == run, sourceLocation: sourceLocation)
    #expect(reader.status == status, sourceLocation: sourceLocation)
    #expect(reader.tables == tables, sourceLocation: sourceLocation)
    #expect(
      reader.steps.map(\.index) == steps.prefix(count).map(\.index), sourceLocation: sourceLocation)
    #expect(
      reader.steps.allSatisfy {
        $0.lossScale == 1024 && $0.accumulation == 2 && $0.participants == 3
          && $0.modelMode == .training && $0.dropout == .inactive && $0.batchNorm == .running
          && $0.frozenLayers == []
      }, sourceLocation: sourceLocation)
    for table in tables.indices {
      let expected = steps.prefix(count).enumerated().filter { $0.element.table == table }
      let ranges = reader.stepRanges(ofTable: table)
      #expect(ranges.map(\.step) == expected.map(\.offset), sourceLocation: sourceLocation)
      #expect(
        ranges.map(\.rows.count) == expected.map(\.element.rows), sourceLocation: sourceLocation)
      #expect(
        reader.rowCount(ofTable: table) == expected.reduce(0) { $0 + $1.element.rows },
        sourceLocation: sourceLocation)
      let members = try reader.members(ofTable: table)
      #expect((members != nil) == (table == 1), sourceLocation: sourceLocation)
      for (step, range) in ranges {
        let rows = rows(range.count, step: step, table: table)
        #expect(
          try reader.weights(ofTable: table, rows: range) ?? [] == rows.weights,
          sourceLocation: sourceLocation)
        let own = (members ?? []).filter { range.contains($0.row) }
        #expect(own.map(\.record) == rows.members.records, sourceLocation: sourceLocation)
        #expect(own.map(\.weight) == rows.members.weights, sourceLocation: sourceLocation)
        #expect(
          (table == 1 ? range.map { row in own.count { $0.row == row } } : [])
            == rows.members.counts, sourceLocation: sourceLocation)
        #expect(
          try reader.records(ofTable: table, rows: range) == rows.records,
          sourceLocation: sourceLocation)
        for (stream, values) in rows.values.enumerated() {
          switch values {
          case .float(let numbers):
            let found = try reader.values(ofStream: stream, table: table, rows: range)
            #expect(found == numbers, sourceLocation: sourceLocation)
          case .label(let labels):
            let found = try reader.labels(ofStream: stream, table: table, rows: range)
            #expect(found == labels, sourceLocation: sourceLocation)
          }
        }
      }
    }
    #expect(try Validator.violations(inFileAt: path) == [], sourceLocation: sourceLocation)
  }

  /// Runs `body`, which must throw, and returns its error.
  static func error(
    _ body: () throws -> Void, sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> SnapshotError {
    do { try body() } catch {
      return try #require(error as? SnapshotError, sourceLocation: sourceLocation)
    }
    Issue.record("nothing was thrown", sourceLocation: sourceLocation)
    throw SnapshotError(code: .failed, file: "", message: "nothing was thrown")
  }
}
