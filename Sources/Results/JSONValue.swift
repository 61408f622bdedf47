/// A JSON value whose object keys keep their order.
package indirect enum JSONValue: Sendable, Equatable {
  case null
  case bool(Bool)
  /// A number, as JSON text.
  case number(String)
  case string(String)
  case array([JSONValue])
  case object([Member])

  /// A key and its value.
  package struct Member: Sendable, Equatable {
    package var key: String
    package var value: JSONValue

    package init(key: String, value: JSONValue) {
      self.key = key
      self.value = value
    }
  }

  /// An object from pairs, in their order.
  package static func object(_ members: KeyValuePairs<String, JSONValue>) -> JSONValue {
    .object(members.map { Member(key: $0.key, value: $0.value) })
  }

  /// An object from pairs, by ascending code points of their keys.
  package static func object(sorted members: [String: JSONValue]) -> JSONValue {
    .object(
      members.sorted { $0.key.unicodeScalars.lexicographicallyPrecedes($1.key.unicodeScalars) }
        .map { Member(key: $0.key, value: $0.value) })
  }

  /// A number in the shortest text that reads back exactly; null for what JSON has no number for.
  package static func number(_ value: Double) -> JSONValue {
    value.isFinite ? .number("\(value)") : .null
  }

  /// A whole number.
  package static func number(_ value: some BinaryInteger) -> JSONValue { .number("\(value)") }

  /// Text, or null where there is none.
  package static func string(_ value: String?) -> JSONValue { value.map { .string($0) } ?? .null }

  /// The value under a key; nil where this is no object or has no such key.
  package subscript(key: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.key == key }?.value
  }

  /// The text, if it is one.
  package var text: String? {
    guard case .string(let value) = self else { return nil }
    return value
  }
}

extension JSONValue: ExpressibleByStringLiteral {
  package init(stringLiteral value: String) { self = .string(value) }
}
