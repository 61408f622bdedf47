/// Text made fit for a terminal: names in files come from strangers, and an escape sequence in one could rewrite
/// the screen.
enum Printable {
  /// `text` with line breaks; other control, format and separator characters become U+FFFD, so that what was
  /// tampered with stays visible.
  static func text(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: { isHostile($0) && $0 != "\n" }) else { return text }
    return String(
      String.UnicodeScalarView(
        text.unicodeScalars.map { isHostile($0) && $0 != "\n" ? "\u{FFFD}" : $0 }))
  }

  /// `text` on one line, and not endless.
  static func line(_ text: String, limit: Int = 1000) -> String {
    let cut = String(String.UnicodeScalarView(text.unicodeScalars.prefix(limit)))
    return String(
      String.UnicodeScalarView(
        Self.text(cut).unicodeScalars.map { $0 == "\n" ? "\u{FFFD}" : $0 }))
  }

  /// JSON that means the same and holds such characters only escaped.
  static func json(_ text: String) -> String {
    // Outside strings JSON has no other control characters than line breaks and tabs.
    text.unicodeScalars.reduce(into: "") { result, scalar in
      guard isHostile(scalar), scalar != "\n", scalar != "\t", scalar != "\r" else {
        result.unicodeScalars.append(scalar)
        return
      }
      for unit in String(scalar).utf16 {
        let digits = String(unit, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      }
    }
  }

  private static func isHostile(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse: true
    default: false
    }
  }
}
