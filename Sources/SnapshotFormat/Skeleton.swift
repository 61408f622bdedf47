internal import HDF5

/// Creates the objects of a snapshot, all but what is known only at its end.
enum Skeleton {
  /// Fills a new file; returns the growing datasets in the order of the layout.
  static func create(
    _ declaration: Declaration, in file: borrowing File
  ) throws(HDF5Error) -> [ColumnDataset] {
    let run = declaration.run
    try file.setAttribute(Names.format, Names.snapshotFormat)
    try file.setAttribute(Names.versionAttribute, Names.version.description)
    try file.setAttribute(Names.runID, run.id)
    try file.setAttribute(Names.created, run.created)
    try file.setAttribute(Names.producer, run.producer)
    try file.write(Names.schema, Schema.text(Names.snapshotFormat))
    try file.write(Names.model, Array(run.model.utf8))
    try file.write(Names.training, Array(run.training.utf8))
    try file.write(Names.observer, Array(run.observer.utf8))
    let layout = declaration.layout
    var datasets: [ColumnDataset?] = layout.columns.map { _ in nil }
    func add<L: Location & ~Copyable>(
      _ position: Int, to location: borrowing L
    ) throws(HDF5Error) -> ColumnDataset {
      let column = layout.columns[position]
      let name = column.path.split(separator: "/").last.map(String.init) ?? ""
      let made = try ColumnDataset(column, named: name, in: location)
      datasets[position] = made
      return made
    }
    let steps = try file.createGroup(Names.steps)
    for (kind, position) in zip(StepColumn.allCases, layout.steps) {
      let made = try add(position, to: steps)
      if let unit = kind == .loss ? run.lossUnit : kind.unit {
        try made.dataset.setAttribute(Names.unit, unit)
      }
      if let values = kind.values { try made.dataset.setAttribute(Names.values, values) }
    }
    if let trainable = layout.trainable { _ = try add(trainable, to: steps) }
    let tables = try file.createGroup(Names.tables)
    for (number, table) in declaration.tables.enumerated() {
      let group = try tables.createGroup(Names.numbered("T", number))
      try group.setAttribute(Names.name, table.name)
      try group.setAttribute(Names.unit, table.unit.rawValue)
      try group.setAttribute(Names.mode, table.mode.description)
      if let schedule = table.schedule { try group.setAttribute(Names.schedule, schedule) }
      let positions = layout.tables[number]
      let observations = try group.createGroup(Names.observations)
      for position in positions.perObservation.dropLast(positions.streams.count) {
        _ = try add(position, to: observations)
      }
      if let columns = positions.members {
        let members = try group.createGroup(Names.members)
        for position in columns.all { _ = try add(position, to: members) }
      }
      let streams = try group.createGroup(Names.streams)
      for (stream, position) in zip(table.streams, positions.streams) {
        try describe(stream, on: try add(position, to: streams).dataset)
      }
    }
    // On disk while there is room: what is still to be written then fits the reserve.
    try file.flush()
    return datasets.compactMap { $0 }
  }

  private static func describe(
    _ stream: StreamDescription, on dataset: borrowing Dataset
  ) throws(HDF5Error) {
    try dataset.setAttribute(Names.name, stream.name)
    try dataset.setAttribute(Names.kind, stream.kind.name)
    try dataset.setAttribute(Names.shape, stream.shape.map { UInt64($0) })
    if let layer = stream.kind.layer { try dataset.setAttribute(Names.layer, layer) }
    if let stage = stream.kind.stage { try dataset.setAttribute(Names.stage, stage.rawValue) }
    if let clipping = stream.clipping {
      try dataset.setAttribute(Names.clipNorm, clipping.norm)
      if let noise = clipping.noiseMultiplier {
        try dataset.setAttribute(Names.noiseMultiplier, noise)
      }
    }
    if let role = stream.role { try dataset.setAttribute(Names.role, role.rawValue) }
    if let unit = stream.unit { try dataset.setAttribute(Names.unit, unit) }
    if let sketch = stream.sketch {
      try dataset.setAttribute(Names.sketch, "sparse-sign")
      try dataset.setAttribute(Names.sketchSeed, sketch.seed)
      try dataset.setAttribute(Names.sketchNonzeros, UInt32(sketch.nonzeros))
    } else {
      try dataset.setAttribute(Names.sketch, "none")
    }
  }

  /// Writes what is known only when recording ends.
  static func finish(
    _ file: borrowing File, sessions: [Session], captures: [CaptureReport], status: RunStatus
  ) throws(HDF5Error) {
    try CaptureReport.write(captures, to: file)
    let group = try file.createGroup(Names.sessions)
    try group.write(Names.firstStep, sessions.map { UInt64($0.firstStep) })
    try group.write(
      Names.started, sessions.flatMap { Array($0.started.utf8) }, shape: [sessions.count, 20])
    try group.write(Names.cutBytes, sessions.map(\.cutBytes))
    try group.write(Names.rank, sessions.map(\.rank))
    try file.setAttribute(Names.status, status.rawValue)
  }
}
