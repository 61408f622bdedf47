internal import HDF5

extension Decoder {
  mutating func decodeTables(into contents: inout Contents) {
    guard
      let names = noting(
        "R-030",
        { file throws(HDF5Error) in
          try file.group(Names.tables).children()
        })
    else { return }
    guard names.count <= Limits.tables, names == names.indices.map({ Names.numbered("T", $0) })
    else {
      breach("R-030", "/tables", "expected groups T0000, T0001, ..., found \(names.prefix(5))")
      return
    }
    for name in names {
      if let table = decodeTable(name, steps: contents.steps) { contents.tables.append(table) }
    }
  }

  mutating func decodeTable(_ name: String, steps: [StepDescription]) -> Contents.Table? {
    let place = "/tables/\(name)"
    guard
      let (title, unitText, modeText, objects) = noting(
        "R-031",
        {
          file throws(HDF5Error) -> (String, String, String, [String]) in
          let group = try file.group(Names.tables).group(name)
          return (
            try group.string(Names.name), try group.string(Names.unit),
            try group.string(Names.mode),
            try group.group(Names.streams).children()
          )
        })
    else { return nil }
    guard let unit = ObservationUnit(rawValue: unitText) else {
      breach(
        "R-032", "\(place)@unit",
        "expected example, batch or client, found '\(unitText.prefix(40))'")
      return nil
    }
    guard let mode = StepMode.allCases.first(where: { $0.description == modeText }) else {
      breach("R-033", "\(place)@mode", "expected probe or trace, found '\(modeText.prefix(40))'")
      return nil
    }
    guard let stepRanges = decodeObservations(name, mode: mode, steps: steps) else { return nil }
    let rows = stepRanges.last?.rows.upperBound ?? 0
    guard objects.count <= Limits.streamsPerTable else {
      breach("R-070", "\(place)/streams", "expected at most \(Limits.streamsPerTable) streams")
      return nil
    }
    var streams: [(object: String, description: StreamDescription)] = []
    for object in objects {
      if let stream = decodeStream(object, in: name, rows: rows) {
        streams.append((object, stream))
      }
    }
    // Objects sort by letter; people and writers order them by number.
    streams.sort { Names.number(of: $0.object) ?? -1 < Names.number(of: $1.object) ?? -1 }
    if streams.count == objects.count,
      streams.map({ Names.number(of: $0.object) }) != Array(streams.indices)
    {
      breach(
        "R-040", "\(place)/streams",
        "expected objects numbered 0000, 0001, ..., found \(objects.prefix(5))")
    }
    return Contents.Table(
      description: TableDescription(
        name: title, unit: unit, mode: mode, streams: streams.map(\.description)),
      objects: streams.map(\.object), steps: stepRanges)
  }

  /// Row ranges of a table's steps, from its ascending step column.
  mutating func decodeObservations(
    _ table: String, mode: StepMode, steps: [StepDescription]
  ) -> [Contents.StepRows]? {
    let place = "/tables/\(table)/observations"
    guard
      let (stepRows, recordShape, rankShape) = noting(
        "R-034",
        {
          file throws(HDF5Error) -> ([UInt32], [Int], [Int]) in
          let group = try file.group(Names.tables).group(table).group(Names.observations)
          let step = try group.dataset(Names.step)
          let shape = try step.shape()
          guard shape.count == 1, shape[0] <= Limits.observations else {
            throw HDF5Error(
              code: .mismatch, file: "", object: step.path,
              message: "expected at most \(Limits.observations) rows, found shape \(shape)")
          }
          let record = try group.dataset(Names.record)
          let rank = try group.dataset(Names.rank)
          guard record.elementType == .uint8, rank.elementType == .uint16 else {
            throw HDF5Error(
              code: .mismatch, file: "", object: group.path,
              message: "expected record uint8 and rank uint16")
          }
          return (try step.readAll(UInt32.self), try record.shape(), try rank.shape())
        })
    else { return nil }
    let count = stepRows.count
    guard recordShape == [count, RecordID.size], rankShape == [count] else {
      breach(
        "R-034", place,
        "expected record [\(count), 16] and rank [\(count)], found \(recordShape) and \(rankShape)")
      return nil
    }
    var ranges: [Contents.StepRows] = []
    var start = 0
    for row in 0..<count {
      let isLast = row == count - 1 || stepRows[row + 1] != stepRows[row]
      guard isLast else { continue }
      let step = Int(stepRows[row])
      if let previous = ranges.last, previous.step >= step {
        breach(
          "R-035", "\(place)/step", "expected ascending steps, found \(step) after \(previous.step)"
        )
        return nil
      }
      // Rows of a step that was never committed are not part of the run; they can only come last.
      guard step < steps.count else {
        guard stepRows[row...].allSatisfy({ $0 >= steps.count }) else {
          breach(
            "R-035", "\(place)/step", "expected uncommitted rows last, found \(step) in row \(row)")
          return nil
        }
        break
      }
      guard steps[step].mode == mode else {
        breach(
          "R-033", "\(place)/step",
          "expected \(mode) steps, found a \(steps[step].mode) step in row \(row)")
        return nil
      }
      ranges.append(Contents.StepRows(step: step, rows: start..<row + 1))
      start = row + 1
    }
    return ranges
  }
}
