import LinearAlgebra
import SnapshotFormat

/// Small runs of one layer, row by row.
enum TestRun {
  /// Rows of one step.
  struct Step {
    var features: Matrix
    var gradients: Matrix
    var labels: [Int32]?
    /// Names of the records; nil: each row is of another one, in this step and in all others.
    var records: [Int]?
  }

  /// Writes a file of one table.
  static func write(
    to path: String, mode: StepMode, hasFeatures: Bool = true, _ steps: [Step]
  ) throws {
    let first = steps.first
    var streams: [StreamDescription] = []
    if hasFeatures {
      streams.append(
        StreamDescription(name: "x", kind: .feature, shape: [first?.features.columns ?? 1]))
    }
    if first?.labels != nil {
      streams.append(StreamDescription(name: "y", kind: .label, shape: [1]))
    }
    let width = first?.gradients.columns ?? 3
    streams.append(
      StreamDescription(name: "fc", kind: .gradient(layer: "fc", stage: .raw), shape: [width]))
    let writer = try Writer(
      path: path,
      run: RunDescription(
        id: "11111111-2222-4333-8444-555555555555", created: "2026-01-01T00:00:00Z",
        producer: "test",
        model: ModelDescription(name: "m", layers: [.init("fc", parameters: width)]).json),
      tables: [TableDescription(name: "rows", unit: .example, mode: mode, streams: streams)])
    let key = RecordKey(bytes: [1])
    var next = 0
    for (index, step) in steps.enumerated() {
      let rows = step.gradients.rows
      let names = step.records ?? Array(next..<next + rows)
      next += rows
      var values: [TableRows.Values] = [.float(step.features.elements.map { Float($0) })]
      if let labels = step.labels { values.append(.label(labels)) }
      values.append(.float(step.gradients.elements.map { Float($0) }))
      try writer.append(
        StepDescription(index: index, mode: mode),
        rows: [TableRows(table: 0, records: names.map { key.id(of: "\($0)".utf8) }, values: values)]
      )
    }
    try writer.close()
  }
}
