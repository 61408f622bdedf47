internal import HDF5

/// The steps of a snapshot, and which rows of its tables belong to them.
struct Contents {
  /// One step's rows in a table.
  struct StepRows {
    /// Row of the step in /steps.
    var step: Int
    /// Rows of the table.
    var rows: Range<Int>
  }

  var steps: [StepDescription] = []
  /// For each table, the steps that it has rows of, in order.
  var tables: [[StepRows]] = []
  /// Number of members of each table.
  var members: [Int] = []
}

/// Reads steps and observations, collecting every breach of the specification on the way.
struct ContentsLoader {
  private let declaration: Declaration
  private let source: any RowSource
  private(set) var contents = Contents()
  private(set) var breaches: [DescriptionRules.Breach] = []

  /// - Parameter loaded: what was read before of a growing snapshot; only what came since is read.
  init(_ declaration: Declaration, _ source: any RowSource, after loaded: Contents? = nil) {
    self.declaration = declaration
    self.source = source
    if let loaded { contents = loaded }
    do throws(SnapshotError) {
      try loadSteps()
      // Without sound steps, whatever refers to them would be blamed as well.
      guard breaches.isEmpty else { return }
      for table in declaration.tables.indices { try loadTable(table) }
      if loaded == nil { checkSessions() }
    } catch {
      breach(error.requirement ?? "R-051", error.object, error.message)
    }
  }

  private mutating func breach(_ requirement: String, _ object: String, _ message: String) {
    breaches.append(.init(requirement: requirement, object: object, message: message))
  }

  private var layout: Layout { declaration.layout }

  private mutating func loadSteps() throws(SnapshotError) {
    func position(_ column: StepColumn) -> Int {
      layout.steps[StepColumn.allCases.firstIndex(of: column)!]
    }
    let first = contents.steps.count
    let rows = first..<(try source.rowCount(position(.index)))
    let source = source
    func column<T: Element>(_ column: StepColumn, _: T.Type) throws(SnapshotError) -> [T] {
      try source.read(position(column), rows: rows)
    }
    let index = try column(.index, Int64.self)
    let mode = try column(.mode, UInt8.self)
    let epoch = try column(.epoch, Double.self)
    let time = try column(.time, Double.self)
    let loss = try column(.loss, Double.self)
    let rate = try column(.learningRate, Double.self)
    let scale = try column(.lossScale, Double.self)
    let accumulation = try column(.accumulation, UInt32.self)
    let participants = try column(.participants, UInt32.self)
    let modelMode = try column(.modelMode, UInt8.self)
    let dropout = try column(.dropout, UInt8.self)
    let batchNorm = try column(.batchNorm, UInt8.self)
    let frozen = try loadTrainable(rows)
    for row in index.indices {
      guard let stepMode = StepMode(rawValue: mode[row]) else {
        return wrong(.mode, first + row, "0 or 1", mode[row])
      }
      guard let model = ModelMode(rawValue: modelMode[row]) else {
        return wrong(.modelMode, first + row, "0, 1 or 2", modelMode[row])
      }
      guard let dropoutState = DropoutState(rawValue: dropout[row]) else {
        return wrong(.dropout, first + row, "0, 1 or 2", dropout[row])
      }
      guard let batchNormState = BatchNormState(rawValue: batchNorm[row]) else {
        return wrong(.batchNorm, first + row, "0, 1 or 2", batchNorm[row])
      }
      if let previous = contents.steps.last, index[row] < previous.index {
        return breach(
          "R-022", "/steps/index",
          "expected ascending indices, found \(index[row]) after \(previous.index)")
      }
      contents.steps.append(
        StepDescription(
          index: Int(index[row]), epoch: epoch[row], time: time[row], loss: loss[row],
          learningRate: rate[row], mode: stepMode, lossScale: scale[row],
          accumulation: Int(accumulation[row]), participants: Int(participants[row]),
          modelMode: model, dropout: dropoutState, batchNorm: batchNormState,
          frozenLayers: frozen?[row]))
    }
  }

  private mutating func wrong(
    _ column: StepColumn, _ row: Int, _ expected: String, _ found: UInt8
  ) {
    breach(
      "R-023", "/steps/\(column.rawValue)", "expected \(expected) in row \(row), found \(found)")
  }

  /// Frozen layers of each step; nil where the file does not say.
  private mutating func loadTrainable(
    _ rows: Range<Int>
  ) throws(SnapshotError) -> [Set<String>]? {
    guard let column = layout.trainable, let layers = declaration.json.layers else { return nil }
    let width = layout.columns[column].width ?? 0
    guard width == layers.count else {
      breach(
        "R-020", layout.columns[column].path,
        "expected a column for each of \(layers.count) layers, found \(width)")
      return nil
    }
    var frozen: [Set<String>] = []
    var isSound = true
    try source.forEachBlock(column, rows: rows, as: UInt8.self) { range, values in
      for row in 0..<range.count {
        let flags = values[row * width..<(row + 1) * width]
        if flags.contains(where: { $0 > 1 }) { isSound = false }
        // Most steps freeze nothing: no set is built for them.
        frozen.append(
          flags.contains(0)
            ? Set(zip(layers, flags).filter { $0.1 == 0 }.map(\.0)) : [])
      }
      return isSound
    }
    guard isSound else {
      breach("R-023", layout.columns[column].path, "expected 0 or 1 everywhere")
      return nil
    }
    return frozen
  }

  /// Row ranges of a table's steps, from its ascending step column.
  private mutating func loadTable(_ table: Int) throws(SnapshotError) {
    if contents.tables.count == table {
      contents.tables.append([])
      contents.members.append(0)
    }
    let positions = layout.tables[table]
    let column = layout.columns[positions.step]
    let first = contents.tables[table].last?.rows.upperBound ?? 0
    let count = try source.rowCount(positions.step)
    var ranges = contents.tables[table]
    let steps = contents.steps
    let mode = declaration.tables[table].mode
    var found: DescriptionRules.Breach?
    try source.forEachBlock(positions.step, rows: first..<count, as: UInt32.self) { range, values in
      for (offset, step) in values.enumerated() {
        let row = range.lowerBound + offset
        if let last = ranges.last, last.step == Int(step) {
          ranges[ranges.count - 1].rows = last.rows.lowerBound..<row + 1
          continue
        }
        if let last = ranges.last, last.step > Int(step) {
          found = .init(
            requirement: "R-035", object: column.path,
            message: "expected ascending steps, found \(step) after \(last.step)")
        } else if step >= steps.count {
          found = .init(
            requirement: "R-034", object: column.path,
            message: "expected rows of \(steps.count) steps, found step \(step) in row \(row)")
        } else if steps[Int(step)].mode != mode {
          found = .init(
            requirement: "R-033", object: column.path,
            message:
              "expected \(mode) steps, found a \(steps[Int(step)].mode) step in row \(row)")
        }
        if found != nil { return false }
        ranges.append(Contents.StepRows(step: Int(step), rows: row..<row + 1))
      }
      return true
    }
    if let found { breaches.append(found) }
    contents.tables[table] = ranges
    if let members = positions.members {
      contents.members[table] = try source.rowCount(members.observation)
    }
  }

  private mutating func checkSessions() {
    let sessions = declaration.sessions
    func breach(_ object: String, _ message: String) {
      breaches.append(
        .init(requirement: "R-018", object: "/sessions\(object)", message: message))
    }
    guard !sessions.isEmpty else { return breach("", "expected at least one session, found none") }
    if sessions[0].firstStep != 0
      || zip(sessions, sessions.dropFirst()).contains(where: { $0.firstStep > $1.firstStep })
      || sessions.contains(where: { $0.firstStep > contents.steps.count })
    {
      breach(
        "/\(Names.firstStep)",
        "expected numbers from 0 to \(contents.steps.count) that do not descend, found \(sessions.prefix(5).map(\.firstStep))"
      )
    }
    if let wrong = sessions.first(where: { !DescriptionRules.isTime($0.started) }) {
      breach(
        "/\(Names.started)",
        "expected ISO 8601 times in UTC, found '\(wrong.started.prefix(20))'")
    }
  }
}
