private import Foundation

extension JSON {
  /// The value of a JSON text; nil if it is none.
  package init?(parsing text: String) {
    guard
      let value = try? JSONSerialization.jsonObject(
        with: Data(text.utf8), options: [.fragmentsAllowed])
    else { return nil }
    self.init(value)
  }

  private init(_ value: Any) {
    switch value {
    case let text as String: self = .text(text)
    case let list as [Any]: self = .array(list.map { JSON($0) })
    case let members as [String: Any]: self = .object(members.mapValues { JSON($0) })
    case let number as NSNumber:
      switch String(cString: number.objCType) {
      // Foundation keeps booleans as C's char or bool.
      case "c", "B": self = .boolean(number.boolValue)
      case "d", "f": self = .number(number.doubleValue)
      default: self = .number(number.stringValue)
      }
    default: self = .null
    }
  }

  /// The value under a key; nil where this is no object or has no such key.
  package subscript(key: String) -> JSON? {
    guard case .object(let members) = self else { return nil }
    return members[key]
  }

  /// The text, if it is one.
  package var string: String? {
    guard case .text(let value) = self else { return nil }
    return value
  }
}
