internal import Recording
internal import SnapshotFormat
internal import Wire

/// The arrays of one file, each in its role.
struct ImportedStep {
  /// An array and its place in the file.
  struct Item {
    var name: String
    var index: Int
    var type: Tensor.ElementType
    /// Shape of one row.
    var shape: [Int]
    var elements: Int { shape.reduce(1, *) }
  }

  private(set) var gradients: [Item] = []
  private var inputs, labels, recordIDs, losses: Item?
  private let rowCount: Int
  private let file: any ArrayFile
  private let path: String

  init(
    _ file: any ArrayFile, _ path: String, _ options: GradientImport.Options
  ) throws(SnapshotError) {
    self.file = file
    self.path = path
    let roles = options.roles
    let special = [roles.inputs, roles.labels, roles.recordIDs, roles.losses]
    let hasRows = options.unit == .example
    var rows: (count: Int, name: String)?
    for (index, array) in file.arrays.enumerated() {
      func fault(_ message: String, _ remedy: String = "") -> SnapshotError {
        SnapshotError(
          code: .rowMismatch, file: path, object: String(array.name.prefix(200)),
          message: message, remedy: remedy)
      }
      var shape = array.shape
      // Before the first axis is dropped: the product of the others is known to fit only with it.
      guard !shape.contains(0) else { throw fault("expected elements, found none") }
      if hasRows {
        guard let first = shape.first else {
          throw fault("expected a first axis of examples, found one number", "Try --unit batch.")
        }
        shape.removeFirst()
        if let rows, rows.count != first {
          throw fault(
            "expected \(rows.count) rows as in \(rows.name.prefix(80)), found \(first)",
            "Give one row for each example, or try --unit batch.")
        }
        rows = rows ?? (first, array.name)
      }
      let item = Item(
        name: array.name, index: index, type: array.type, shape: shape.isEmpty ? [1] : shape)
      switch special.firstIndex(of: array.name) {
      case 0: inputs = item
      case 1: labels = item
      case 2: recordIDs = item
      case 3: losses = item
      default:
        guard [.f16, .bf16, .f32, .f64].contains(item.type) else {
          throw fault(
            "expected a gradient of floats, found \(item.type.rawValue)",
            "Name arrays that are none with --inputs, --labels, --record-ids or --losses.")
        }
        gradients.append(item)
      }
    }
    gradients.sort { $0.name < $1.name }
    rowCount = hasRows ? rows?.count ?? 0 : 1
    guard !gradients.isEmpty else {
      throw SnapshotError(
        code: .rowMismatch, file: path, message: "expected arrays of gradients, found none")
    }
  }

  /// What a table of such steps declares.
  func streams(_ options: GradientImport.Options) -> [Recorder.Stream] {
    var streams: [Recorder.Stream] = []
    if let inputs { streams.append(.feature("input", shape: inputs.shape)) }
    if let labels { streams.append(.label("label", shape: labels.shape)) }
    streams += gradients.map {
      .gradient(layer: $0.name, stage: options.stage, shape: $0.shape)
    }
    if losses != nil { streams.append(.scalar("loss")) }
    return streams
  }

  private var outline: [String: [Int]] {
    let items = gradients + [inputs, labels, recordIDs, losses].compactMap { $0 }
    return Dictionary(items.map { ($0.name, $0.shape) }) { first, _ in first }
  }

  /// Refuses a file that has other arrays than the first one.
  func requireSame(as first: ImportedStep, _ firstPath: String) throws(SnapshotError) {
    let (own, other) = (outline, first.outline)
    for name in Set(own.keys).union(other.keys).sorted() where own[name] != other[name] {
      throw SnapshotError(
        code: .rowMismatch, file: path, object: String(name.prefix(200)),
        message:
          "expected \(other[name].map { "rows of \($0)" } ?? "no such array") as in \(firstPath), found \(own[name].map { "\($0)" } ?? "nothing")",
        remedy: "Import files of one model together.")
    }
  }

  func rows(_ step: Int, _ options: GradientImport.Options) throws(SnapshotError) -> TableRows {
    let names: [String]
    if let recordIDs {
      names = try integers(recordIDs).map { "\($0)" }
    } else {
      names = (0..<rowCount).map { options.mode == .probe ? "\($0)" : "step \(step) row \($0)" }
    }
    guard names.count == rowCount else {
      throw SnapshotError(
        code: .rowMismatch, file: path, object: options.roles.recordIDs,
        message: "expected \(rowCount) ids, one for each row, found \(names.count)")
    }
    var values: [TableRows.Values] = []
    if let inputs { values.append(.float(try floats(inputs))) }
    if let labels { values.append(.label(try integers(labels).map { Int32(clamping: $0) })) }
    for gradient in gradients { values.append(.float(try floats(gradient))) }
    if let losses { values.append(.float(try floats(losses))) }
    return TableRows(
      table: 0, records: names.map { options.key.id(of: $0.utf8) }, values: values)
  }

  private func floats(_ item: Item) throws(SnapshotError) -> [Float] {
    let bytes = try file.bytes(of: item.index)
    return bytes.withUnsafeBytes { raw in
      func all<T>(_: T.Type, _ convert: (T) -> Float) -> [Float] where T: BitwiseCopyable {
        let width = MemoryLayout<T>.size
        return (0..<raw.count / width).map {
          convert(raw.loadUnaligned(fromByteOffset: $0 * width, as: T.self))
        }
      }
      return switch item.type {
      case .f32: all(Float.self) { $0 }
      case .f64: all(Double.self) { Float($0) }
      case .f16: all(UInt16.self, HalfPrecision.float)
      case .bf16: all(UInt16.self, HalfPrecision.bfloat)
      case .u8, .bool: all(UInt8.self) { Float($0) }
      case .i8: all(Int8.self) { Float($0) }
      case .i16: all(Int16.self) { Float($0) }
      case .u16: all(UInt16.self) { Float($0) }
      case .i32: all(Int32.self) { Float($0) }
      case .u32: all(UInt32.self) { Float($0) }
      case .i64: all(Int64.self) { Float($0) }
      case .u64: all(UInt64.self) { Float($0) }
      }
    }
  }

  private func integers(_ item: Item) throws(SnapshotError) -> [Int64] {
    let bytes = try file.bytes(of: item.index)
    let numbers: [Int64]? = bytes.withUnsafeBytes { raw in
      func all<T: FixedWidthInteger & BitwiseCopyable>(_: T.Type) -> [Int64] {
        let width = MemoryLayout<T>.size
        return (0..<raw.count / width).map {
          Int64(clamping: raw.loadUnaligned(fromByteOffset: $0 * width, as: T.self))
        }
      }
      return switch item.type {
      case .u8, .bool: all(UInt8.self)
      case .i8: all(Int8.self)
      case .i16: all(Int16.self)
      case .u16: all(UInt16.self)
      case .i32: all(Int32.self)
      case .u32: all(UInt32.self)
      case .i64: all(Int64.self)
      case .u64: all(UInt64.self)
      case .f16, .bf16, .f32, .f64: nil
      }
    }
    guard let numbers else {
      throw SnapshotError(
        code: .rowMismatch, file: path, object: String(item.name.prefix(200)),
        message: "expected integers, found \(item.type.rawValue)")
    }
    return numbers
  }
}
