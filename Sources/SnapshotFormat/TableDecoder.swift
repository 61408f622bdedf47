internal import HDF5

/// Reads the descriptions of tables and streams, whose types and shapes the schema has vouched for.
enum TableDecoder {
  /// A table, and the object names of its streams in their order.
  static func table(
    in group: borrowing Group, isNewer: Bool
  ) throws(HDF5Error) -> (TableDescription, [String]) {
    let streamGroup = try group.group(Names.streams)
    var streams: [StreamDescription] = []
    var objects: [String] = []
    // Objects sort by letter; people and writers order them by number.
    for object in try streamGroup.children().sorted(by: {
      Names.number(of: $0) ?? -1 < Names.number(of: $1) ?? -1
    }) {
      guard "LFYS".contains(object.prefix(1)) else { continue }
      let dataset = try streamGroup.dataset(object)
      guard let stream = try stream(dataset) else {
        guard isNewer else { throw mismatch(dataset.path + "@kind", "expected a kind of stream") }
        continue
      }
      streams.append(stream)
      objects.append(object)
    }
    var columns: TableDescription.Columns = []
    let observations = try group.group(Names.observations)
    if observations.hasChild(Names.weight) { columns.insert(.weight) }
    if observations.hasChild(Names.localSteps) { columns.insert(.localSteps) }
    if group.hasChild(Names.members) { columns.insert(.members) }
    let unit = try group.string(Names.unit)
    let mode = try group.string(Names.mode)
    return (
      TableDescription(
        name: try group.string(Names.name), unit: ObservationUnit(rawValue: unit) ?? .example,
        mode: StepMode.allCases.first { $0.description == mode } ?? .probe,
        schedule: group.hasAttribute(Names.schedule) ? try group.string(Names.schedule) : nil,
        columns: columns, streams: streams), objects
    )
  }

  /// A stream; nil for a kind that we do not know.
  private static func stream(
    _ dataset: borrowing Dataset
  ) throws(HDF5Error) -> StreamDescription? {
    let kind: StreamDescription.Kind
    switch try dataset.string(Names.kind) {
    case "gradient":
      kind = .gradient(
        layer: try dataset.string(Names.layer),
        stage: GradientStage(rawValue: try dataset.string(Names.stage)) ?? .raw)
    case "feature": kind = .feature
    case "label": kind = .label
    case "scalar": kind = .scalar
    default: return nil
    }
    var stream = StreamDescription(
      name: try dataset.string(Names.name), kind: kind,
      shape: try dataset.vector(Names.shape, of: UInt64.self).map { Int(clamping: $0) })
    if try dataset.string(Names.sketch) != "none" {
      stream.sketch = SketchDescriptor(
        width: try dataset.shape()[1],
        nonzeros: Int(try dataset.scalar(Names.sketchNonzeros, as: UInt32.self)),
        seed: try dataset.scalar(Names.sketchSeed, as: UInt64.self))
    }
    if dataset.hasAttribute(Names.clipNorm) {
      stream.clipping = Clipping(norm: try dataset.scalar(Names.clipNorm, as: Double.self))
    }
    if dataset.hasAttribute(Names.noiseMultiplier) {
      // A multiplier of nothing: the rules refuse the norm.
      stream.clipping = stream.clipping ?? Clipping(norm: .nan)
      stream.clipping?.noiseMultiplier = try dataset.scalar(Names.noiseMultiplier, as: Double.self)
    }
    if dataset.hasAttribute(Names.role) {
      stream.role = FeatureRole(rawValue: try dataset.string(Names.role))
    }
    if dataset.hasAttribute(Names.unit) { stream.unit = try dataset.string(Names.unit) }
    return stream
  }

  private static func mismatch(_ object: String, _ message: String) -> HDF5Error {
    HDF5Error(code: .mismatch, file: "", object: object, message: message)
  }
}
