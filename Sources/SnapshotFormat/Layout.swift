internal import HDF5

/// One growing dataset of a snapshot: a column of steps, observations or members, or a stream.
struct Column: Sendable, Equatable {
  /// Path in the file, such as `/tables/T0000/streams/L0002`.
  var path: String
  /// Type of the elements.
  var type: ElementType
  /// Numbers in a row; nil for a dataset of one axis.
  var width: Int?
  /// Rows of a chunk.
  var chunkRows: Int
  /// Filters in writing order.
  var filters: [Filter]

  /// Bytes of one row.
  var rowBytes: Int { (width ?? 1) * type.size }
  /// Bytes of a decoded chunk.
  var chunkBytes: Int { chunkRows * rowBytes }
  /// Lengths of the dataset's axes with so many rows.
  func shape(rows: Int) -> [Int] { width.map { [rows, $0] } ?? [rows] }
  /// Where a chunk begins.
  func chunkStart(row: Int) -> [Int] { width == nil ? [row] : [row, 0] }

  init(_ path: String, _ type: ElementType, width: Int? = nil, filters: [Filter]) {
    self.path = path
    self.type = type
    self.width = width
    self.filters = filters
    chunkRows = 1
    // About 128 KiB, a power of two (docs/design/commit-layout.md).
    let most = max(1, (128 << 10) / max(1, rowBytes))
    chunkRows = min(4096, 1 << (Int.bitWidth - 1 - most.leadingZeroBitCount))
  }
}

/// Which columns a snapshot of these tables has, and in which order.
///
/// The one place that knows: writer, journal, reader and merge all go by it.
struct Layout: Sendable, Equatable {
  /// Positions of a table's columns.
  struct Table: Sendable, Equatable {
    var step, record, rank: Int
    var weight: Int?
    var localSteps: Int?
    var members: Members?
    var streams: [Int]
    /// What rows of each stream must look like, at hand for every step.
    var shapes: [StreamShape]

    /// Columns with one row per observation.
    var perObservation: [Int] {
      [step, record, rank] + [weight, localSteps].compactMap { $0 } + streams
    }
  }

  /// Values of a stream.
  struct StreamShape: Sendable, Equatable {
    /// Numbers in a row.
    var width: Int
    var isLabel: Bool
  }

  /// Positions of a table's member columns.
  struct Members: Sendable, Equatable {
    var observation, record, weight: Int
    var all: [Int] { [observation, record, weight] }
  }

  private(set) var columns: [Column] = []
  /// Columns of /steps, in the order of `StepColumn`.
  private(set) var steps: [Int] = []
  /// `/steps/trainable`, if it is there.
  private(set) var trainable: Int?
  private(set) var tables: [Table] = []

  /// - Parameters:
  ///   - layers: columns of `/steps/trainable`; nil without it.
  ///   - compression: of the streams; the other columns are always shuffled and compressed.
  init(tables descriptions: [TableDescription], layers: Int?, compression: Writer.Compression) {
    let zstd = Writer.Compression.zstd.filters
    for column in StepColumn.allCases {
      steps.append(add("/\(Names.steps)/\(column.rawValue)", column.type, filters: zstd))
    }
    if let layers {
      trainable = add(
        "/\(Names.steps)/\(Names.trainable)", .uint8, width: layers, filters: zstd)
    }
    for (number, table) in descriptions.enumerated() {
      let place = "/\(Names.tables)/\(Names.numbered("T", number))"
      let observations = "\(place)/\(Names.observations)"
      let members = "\(place)/\(Names.members)"
      let step = add("\(observations)/\(Names.step)", .uint32, filters: zstd)
      let record = add(
        "\(observations)/\(Names.record)", .uint8, width: RecordID.size, filters: zstd)
      let rank = add("\(observations)/\(Names.rank)", .uint16, filters: zstd)
      let weight =
        table.columns.contains(.weight)
        ? add("\(observations)/\(Names.weight)", .float64, filters: zstd) : nil
      let localSteps =
        table.columns.contains(.localSteps)
        ? add("\(observations)/\(Names.localSteps)", .uint32, filters: zstd) : nil
      let memberColumns =
        table.columns.contains(.members)
        ? Members(
          observation: add("\(members)/\(Names.observation)", .uint32, filters: zstd),
          record: add("\(members)/\(Names.record)", .uint8, width: RecordID.size, filters: zstd),
          weight: add("\(members)/\(Names.weight)", .float64, filters: zstd)) : nil
      let streams = table.streams.enumerated().map { position, stream in
        add(
          "\(place)/\(Names.streams)/\(Names.numbered(stream.prefix, position))",
          stream.kind == .label ? .int32 : .float32, width: stream.width,
          filters: compression.filters)
      }
      tables.append(
        Table(
          step: step, record: record, rank: rank, weight: weight, localSteps: localSteps,
          members: memberColumns, streams: streams,
          shapes: table.streams.map { StreamShape(width: $0.width, isLabel: $0.kind == .label) }))
    }
  }

  private mutating func add(
    _ path: String, _ type: ElementType, width: Int? = nil, filters: [Filter]
  ) -> Int {
    columns.append(Column(path, type, width: width, filters: filters))
    return columns.count - 1
  }

  /// Takes object names of streams from a file, where numbers may skip those of newer versions.
  mutating func name(streams objects: [String], ofTable table: Int) {
    for (position, object) in zip(tables[table].streams, objects) {
      let path = columns[position].path
      columns[position].path = path.prefix(through: path.lastIndex(of: "/")!) + object
    }
  }
}

/// Columns of /steps that every file has.
enum StepColumn: String, CaseIterable {
  case index, mode, epoch, time, loss
  case learningRate = "learning_rate"
  case lossScale = "loss_scale"
  case accumulation, participants
  case modelMode = "model_mode"
  case dropout
  case batchNorm = "batch_norm"

  var type: ElementType {
    switch self {
    case .index: .int64
    case .mode, .modelMode, .dropout, .batchNorm: .uint8
    case .epoch, .time, .loss, .learningRate, .lossScale: .float64
    case .accumulation, .participants: .uint32
    }
  }

  /// Unit of the numbers; nil where there is none, or where the run says it (loss).
  var unit: String? {
    switch self {
    case .epoch: "epochs"
    case .time: "s"
    case .learningRate, .lossScale: "1"
    default: nil
    }
  }

  /// What the numbers of an enumeration mean.
  var values: String? {
    switch self {
    case .mode: "0 probe, 1 trace"
    case .modelMode: "0 unknown, 1 evaluation, 2 training"
    case .dropout: "0 unknown, 1 inactive, 2 active"
    case .batchNorm: "0 unknown, 1 running statistics or none, 2 batch statistics"
    default: nil
    }
  }
}
