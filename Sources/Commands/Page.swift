/// A page of text for people: aligned, and at most 100 characters wide whatever a file calls its things.
struct Page {
  private static let width = 100
  private static let labelWidth = 12
  /// A space that no line is broken at.
  static let bond = "\u{a0}"
  private(set) var lines: [String] = []

  /// The lines as text.
  var text: String { lines.joined(separator: "\n") }

  /// Adds a line; what does not fit is cut.
  mutating func line(_ text: String) {
    // Once more for all: a text that nobody thought of must not make a line of its own.
    let safe = Printable.line(text.replacing(Self.bond, with: " "))
    lines.append(Self.cut(safe, to: Self.width))
  }

  /// Adds words behind an aligned label, broken between words where they are too many for a line.
  mutating func entry(_ label: String, _ words: String, indent: Int = 2) {
    let margin = indent + Self.labelWidth
    var current = String(repeating: " ", count: indent) + Self.padded(label, Self.labelWidth)
    var isEmpty = true
    for word in words.split(separator: " ") {
      if !isEmpty, current.count + 1 + word.count > Self.width {
        line(current)
        current = String(repeating: " ", count: margin)
        isEmpty = true
      }
      current += (isEmpty ? "" : " ") + word
      isEmpty = false
    }
    line(current)
  }

  /// Adds rows whose cells stand in columns; numbers, in the columns that `right` names, end together.
  mutating func rows(_ rows: [[String]], indent: Int, right: Set<Int> = []) {
    let columns = rows.map(\.count).max() ?? 0
    let widths = (0..<columns).map { column in
      rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
    }
    for row in rows {
      let cells = row.enumerated().map { column, cell in
        right.contains(column)
          ? String(repeating: " ", count: widths[column] - cell.count) + cell
          : Self.padded(cell, widths[column])
      }
      var text = String(repeating: " ", count: indent) + cells.joined(separator: "  ")
      while text.last == " " { text.removeLast() }
      line(text)
    }
  }

  /// A name from a file: on one line, fit for a terminal, and no longer than so many characters.
  static func name(_ text: String, _ limit: Int = 60) -> String {
    let safe = Printable.line(text)
    return cut(safe.isEmpty ? "(no name)" : safe, to: limit)
  }

  /// A share in per cent; small ones keep a digit.
  static func percent(_ part: Int, of whole: Int) -> String {
    whole > 0 ? percent(Double(part) / Double(whole)) : ""
  }

  static func percent(_ share: Double) -> String {
    let value = 100 * share
    return value > 0 && value < 9.95
      ? "\((value * 10).rounded() / 10) %" : "\(Int(value.rounded())) %"
  }

  private static func cut(_ text: String, to limit: Int) -> String {
    text.count <= limit ? text : String(text.prefix(limit - 1)) + "…"
  }

  private static func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }
}
