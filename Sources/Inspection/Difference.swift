internal import SnapshotFormat

/// One difference between two files.
package struct Difference: Encodable, Sendable, Equatable {
  /// What differs: a part of the file, such as `steps/loss` or `probe/conv`, or an attribute.
  package var place: String
  /// How it differs, with what A and B have.
  package var message: String
  /// Number of rows that differ, for rows.
  package var rows: Int?
  /// Largest absolute difference of two numbers, for rows.
  package var largest: Double?
  /// Index of the first step with such a row.
  package var firstStep: Int?

  init(
    _ place: String, _ message: String, rows: Int? = nil, largest: Double? = nil,
    firstStep: Int? = nil
  ) {
    self.place = place
    self.message = message
    self.rows = rows
    self.largest = largest.flatMap { $0.isFinite ? $0 : nil }
    self.firstStep = firstStep
  }

  /// The difference of two texts; nil where there is none.
  init?(_ place: String, _ a: String?, _ b: String?) {
    // By code points: texts that merely look the same differ.
    guard a.map(ExactText.init) != b.map(ExactText.init) else { return nil }
    self.init(place, "\(Self.quoted(a)) in A, \(Self.quoted(b)) in B")
  }

  /// The difference of two other values; nil where there is none.
  init?<T: Equatable>(_ place: String, of a: T, and b: T) {
    guard a != b else { return nil }
    self.init(place, "\(a) in A, \(b) in B")
  }

  /// One line: place and message.
  package var line: String { "\(place): \(message)" }

  static func quoted(_ text: String?) -> String {
    guard let text else { return "nothing" }
    return text.count <= 80 ? "'\(text)'" : "'\(text.prefix(77))...'"
  }

  /// A few items of a list that may be long.
  static func some(_ items: [String]) -> String {
    items.prefix(5).joined(separator: ", ") + (items.count > 5 ? ", ..." : "")
  }
}
