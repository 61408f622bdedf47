/// Rows that are held out together and may depend on each other: those of one record, or of one group.
///
/// Where a function takes `units`, it is the id of each row's unit; nil: every row is its own.
enum Units {
  /// How many there are.
  static func count(_ units: [Int]?, rows: Int) -> Int { units.map { Set($0).count } ?? rows }

  /// How many of one size would tell as much.
  static func effective(_ units: [Int]?, rows: Int) -> Int {
    units.map { Int(Clustered.effective($0)) } ?? rows
  }

  /// Rows of each unit, in the order of their ids.
  static func members(_ units: [Int]?, count: Int) -> [[Int]] {
    guard let units else { return (0..<count).map { [$0] } }
    return Dictionary(grouping: units.indices) { units[$0] }.sorted { $0.key < $1.key }
      .map(\.value)
  }
}
