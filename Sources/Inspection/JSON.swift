/// A JSON value with numbers as they were written, so that none is rounded on its way.
package indirect enum JSON: Sendable, Equatable {
  case null
  case boolean(Bool)
  case number(String)
  case text(String)
  case array([JSON])
  case object([String: JSON])

  /// A whole number.
  package static func integer(_ value: some BinaryInteger) -> JSON { .number("\(value)") }

  /// A number; NaN and the infinities, which JSON has not, as text.
  package static func number(_ value: Double) -> JSON {
    value.isFinite ? .number("\(value)") : .text(value.isNaN ? "nan" : value > 0 ? "inf" : "-inf")
  }

  /// Text, or null where there is none.
  package static func text(_ value: String?) -> JSON { value.map { .text($0) } ?? .null }

  /// The text with sorted keys, one space of indentation per level and nothing but ASCII.
  package var rendered: String {
    var text = ""
    render(into: &text, indent: 0)
    return text
  }

  private func render(into text: inout String, indent: Int) {
    func list<T>(_ items: [T], _ brackets: (String, String), _ item: (T) -> Void) {
      guard !items.isEmpty else { return text += brackets.0 + brackets.1 }
      text += brackets.0
      for (position, element) in items.enumerated() {
        text += (position > 0 ? ",\n" : "\n") + String(repeating: " ", count: indent + 1)
        item(element)
      }
      text += "\n" + String(repeating: " ", count: indent) + brackets.1
    }
    switch self {
    case .null: text += "null"
    case .boolean(let value): text += value ? "true" : "false"
    case .number(let digits): text += digits
    case .text(let value): text += Self.quoted(value)
    case .array(let values):
      list(values, ("[", "]")) { $0.render(into: &text, indent: indent + 1) }
    case .object(let members):
      let keys = members.keys.sorted {
        $0.unicodeScalars.lexicographicallyPrecedes($1.unicodeScalars)
      }
      list(keys, ("{", "}")) {
        text += Self.quoted($0) + ": "
        members[$0]?.render(into: &text, indent: indent + 1)
      }
    }
  }

  private static func quoted(_ value: String) -> String {
    value.utf16.reduce(into: "\"") { text, unit in
      switch unit {
      case UInt16(UInt8(ascii: "\"")), UInt16(UInt8(ascii: "\\")):
        text += "\\" + String(UnicodeScalar(UInt8(unit)))
      case 0x20..<0x7f: text += String(UnicodeScalar(UInt8(unit)))
      default:
        let digits = String(unit, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      }
    } + "\""
  }
}

extension JSON: Encodable {
  /// Encodes the value itself; keys stay as they are, whatever the encoder does to those of types.
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .null: try container.encodeNil()
    case .boolean(let value): try container.encode(value)
    case .number(let digits):
      if let whole = Int(digits) {
        try container.encode(whole)
      } else if let large = UInt64(digits) {
        try container.encode(large)
      } else {
        try container.encode(Double(digits))
      }
    case .text(let value): try container.encode(value)
    case .array(let values): try container.encode(values)
    case .object(let members): try container.encode(members)
    }
  }
}
