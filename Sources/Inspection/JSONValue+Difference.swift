internal import Results
internal import SnapshotFormat

extension JSONValue {
  /// Where two values differ, by key path such as `model.layers[2].name`; order of keys and spaces do not count.
  static func differences(_ place: String, _ a: JSONValue, _ b: JSONValue) -> [Difference] {
    switch (a, b) {
    case (.object(let first), .object(let second)):
      return Set((first + second).map(\.key)).sorted().flatMap { key -> [Difference] in
        let path = place + "." + key
        switch (a[key], b[key]) {
        case (let one?, let other?): return differences(path, one, other)
        case (let one?, nil): return [Difference(path, "\(one.short) in A, nothing in B")]
        case (nil, let other?): return [Difference(path, "nothing in A, \(other.short) in B")]
        case (nil, nil): return []
        }
      }
    case (.array(let first), .array(let second)) where first.count == second.count:
      return zip(first, second).enumerated().flatMap {
        differences("\(place)[\($0.offset)]", $0.element.0, $0.element.1)
      }
    case (.array(let first), .array(let second)):
      return [Difference(place, "\(first.count) items in A, \(second.count) in B")]
    default:
      return a.means(b) ? [] : [Difference(place, "\(a.short) in A, \(b.short) in B")]
    }
  }

  /// Where two JSON texts differ; texts that are no JSON are compared as texts.
  static func differences(_ place: String, texts a: String?, _ b: String?) -> [Difference] {
    if let a, let b, let first = JSONValue(parsing: a), let second = JSONValue(parsing: b) {
      return differences(place, first, second)
    }
    return [Difference(place, a, b)].compactMap { $0 }
  }

  /// Whether two values that are no lists are the same: 1 and 1.0 are.
  private func means(_ other: JSONValue) -> Bool {
    if case .number(let a) = self, case .number(let b) = other, a != b {
      let areWhole = [a, b].allSatisfy { Int($0) != nil || UInt64($0) != nil }
      return !areWhole && Double(a) == Double(b)
    }
    if case .string(let a) = self, case .string(let b) = other {
      return ExactText(a) == ExactText(b)
    }
    return self == other
  }

  private var short: String {
    switch self {
    case .string(let value): Difference.quoted(value)
    case .array(let items): "\(items.count) items"
    case .object(let members): "an object of \(members.count) keys"
    default: rendered
    }
  }
}
