private import Foundation

/// JSON as text, the same bytes for the same value.
package enum JSONText {
  package static func of(_ value: some Encodable) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // Strings, integers, finite numbers and arrays and dictionaries of them always encode.
    return (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
  }

  /// Whether bytes have what Foundation's parser lets pass, and RFC 8259 does not: a byte order mark, or a comma
  /// before a closing bracket.
  package static func isLax(_ bytes: some Collection<UInt8>) -> Bool {
    if bytes.starts(with: [0xef, 0xbb, 0xbf]) { return true }
    var followsComma = false
    var isLax = false
    forEachToken(bytes) { byte in
      if followsComma, byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]") { isLax = true }
      followsComma = byte == UInt8(ascii: ",")
    }
    return isLax
  }

  /// Keys of the outermost object as they are written, of text that is JSON: a parser keeps one of two that are equal.
  package static func outermostKeys(_ bytes: some Collection<UInt8>) -> Int {
    var depth = 0
    var keys = 0
    forEachToken(bytes) { byte in
      switch byte {
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
      case UInt8(ascii: ":"): keys += depth == 1 ? 1 : 0
      default: break
      }
    }
    return keys
  }

  /// Passes on what is neither in a string nor between tokens; a string by its opening quotation mark.
  private static func forEachToken(_ bytes: some Collection<UInt8>, _ body: (UInt8) -> Void) {
    var isInString = false
    var isEscaped = false
    for byte in bytes {
      if isInString {
        if isEscaped {
          isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
          isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
          isInString = false
        }
        continue
      }
      switch byte {
      case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"): continue
      case UInt8(ascii: "\""): isInString = true
      default: break
      }
      body(byte)
    }
  }
}
