internal import Results

extension JSONValue {
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
    case .bool(let value): text += value ? "true" : "false"
    case .number(let digits): text += digits
    case .string(let value): text += Self.quoted(value)
    case .array(let values):
      list(values, ("[", "]")) { $0.render(into: &text, indent: indent + 1) }
    case .object(let members):
      let sorted = members.sorted {
        $0.key.unicodeScalars.lexicographicallyPrecedes($1.key.unicodeScalars)
      }
      list(sorted, ("{", "}")) {
        text += Self.quoted($0.key) + ": "
        $0.value.render(into: &text, indent: indent + 1)
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
