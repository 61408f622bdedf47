private import Foundation
internal import HDF5

extension JournalHead {
  /// What a growing snapshot declares.
  init(
    _ declaration: Declaration, compression: Writer.Compression, id: [UInt8], store: String
  ) {
    let run = declaration.run
    self.init(
      format: Names.journalFormat, version: Names.version.description, id: Hexadecimal.text(id),
      store: store,
      run: Run(
        runID: run.id, created: run.created, producer: run.producer, model: run.model,
        training: run.training, observer: run.observer),
      lossUnit: run.lossUnit,
      sessions: declaration.sessions.map {
        Session(
          firstStep: $0.firstStep, started: $0.started, cutBytes: $0.cutBytes, rank: $0.rank)
      }, compression: compression.rawValue, tables: declaration.tables.map(Table.init),
      hasTrainable: declaration.layout.trainable != nil,
      columns: declaration.layout.columns.map {
        ColumnEntry(
          path: $0.path, type: $0.type.description, width: $0.width ?? 0, chunkRows: $0.chunkRows,
          filters: $0.filters.map(\.numbers))
      })
  }

  /// What the head declares; nil unless it says what a writer of our version says.
  ///
  /// The columns must be those that the tables ask for: no other is read.
  func declaration() -> (Declaration, Writer.Compression)? {
    guard format == Names.journalFormat, let version = FormatVersion(version),
      version.major == Names.version.major,
      let compression = Writer.Compression(rawValue: compression)
    else { return nil }
    var declaration = Declaration()
    declaration.version = version
    declaration.status = .recording
    declaration.run = RunDescription(
      id: run.runID, created: run.created, producer: run.producer, model: run.model,
      training: run.training, observer: run.observer, lossUnit: lossUnit)
    declaration.json = JSONRules.read(declaration.run)
    declaration.sessions = sessions.map {
      .init(
        firstStep: $0.firstStep, started: $0.started, cutBytes: $0.cutBytes, rank: $0.rank)
    }
    for table in tables {
      guard let description = table.description else { return nil }
      declaration.tables.append(description)
    }
    guard DescriptionRules.breaches(of: declaration.run).isEmpty, declaration.json.breaches.isEmpty,
      DescriptionRules.breaches(of: declaration.tables, layers: declaration.json.layers).isEmpty
    else { return nil }
    let layers = hasTrainable ? declaration.json.layers?.count : nil
    let layout = Layout(tables: declaration.tables, layers: layers, compression: compression)
    let own = layout.columns.map {
      [$0.path, $0.type.description, "\($0.width ?? 0)", "\($0.chunkRows)"]
    }
    guard own == columns.map({ [$0.path, $0.type, "\($0.width)", "\($0.chunkRows)"] }),
      layout.columns.map({ $0.filters.map(\.numbers) }) == columns.map(\.filters)
    else { return nil }
    declaration.layout = layout
    return (declaration, compression)
  }
}

extension JournalHead.Table {
  init(_ table: TableDescription) {
    self.init(
      name: table.name, unit: table.unit.rawValue, mode: table.mode.description,
      schedule: table.schedule, hasWeight: table.columns.contains(.weight),
      hasLocalSteps: table.columns.contains(.localSteps),
      hasMembers: table.columns.contains(.members),
      streams: table.streams.map(JournalHead.Stream.init))
  }

  var description: TableDescription? {
    guard let unit = ObservationUnit(rawValue: unit),
      let mode = StepMode.allCases.first(where: { $0.description == mode })
    else { return nil }
    var columns: TableDescription.Columns = []
    if hasWeight { columns.insert(.weight) }
    if hasLocalSteps { columns.insert(.localSteps) }
    if hasMembers { columns.insert(.members) }
    var streams: [StreamDescription] = []
    for stream in self.streams {
      guard let description = stream.description else { return nil }
      streams.append(description)
    }
    return TableDescription(
      name: name, unit: unit, mode: mode, schedule: schedule, columns: columns, streams: streams)
  }
}

extension JournalHead.Stream {
  init(_ stream: StreamDescription) {
    self.init(
      name: stream.name, kind: stream.kind.name,
      sketch: stream.sketch == nil ? "none" : "sparse-sign",
      shape: stream.shape, width: stream.width, layer: stream.kind.layer,
      stage: stream.kind.stage?.rawValue, role: stream.role?.rawValue, unit: stream.unit,
      sketchSeed: stream.sketch.map { String($0.seed) }, sketchNonzeros: stream.sketch?.nonzeros,
      clipNorm: stream.clipping?.norm, noiseMultiplier: stream.clipping?.noiseMultiplier)
  }

  var description: StreamDescription? {
    guard let kind = StreamDescription.Kind(name: kind, layer: layer, stage: stage) else {
      return nil
    }
    var description = StreamDescription(
      name: name, kind: kind, shape: shape,
      clipping: clipNorm.map { Clipping(norm: $0, noiseMultiplier: noiseMultiplier) },
      role: role.flatMap(FeatureRole.init), unit: unit)
    if sketch != "none" {
      guard let seed = sketchSeed.flatMap({ UInt64($0) }), let nonzeros = sketchNonzeros else {
        return nil
      }
      description.sketch = SketchDescriptor(width: width, nonzeros: nonzeros, seed: seed)
    }
    return DescriptionRules.elements(of: shape) != nil && description.width == width
      ? description : nil
  }
}

extension StreamDescription.Kind {
  /// The text of `@kind`.
  package var name: String {
    switch self {
    case .gradient: "gradient"
    case .feature: "feature"
    case .label: "label"
    case .scalar: "scalar"
    }
  }

  /// The layer of a gradient.
  package var layer: String? {
    if case .gradient(let layer, _) = self { layer } else { nil }
  }

  /// The stage of a gradient.
  package var stage: GradientStage? {
    if case .gradient(_, let stage) = self { stage } else { nil }
  }

  init?(name: String, layer: String?, stage: String?) {
    switch name {
    case "gradient":
      guard let layer, let stage = stage.flatMap(GradientStage.init) else { return nil }
      self = .gradient(layer: layer, stage: stage)
    case "feature": self = .feature
    case "label": self = .label
    case "scalar": self = .scalar
    default: return nil
    }
  }
}

extension Filter {
  /// Number and level, as journals have them.
  var numbers: [Int] {
    switch self {
    case .deflate(let level), .zstd(let level): [id, level]
    case .shuffle, .fletcher32, .unknown: [id]
    }
  }
}
