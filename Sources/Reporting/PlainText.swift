/// Text from a study made fit to be shown: names and descriptions come from files that anyone may have written.
package enum PlainText {
  /// `text` on one line, without characters that hide or reorder others, shortened in its middle.
  ///
  /// Control, format (bidirectional marks, zero-width joiners), private-use and unassigned characters become
  /// U+FFFD, so that what was tampered with stays visible. Length counts Unicode scalars: one character can
  /// carry thousands of combining marks.
  package static func line(_ text: String, limit: Int = 400) -> String {
    clean(text, limit: limit) { $0 == "\n" || $0 == "\t" || $0 == "\r" ? " " : "\u{FFFD}" }
  }

  /// `text` with its line breaks, otherwise as `line`.
  package static func block(_ text: String, limit: Int) -> String {
    clean(text, limit: limit) { $0 == "\n" ? "\n" : $0 == "\t" ? " " : "\u{FFFD}" }
  }

  /// Combining marks kept after one letter.
  private static let mostMarks = 3

  private static func clean(
    _ text: String, limit: Int, replacement: (Unicode.Scalar) -> Unicode.Scalar
  ) -> String {
    var scalars = String.UnicodeScalarView()
    let all = text.unicodeScalars
    if all.index(all.startIndex, offsetBy: limit, limitedBy: all.endIndex) ?? all.endIndex
      == all.endIndex
    {
      scalars.append(contentsOf: all)
    } else {
      let head = limit / 2
      scalars.append(contentsOf: all.prefix(head))
      scalars.append("…")
      scalars.append(contentsOf: all.suffix(max(0, limit - head - 1)))
    }
    var result = String.UnicodeScalarView()
    var marks = 0
    for scalar in scalars {
      // A pile of combining marks would be drawn over the lines above and below.
      marks = scalar.properties.canonicalCombiningClass == .notReordered ? 0 : marks + 1
      if marks <= mostMarks { result.append(isPlain(scalar) ? scalar : replacement(scalar)) }
    }
    return String(result)
  }

  /// Whether a scalar stands for itself and leaves its neighbours alone.
  package static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator,
      .paragraphSeparator:
      false
    default: true
    }
  }

  /// Terminal columns that `text` takes: two for East Asian wide characters and emoji, none for marks.
  package static func columns(_ text: String) -> Int {
    text.unicodeScalars.reduce(0) { $0 + columns($1) }
  }

  private static func columns(_ scalar: Unicode.Scalar) -> Int {
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark: return 0
    default: break
    }
    switch scalar.value {
    case 0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
      0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1FAFF, 0x20000...0x3FFFD:
      return 2
    default: return scalar.properties.isEmojiPresentation ? 2 : 1
    }
  }

  /// `text` shortened in its middle to at most `width` terminal columns.
  package static func fitted(_ text: String, width: Int) -> String {
    if columns(text) <= width { return text }
    var head = ""
    var tail = ""
    var room = width - 1
    var rest = Array(text)[...]
    while let first = rest.first, let last = rest.last {
      let fromTail = columns(tail) <= columns(head)
      let next = fromTail ? last : first
      room -= columns(String(next))
      if room < 0 { break }
      if fromTail {
        tail = String(rest.removeLast()) + tail
      } else {
        head.append(rest.removeFirst())
      }
    }
    return head + "…" + tail
  }

  /// `text` broken at spaces into lines of at most `width` columns; a longer word is shortened.
  package static func wrapped(_ text: String, width: Int) -> [String] {
    var lines: [String] = []
    var line = ""
    for word in text.split(separator: " ") {
      let word = fitted(String(word), width: width)
      if line.isEmpty {
        line = word
      } else if columns(line) + 1 + columns(word) <= width {
        line += " " + word
      } else {
        lines.append(line)
        line = word
      }
    }
    if !line.isEmpty { lines.append(line) }
    return lines
  }
}
