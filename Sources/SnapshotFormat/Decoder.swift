internal import HDF5

/// What a snapshot declares about itself, before any row is looked at.
struct Declaration {
  var run = RunDescription(id: "", created: "", producer: "", model: "{}")
  var status = RunStatus.complete
  var sessions: [Session] = []
  var tables: [TableDescription] = []
  var layout = Layout(tables: [], layers: nil, compression: .zstd)
  /// What the JSON of `run` says.
  var json = JSONRules.Reading()
  var version = Names.version
  /// What `/capture` says.
  var captures: [CaptureReport] = []
}

/// Reads what a finished file declares, collecting every breach of the specification on the way.
struct Decoder {
  private(set) var breaches: [DescriptionRules.Breach] = []
  private(set) var declaration = Declaration()

  /// Opens a file and checks that it is of a format and version that we know.
  static func open(
    _ path: String, format: String
  ) throws(SnapshotError) -> File {
    let file = try translating { () throws(HDF5Error) in try File.open(at: path) }
    _ = try version(of: file, format: format)
    return file
  }

  /// Refuses HDF5 files of other formats and of major versions that we do not know.
  static func version(
    of file: borrowing File, format expected: String
  ) throws(SnapshotError) -> FormatVersion {
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
    let ours = Names.version
    guard version.major == ours.major else {
      let isNewer = version.major > ours.major
      throw SnapshotError(
        code: isNewer ? .newerVersion : .olderVersion, file: path, object: "@version",
        message: "expected version \(ours.major).x, found \(version)",
        remedy: isNewer ? "Update ptoken." : "Record again, or read it with ptoken \(version).x.",
        requirement: "R-002")
    }
    return version
  }

  /// Everything a file declares, as far as it can be read.
  init(_ file: borrowing File) throws(SnapshotError) {
    let version = try Self.version(of: file, format: Names.snapshotFormat)
    declaration.version = version
    let isNewer = version.minor > Names.version.minor
    breaches = SchemaChecker.breaches(of: file, format: Names.snapshotFormat, isNewer: isNewer)
    // What has another shape than the schema says is not read.
    let isSound = breaches.isEmpty
    compareSchema(of: file, Names.snapshotFormat, isNewer: isNewer)
    readRun(file)
    if isSound {
      readSessions(file)
      readTables(file, isNewer: isNewer)
      declaration.captures = CaptureReport.read(file)
    }
  }

  mutating func breach(_ requirement: String, _ object: String, _ message: String) {
    breaches.append(.init(requirement: requirement, object: object, message: message))
  }

  /// Notes a failed HDF5 call as a breach of a requirement; nil then.
  private mutating func noting<R>(
    _ requirement: String, _ body: () throws(HDF5Error) -> R
  ) -> R? {
    do throws(HDF5Error) { return try body() } catch {
      breach(SnapshotError(error).requirement ?? requirement, error.object, error.message)
      return nil
    }
  }

  /// Whether an object has been found faulty already.
  private func isBroken(_ object: String) -> Bool { breaches.contains { $0.object == object } }

  /// The copy of the schema must be that of the version; of a newer one, only readable.
  private mutating func compareSchema(
    of file: borrowing File, _ format: String, isNewer: Bool
  ) {
    guard !isBroken("/\(Names.schema)") else { return }
    let bytes = noting("R-051") { () throws(HDF5Error) in
      try file.dataset(Names.schema).readAll(UInt8.self)
    }
    if let bytes, !isNewer, bytes != Schema.text(format) {
      breach("R-015", "/\(Names.schema)", "expected the schema of version \(Names.version)")
    }
  }

  private mutating func readRun(_ file: borrowing File) {
    var run = RunDescription(id: "", created: "", producer: "", model: "")
    run.id = (try? file.string(Names.runID)) ?? ""
    run.created = (try? file.string(Names.created)) ?? ""
    run.producer = (try? file.string(Names.producer)) ?? ""
    run.lossUnit =
      (try? file.group(Names.steps).dataset(StepColumn.loss.rawValue).string(Names.unit)) ?? ""
    if let status = try? file.string(Names.status) {
      declaration.status = RunStatus.allCases.first { $0.rawValue == status } ?? .complete
    }
    run.model = text(Names.model, file)
    run.training = text(Names.training, file)
    run.observer = text(Names.observer, file)
    declaration.run = run
    declaration.json = JSONRules.read(run)
    let found = DescriptionRules.breaches(of: run) + declaration.json.breaches
    breaches += found.filter { !isBroken($0.object) }
  }

  private mutating func text(_ name: String, _ file: borrowing File) -> String {
    guard !isBroken("/\(name)"),
      let bytes = noting(
        "R-051", { () throws(HDF5Error) in try file.dataset(name).readAll(UInt8.self) })
    else { return "{}" }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      breach("R-010", "/\(name)", "expected UTF-8 text")
      return "{}"
    }
    return text
  }

  private mutating func readSessions(_ file: borrowing File) {
    guard
      let columns = noting(
        "R-051",
        { () throws(HDF5Error) in
          let group = try file.group(Names.sessions)
          return (
            try group.dataset(Names.firstStep).readAll(UInt64.self),
            try group.dataset(Names.started).readAll(UInt8.self),
            try group.dataset(Names.cutBytes).readAll(UInt64.self),
            try group.dataset(Names.rank).readAll(UInt16.self)
          )
        })
    else { return }
    let (first, started, cut, rank) = columns
    declaration.sessions = first.indices.map { row in
      Session(
        firstStep: Int(clamping: first[row]),
        started: String(decoding: started[row * 20..<(row + 1) * 20], as: UTF8.self),
        cutBytes: cut[row], rank: rank[row])
    }
  }

  private mutating func readTables(_ file: borrowing File, isNewer: Bool) {
    var objects: [[String]] = []
    let layers = noting(
      "R-051",
      { () throws(HDF5Error) -> Int? in
        let steps = try file.group(Names.steps)
        return steps.hasChild(Names.trainable)
          ? try steps.dataset(Names.trainable).shape()[1] : nil
      })
    let count = noting("R-030") { () throws(HDF5Error) in
      try file.group(Names.tables).children().count
    }
    for number in 0..<(count ?? 0) {
      let name = Names.numbered("T", number)
      guard
        let (table, streams) = noting(
          "R-031",
          { () throws(HDF5Error) in
            try TableDecoder.table(in: file.group(Names.tables).group(name), isNewer: isNewer)
          })
      else { return }
      declaration.tables.append(table)
      objects.append(streams)
      breaches += table.streams.indices.compactMap {
        let stream = table.streams[$0]
        let width = stream.width
        guard stream.sketch == nil, DescriptionRules.elements(of: stream.shape) == nil else {
          return nil
        }
        return .init(
          requirement: "R-044", object: "/tables/\(name)/streams/\(streams[$0])",
          message:
            "expected 1 to \(Limits.shapeAxes) positive lengths of at most 2^40 elements, found \(stream.shape.prefix(40)) and rows of \(width)"
        )
      }
    }
    guard breaches.isEmpty else { return }
    let found = DescriptionRules.breaches(of: declaration.tables, layers: declaration.json.layers)
    guard found.isEmpty else {
      breaches += found
      return
    }
    var layout = Layout(tables: declaration.tables, layers: layers ?? nil, compression: .zstd)
    for (table, streams) in objects.enumerated() {
      layout.name(streams: streams, ofTable: table)
    }
    declaration.layout = layout
    checkWidths(file)
  }

  /// Without a sketch, the width of a dataset is the product of its shape.
  private mutating func checkWidths(_ file: borrowing File) {
    for (number, table) in declaration.tables.enumerated() {
      for (position, stream) in table.streams.enumerated() where stream.sketch == nil {
        let path = declaration.layout.columns[declaration.layout.tables[number].streams[position]]
          .path
        let object = String(path.split(separator: "/").last ?? "")
        let width = noting("R-045") { () throws(HDF5Error) in
          try file.group(Names.tables).group(Names.numbered("T", number)).group(Names.streams)
            .dataset(object).shape()[1]
        }
        if let width, width != stream.elements {
          breach("R-044", path, "expected rows of shape \(stream.shape), found \(width) numbers")
        }
      }
    }
  }
}
