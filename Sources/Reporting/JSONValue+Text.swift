internal import Results

extension JSONValue {
  /// The value as JSON text, two spaces per level; a short list of numbers stays on one line.
  package func text() -> String {
    var text = ""
    write(to: &text, level: 0)
    return text
  }

  private func write(to text: inout String, level: Int) {
    switch self {
    case .null: text += "null"
    case .bool(let value): text += value ? "true" : "false"
    case .number(let value): text += value
    case .string(let value): Self.write(value, to: &text)
    case .array(let values) where values.count <= 16 && values.allSatisfy(\.isNumber):
      text += "["
      for (index, value) in values.enumerated() {
        if index > 0 { text += ", " }
        value.write(to: &text, level: level)
      }
      text += "]"
    case .array(let values):
      Self.write(values, "[", "]", to: &text, level: level) { $0.write(to: &$1, level: level + 1) }
    case .object(let members):
      Self.write(members, "{", "}", to: &text, level: level) { member, text in
        Self.write(member.key, to: &text)
        text += ": "
        member.value.write(to: &text, level: level + 1)
      }
    }
  }

  private var isNumber: Bool {
    if case .number = self { true } else { false }
  }

  private static func write<Item>(
    _ items: [Item], _ open: String, _ close: String, to text: inout String, level: Int,
    item: (Item, inout String) -> Void
  ) {
    text += open
    for (index, value) in items.enumerated() {
      text += (index == 0 ? "\n" : ",\n") + String(repeating: "  ", count: level + 1)
      item(value, &text)
    }
    if !items.isEmpty { text += "\n" + String(repeating: "  ", count: level) }
    text += close
  }

  /// Characters that a terminal or an editor would act on are written as escapes.
  private static func write(_ string: String, to text: inout String) {
    text += "\""
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\t": text += "\\t"
      default:
        if PlainText.isPlain(scalar) {
          text.unicodeScalars.append(scalar)
        } else {
          for unit in String(scalar).utf16 {
            let digits = String(unit, radix: 16)
            text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
          }
        }
      }
    }
    text += "\""
  }
}
