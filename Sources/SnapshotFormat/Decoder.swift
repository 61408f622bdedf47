internal import HDF5

/// Decodes what a snapshot file declares, collecting every breach of the specification on the way.
///
/// `Reader` throws the first breach; `Validator` lists them all.
struct Decoder: ~Copyable {
  let file: File
  private(set) var breaches: [DescriptionRules.Breach] = []

  /// Opens a file and checks that it is a snapshot of a version that we know.
  init(path: String) throws(SnapshotError) {
    let file = try translating { () throws(HDF5Error) in try File.open(at: path) }
    try Self.requireFormat(Names.snapshotFormat, of: file)
    self.file = file
  }

  /// Refuses HDF5 files of other formats and of newer major versions (R-001, R-002).
  static func requireFormat(_ expected: String, of file: borrowing File) throws(SnapshotError) {
    let path = file.file
    guard let format = try? file.string(Names.format) else {
      throw SnapshotError(
        code: .notOurs, file: path, object: "@format",
        message: "expected '\(expected)', found an HDF5 file without our mark",
        remedy: "Expected a file written by ptoken.", requirement: "R-001")
    }
    guard format == expected else {
      let remedy =
        switch format {
        case Names.analysisFormat: "It is an analysis: name the snapshot file that it was made of."
        case Names.snapshotFormat: "It is a snapshot: name the analysis that was made of it."
        default: "Expected a file written by ptoken."
        }
      throw SnapshotError(
        code: .notOurs, file: path, object: "@format",
        message: "expected '\(expected)', found '\(format.prefix(40))'",
        remedy: remedy, requirement: "R-001")
    }
    let text = (try? file.string(Names.versionAttribute)) ?? ""
    guard let version = FormatVersion(text) else {
      throw SnapshotError(
        code: .invalid, file: path, object: "@version",
        message: "expected major.minor, found '\(text.prefix(40))'", requirement: "R-002")
    }
    guard version.major <= Names.version.major else {
      throw SnapshotError(
        code: .newerVersion, file: path, object: "@version",
        message: "expected version \(Names.version.major).x, found \(version)",
        remedy: "Update ptoken.", requirement: "R-002")
    }
  }

  private mutating func breach(_ requirement: String, _ object: String, _ message: String) {
    breaches.append(.init(requirement: requirement, object: object, message: message))
  }

  /// Notes a failed HDF5 call as a breach of a requirement; nil then.
  private mutating func noting<R>(
    _ requirement: String, _ body: (borrowing File) throws(HDF5Error) -> R
  ) -> R? {
    do throws(HDF5Error) { return try body(file) } catch {
      breach(requirement, error.object, error.message)
      return nil
    }
  }

  /// Everything the file declares, as far as it can be read.
  mutating func decode() -> Contents {
    var contents = Contents()
    contents.run = RunDescription(
      id: noting("R-004") { file throws(HDF5Error) in try file.string(Names.runID) } ?? "",
      created: noting("R-005") { file throws(HDF5Error) in try file.string(Names.created) } ?? "",
      producer: noting("R-006") { file throws(HDF5Error) in try file.string(Names.producer) } ?? "",
      model: text(Names.model), training: text(Names.training))
    if let status = noting("R-007", { file throws(HDF5Error) in try file.string(Names.status) }) {
      contents.status = RunStatus(rawValue: status)
      if contents.status == nil {
        breach(
          "R-007", "@status",
          "expected complete, interrupted or crashed, found '\(status.prefix(40))'")
      }
    }
    if breaches.isEmpty { breaches += DescriptionRules.breaches(of: contents.run) }
    decodeSteps(into: &contents)
    decodeTables(into: &contents)
    breaches += DescriptionRules.breaches(of: contents.tables.map(\.description))
    refuseStrayLinks()
    return contents
  }

  /// Notes links that are not hard links (R-071), where no other requirement has named them already.
  private mutating func refuseStrayLinks() {
    var waiting = [[String]](repeating: [], count: 1)
    while let path = waiting.popLast(), path.count < 5 {
      let children = noting("R-071") { file throws(HDF5Error) in
        try Self.children(of: file, at: path)
      }
      for (name, kind) in children ?? [] {
        switch kind {
        case .group: waiting.append(path + [name])
        case .dataset: continue
        case .refusedLink, .other:
          let object = "/" + (path + [name]).joined(separator: "/")
          guard !breaches.contains(where: { $0.object.hasPrefix(object) }) else { continue }
          breach("R-071", object, "expected a hard link to a group or dataset")
        }
      }
    }
  }

  private static func children<L: Location & ~Copyable>(
    of location: borrowing L, at path: [String]
  ) throws(HDF5Error) -> [(String, ChildKind)] {
    if let first = path.first {
      return try children(of: location.group(first), at: Array(path.dropFirst()))
    }
    var found: [(String, ChildKind)] = []
    for name in try location.children() {
      if let kind = try location.kind(of: name) { found.append((name, kind)) }
    }
    return found
  }

  private mutating func text(_ name: String) -> String {
    guard
      let bytes = noting(
        "R-010",
        { file throws(HDF5Error) -> [UInt8] in
          let dataset = try file.dataset(name)
          let shape = try dataset.shape()
          guard shape.count == 1, shape[0] <= Limits.jsonBytes else {
            throw HDF5Error(
              code: .mismatch, file: "", object: "/\(name)",
              message: "expected at most \(Limits.jsonBytes) bytes, found shape \(shape)")
          }
          return try dataset.readAll(UInt8.self)
        })
    else { return "{}" }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      breach("R-010", "/\(name)", "expected UTF-8 text")
      return "{}"
    }
    return text
  }

  private mutating func decodeSteps(into contents: inout Contents) {
    guard
      let committed = noting(
        "R-021",
        { file throws(HDF5Error) -> UInt64? in
          let dataset = try file.dataset(Names.commit)
          return try dataset.shape() == [1] ? try dataset.readAll(UInt64.self)[0] : nil
        }) ?? nil, committed <= Limits.steps
    else {
      if breaches.last?.requirement != "R-021" {
        breach("R-021", "/commit", "expected one number of at most \(Limits.steps)")
      }
      return
    }
    let count = Int(committed)
    func column<T: Element>(_ name: String, _: T.Type) -> (borrowing File) throws(HDF5Error) -> [T]
    {
      { file throws(HDF5Error) in
        try file.group(Names.steps).dataset(name).read(T.self, start: [0], count: [count])
      }
    }
    guard let index = noting("R-020", column(Names.index, Int64.self)),
      let epoch = noting("R-020", column(Names.epoch, Double.self)),
      let time = noting("R-020", column(Names.time, Double.self)),
      let loss = noting("R-020", column(Names.loss, Double.self)),
      let rate = noting("R-020", column(Names.learningRate, Double.self)),
      let mode = noting("R-020", column(Names.mode, UInt8.self))
    else { return }
    for row in 0..<count {
      guard let stepMode = StepMode(rawValue: mode[row]) else {
        breach("R-023", "/steps/mode", "expected 0 or 1 in row \(row), found \(mode[row])")
        return
      }
      if row > 0, index[row] < index[row - 1] {
        breach(
          "R-022", "/steps/index",
          "expected ascending indices, found \(index[row]) after \(index[row - 1])")
        return
      }
      contents.steps.append(
        StepDescription(
          index: Int(index[row]), epoch: epoch[row], time: time[row], loss: loss[row],
          learningRate: rate[row], mode: stepMode))
    }
  }

  private mutating func decodeTables(into contents: inout Contents) {
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

  private mutating func decodeTable(_ name: String, steps: [StepDescription]) -> Contents.Table? {
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
  private mutating func decodeObservations(
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

  private mutating func decodeStream(
    _ object: String, in table: String, rows: Int
  ) -> StreamDescription? {
    let place = "/tables/\(table)/streams/\(object)"
    struct Raw {
      var name, kind, sketch: String
      var layer: String?
      var stage: String?
      var shape: [UInt64]
      var extent: [Int]
      var type: ElementType
      var filters: [Filter]
      var chunkBytes: Int
      var seed: UInt64?
      var nonzeros: UInt32?
    }
    guard
      let raw = noting(
        "R-041",
        { file throws(HDF5Error) -> Raw in
          let dataset = try file.group(Names.tables).group(table).group(Names.streams).dataset(
            object)
          let kind = try dataset.string(Names.kind)
          let isGradient = kind == "gradient"
          let sketch = try dataset.string(Names.sketch)
          let isSketched = sketch != "none"
          return Raw(
            name: try dataset.string(Names.name), kind: kind, sketch: sketch,
            layer: isGradient ? try dataset.string(Names.layer) : nil,
            stage: isGradient ? try dataset.string(Names.stage) : nil,
            shape: try dataset.vector(Names.shape), extent: try dataset.shape(),
            type: dataset.elementType, filters: dataset.filters, chunkBytes: dataset.chunkBytes,
            seed: isSketched ? try dataset.scalar(Names.sketchSeed, as: UInt64.self) : nil,
            nonzeros: isSketched ? try dataset.scalar(Names.sketchNonzeros, as: UInt32.self) : nil)
        })
    else { return nil }
    for filter in raw.filters {
      if case .unknown(let id) = filter {
        breach("R-050", place, "expected shuffle, deflate, fletcher32 or zstd, found filter \(id)")
        return nil
      }
    }
    guard raw.chunkBytes <= Limits.chunkBytes else {
      breach(
        "R-070", place,
        "expected chunks of at most \(Limits.chunkBytes) bytes, found \(raw.chunkBytes)")
      return nil
    }
    let kind: StreamDescription.Kind
    switch raw.kind {
    case "gradient":
      guard let stage = GradientStage(rawValue: raw.stage ?? "") else {
        breach(
          "R-043", "\(place)@stage",
          "expected a gradient stage, found '\((raw.stage ?? "").prefix(40))'")
        return nil
      }
      kind = .gradient(layer: raw.layer ?? "", stage: stage)
    case "feature": kind = .feature
    case "label": kind = .label
    case "scalar": kind = .scalar
    default:
      breach(
        "R-042", "\(place)@kind",
        "expected gradient, feature, label or scalar, found '\(raw.kind.prefix(40))'")
      return nil
    }
    let expected: ElementType = kind == .label ? .int32 : .float32
    guard raw.type == expected, raw.extent.count == 2, raw.extent[0] >= rows else {
      breach(
        "R-045", place,
        "expected \(expected) [\(rows), width], found \(raw.type) \(raw.extent)")
      return nil
    }
    var description = StreamDescription(
      name: raw.name, kind: kind, shape: raw.shape.map { Int(clamping: $0) })
    guard raw.sketch == "none" || raw.sketch == "sparse-sign" else {
      breach(
        "R-060", "\(place)@sketch", "expected none or sparse-sign, found '\(raw.sketch.prefix(40))'"
      )
      return nil
    }
    if let seed = raw.seed, let nonzeros = raw.nonzeros {
      description.sketch = SketchDescriptor(
        width: raw.extent[1], nonzeros: Int(nonzeros), seed: seed)
    } else if DescriptionRules.elements(of: description.shape) != raw.extent[1] {
      breach("R-044", place, "expected rows of shape \(raw.shape), found \(raw.extent[1]) numbers")
      return nil
    }
    if description.prefix != object.prefix(1) {
      breach("R-040", place, "expected an object name that begins with \(description.prefix)")
    }
    return description
  }
}

/// What a snapshot file declares.
struct Contents {
  /// One step's rows in a table.
  struct StepRows {
    /// Row of the step in /steps.
    var step: Int
    /// Rows of the table.
    var rows: Range<Int>
  }

  /// A table and where its streams are.
  struct Table {
    var description: TableDescription
    /// Object name of each stream.
    var objects: [String]
    var steps: [StepRows]
  }

  var run = RunDescription(id: "", created: "", producer: "", model: "{}", training: "{}")
  var status: RunStatus?
  var steps: [StepDescription] = []
  var tables: [Table] = []
}
