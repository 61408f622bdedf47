private import Foundation

extension JSONValue {
  /// Reads JSON text; nil if it is not JSON. Keys come out sorted, numbers are not rounded to fewer digits.
  package init?(parsing text: String) {
    guard
      let value = try? JSONSerialization.jsonObject(
        with: Data(text.utf8), options: [.fragmentsAllowed])
    else { return nil }
    self.init(value)
  }

  private init(_ value: Any) {
    switch value {
    case let text as String: self = .string(text)
    case let list as [Any]: self = .array(list.map { JSONValue($0) })
    case let members as [String: Any]:
      self = .object(sorted: members.mapValues { JSONValue($0) })
    case let number as NSNumber:
      switch String(cString: number.objCType) {
      // Foundation keeps booleans as C's char or bool.
      case "c", "B": self = .bool(number.boolValue)
      case "d", "f": self = .number(number.doubleValue)
      default: self = .number(number.stringValue)
      }
    default: self = .null
    }
  }
}
