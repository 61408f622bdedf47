internal import HDF5

/// The rows that a step brings to each column.
struct StepParts {
  /// Rows of a column as bytes.
  struct Bytes {
    var column: Int
    var bytes: UnsafeRawBufferPointer
    /// Whether they are a stream's.
    var isStream = false
    /// Which of `arrays` the bytes are of, where that is long enough for chunks to be made of it. A number: there are
    /// hundreds of these in a step, and nothing to retain makes them cheap.
    var array: Int?
  }

  /// Short rows, joined in `joined`.
  private var small: [(column: Int, count: Int, isStream: Bool)] = []
  private var joined: [UInt8] = []
  /// Long rows stay in the caller's arrays.
  private var large: [(column: Int, values: TableRows.Values)] = []

  /// Most arrays that are not copied: each takes frames of the stack while it is held in place.
  private static let mostLarge = 512

  init(
    _ step: StepDescription, _ rows: [TableRows], _ declaration: Declaration, _ store: ChunkStore
  ) {
    let layout = declaration.layout
    let stepRow = UInt32(store.states[layout.steps[0]].rows)
    for (kind, position) in zip(StepColumn.allCases, layout.steps) {
      add(position, step.bytes(of: kind))
    }
    if let trainable = layout.trainable {
      add(trainable, step.trainable(declaration.json.layers ?? []))
    }
    for part in rows {
      let table = layout.tables[part.table]
      let count = part.records.count
      let first = store.states[table.step].rows
      add(table.step, [UInt32](repeating: stepRow, count: count))
      add(table.record, RecordID.bytes(part.records))
      add(table.rank, [UInt16](repeating: part.rank, count: count))
      if let weight = table.weight { add(weight, part.weights) }
      if let localSteps = table.localSteps {
        add(localSteps, part.localSteps.map { UInt32(clamping: $0) })
      }
      if let members = table.members {
        let owners = part.members.counts.enumerated().flatMap {
          repeatElement(UInt32(first + $0.offset), count: $0.element)
        }
        add(members.observation, owners)
        add(members.record, RecordID.bytes(part.members.records))
        add(members.weight, part.members.weights)
      }
      for (position, values) in zip(table.streams, part.values) where values.count > 0 {
        if values.count * 4 >= JournalUpdate.shortest, large.count < Self.mostLarge {
          large.append((position, values))
        } else {
          copy(values, to: position)
        }
      }
    }
  }

  private mutating func add<T: Element>(_ column: Int, _ values: [T]) {
    guard !values.isEmpty else { return }
    values.withUnsafeBytes { joined.append(contentsOf: $0) }
    small.append((column, values.count * MemoryLayout<T>.stride, false))
  }

  private mutating func copy(_ values: TableRows.Values, to column: Int) {
    switch values {
    case .float(let numbers): numbers.withUnsafeBytes { joined.append(contentsOf: $0) }
    case .label(let labels): labels.withUnsafeBytes { joined.append(contentsOf: $0) }
    }
    small.append((column, values.count * 4, true))
  }

  /// The arrays of long rows.
  var arrays: [TableRows.Values] { large.map(\.values) }

  /// Passes all rows on while they stay where they are.
  func withBytes(
    _ body: ([Bytes]) throws(SnapshotError) -> Void
  ) throws(SnapshotError) {
    try joined.withRawBytes { bytes throws(SnapshotError) in
      var parts: [Bytes] = []
      var start = 0
      parts.reserveCapacity(small.count + large.count)
      for (column, count, isStream) in small {
        let part = UnsafeRawBufferPointer(rebasing: bytes[start..<start + count])
        parts.append(Bytes(column: column, bytes: part, isStream: isStream))
        start += count
      }
      try withLarge(0, &parts, body)
    }
  }

  private func withLarge(
    _ index: Int, _ parts: inout [Bytes], _ body: ([Bytes]) throws(SnapshotError) -> Void
  ) throws(SnapshotError) {
    guard index < large.count else { return try body(parts) }
    let (column, values) = large[index]
    func proceed(_ bytes: UnsafeRawBufferPointer) throws(SnapshotError) {
      parts.append(Bytes(column: column, bytes: bytes, isStream: true, array: index))
      try withLarge(index + 1, &parts, body)
    }
    switch values {
    case .float(let numbers):
      try numbers.withRawBytes { bytes throws(SnapshotError) in try proceed(bytes) }
    case .label(let labels):
      try labels.withRawBytes { bytes throws(SnapshotError) in try proceed(bytes) }
    }
  }
}

extension StepDescription {
  /// What a column of /steps has of the step.
  func bytes(of column: StepColumn) -> [UInt8] {
    func bytes(_ value: some BitwiseCopyable) -> [UInt8] {
      withUnsafeBytes(of: value) { Array($0) }
    }
    return switch column {
    case .index: bytes(Int64(index))
    case .mode: bytes(mode.rawValue)
    case .epoch: bytes(epoch)
    case .time: bytes(time)
    case .loss: bytes(loss)
    case .learningRate: bytes(learningRate)
    case .lossScale: bytes(lossScale)
    case .accumulation: bytes(UInt32(clamping: accumulation))
    case .participants: bytes(UInt32(clamping: participants))
    case .modelMode: bytes(modelMode.rawValue)
    case .dropout: bytes(dropout.rawValue)
    case .batchNorm: bytes(batchNorm.rawValue)
    }
  }

  /// The row of /steps/trainable: 0 for frozen layers, 1 for the others.
  func trainable(_ layers: [String]) -> [UInt8] {
    layers.map { frozenLayers?.contains($0) == true ? 0 : 1 }
  }
}
