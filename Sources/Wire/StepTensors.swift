internal import SnapshotFormat

/// The tensors of a step: what each is for, and whether it has the shape that this asks for (W-21).
struct StepTensors {
  /// What a tensor holds.
  private enum Role: Hashable {
    case record, weight, localSteps, memberCount, memberRecord, memberWeight
    case stream(Int)
  }

  private struct Place: Hashable {
    var table: Int
    var role: Role
  }

  /// In the order of their bytes.
  private let tensors: [(place: Place, tensor: Tensor)]
  private let numbers: [Int]
  private let tables: [TableDescription]

  init(_ frame: Frame, _ numbers: [Int], _ tables: [TableDescription]) throws(WireError) {
    let fault = { (message: String) in
      WireError(.malformed, at: frame.offset + 16, "step: \(message)")
    }
    let found = Dictionary(frame.tensors.map { ($0.name, $0) }) { first, _ in first }
    var places: [String: Place] = [:]
    for number in numbers {
      let table = tables[number]
      guard let record = found["\(number)/record"], record.shape.count == 2 else {
        throw fault("expected a tensor '\(number)/record' [rows, 16]")
      }
      let rows = record.shape[0]
      // Names, types and shapes that the table asks for.
      var wanted: [(String, Role, [Tensor.ElementType], [[Int]])] = [
        ("record", .record, [.u8], [[rows, 16]])
      ]
      if table.columns.contains(.weight) { wanted.append(("weight", .weight, [.f64], [[rows]])) }
      if table.columns.contains(.localSteps) {
        wanted.append(("local_steps", .localSteps, [.u32], [[rows]]))
      }
      if table.columns.contains(.members) {
        let members = found["\(number)/members/record"]?.shape.first ?? 0
        wanted.append(("members/count", .memberCount, [.u32], [[rows]]))
        wanted.append(("members/record", .memberRecord, [.u8], [[members, 16]]))
        wanted.append(("members/weight", .memberWeight, [.f64], [[members]]))
      }
      for (position, stream) in table.streams.enumerated() {
        var shapes = [[rows, stream.elements]]
        if stream.sketch != nil { shapes.append([rows, stream.width]) }
        wanted.append(
          (
            "\(position)", .stream(position),
            stream.kind == .label ? [.i32] : [.f32, .f16, .bf16], shapes
          ))
      }
      for (name, role, types, shapes) in wanted {
        let full = "\(number)/\(name)"
        let what = types.map(\.rawValue).joined(separator: " or ")
        let expected =
          "expected '\(full)', \(what) \(shapes.map { "\($0)" }.joined(separator: " or "))"
        guard let tensor = found[full] else { throw fault("\(expected), found nothing") }
        guard types.contains(tensor.type), shapes.contains(tensor.shape) else {
          throw fault("\(expected), found \(tensor.type.rawValue) \(tensor.shape)")
        }
        places[full] = Place(table: number, role: role)
      }
    }
    var ordered: [(Place, Tensor)] = []
    for tensor in frame.tensors {
      guard let place = places[tensor.name] else {
        throw fault("expected no tensor '\(tensor.name.prefix(80))'")
      }
      ordered.append((place, tensor))
    }
    tensors = ordered
    self.numbers = numbers
    self.tables = tables
  }

  /// Reads the tensors; each goes where it stays at once.
  func read(from source: ByteSource, rank: UInt16) throws(WireError) -> [TableRows] {
    var rows: [Int: TableRows] = [:]
    for number in numbers {
      rows[number] = TableRows(
        table: number, records: [], rank: rank,
        values: tables[number].streams.map { $0.kind == .label ? .label([]) : .float([]) })
    }
    for (place, tensor) in tensors {
      let count = tensor.count
      switch place.role {
      case .record:
        rows[place.table]!.records = RecordID.list(try source.bytes(count))
      case .weight: rows[place.table]!.weights = try source.array(count)
      case .localSteps:
        rows[place.table]!.localSteps = try source.array(count, UInt32.self).map { Int($0) }
      case .memberCount:
        rows[place.table]!.members.counts = try source.array(count, UInt32.self).map { Int($0) }
      case .memberRecord:
        rows[place.table]!.members.records = RecordID.list(try source.bytes(count))
      case .memberWeight: rows[place.table]!.members.weights = try source.array(count)
      case .stream(let position):
        rows[place.table]!.values[position] = try Self.values(tensor, from: source)
      }
    }
    return numbers.map { rows[$0]! }
  }

  private static func values(
    _ tensor: Tensor, from source: ByteSource
  ) throws(WireError) -> TableRows.Values {
    switch tensor.type {
    case .i32: return .label(try source.array(tensor.count))
    case .f16:
      return .float(try source.array(tensor.count, UInt16.self).map(HalfPrecision.float))
    case .bf16:
      return .float(try source.array(tensor.count, UInt16.self).map(HalfPrecision.bfloat))
    default: return .float(try source.array(tensor.count))
    }
  }
}
