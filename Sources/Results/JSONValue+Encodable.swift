extension JSONValue: Encodable {
  /// Encodes the value itself; keys stay as they are, whatever the encoder does to those of types.
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .null: try container.encodeNil()
    case .bool(let value): try container.encode(value)
    case .number(let digits):
      if let whole = Int(digits) {
        try container.encode(whole)
      } else if let large = UInt64(digits) {
        try container.encode(large)
      } else {
        try container.encode(Double(digits))
      }
    case .string(let value): try container.encode(value)
    case .array(let values): try container.encode(values)
    case .object(let members):
      let pairs = members.map { ($0.key, $0.value) }
      try container.encode(Dictionary(pairs) { first, _ in first })
    }
  }
}
