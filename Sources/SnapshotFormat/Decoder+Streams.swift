internal import HDF5

extension Decoder {
  mutating func decodeStream(
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
