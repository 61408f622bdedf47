package import LinearAlgebra

/// Random pairings of y with x that are as likely as the recorded one where there is no dependence: units in another
/// order, each unit's rows together and in their order.
///
/// Exact where all units have as many rows, and where every row is its own. Where they differ, a unit of y meets the rows of
/// one unit of x all the same: some of them where those are more, all again and again where they are fewer. Laid end to
/// end, units would be cut: a large one, whose rows alike make up most of what chance gives, would meet parts of many,
/// and tests find too much.
package struct RandomPairings: Sendable {
  private let members: [[Int]]
  private let count: Int
  private let seed: UInt64

  /// - Parameters:
  ///   - units: see `Units`.
  ///   - stream: tells the pairings of one test from those of another.
  init(units: [Int]?, count: Int, seed: UInt64, stream: UInt32) {
    members = units == nil ? [] : Units.members(units, count: count)
    self.count = count
    self.seed = SplitMix64.mix(seed ^ UInt64(stream) << 32)
  }

  /// Row of x for each row of y in the pairing of a number.
  func callAsFunction(_ number: Int) -> [Int] {
    var generator = SeededGenerator(seed: seed, stream: UInt64(number))
    guard !members.isEmpty else { return generator.permutation(count) }
    var pairing = Array(0..<count)
    for (unit, other) in generator.permutation(members.count).enumerated() {
      let rows = members[other]
      for (place, row) in members[unit].enumerated() { pairing[row] = rows[place % rows.count] }
    }
    return pairing
  }

  /// Units that are drawn at least, where there are so many: a pairing of few says little.
  private static let fewestUnits = 50

  /// About `most` rows at random; where rows are of units, the first ones of each.
  package static func rows(
    _ most: Int, of units: [Int]?, count: Int, _ generator: inout SeededGenerator
  ) -> [Int] {
    guard count > most else { return Array(0..<count) }
    guard units != nil else { return Array(generator.permutation(count).prefix(most)) }
    let members = Units.members(units, count: count)
    let share = max(1, most / min(members.count, fewestUnits))
    var rows: [Int] = []
    for unit in generator.permutation(members.count) where rows.count < most {
      rows += members[unit].prefix(share)
    }
    return rows
  }

  /// The smallest p-value that so many pairings of these rows allow: that of pairings that are all worse, unless there are
  /// so few units that the recorded pairing comes up again.
  package static func least(units: [Int]?, of rows: some Collection<Int>, pairings: Int) -> Double {
    let count = Units.count(units.map { units in rows.map { units[$0] } }, rows: rows.count)
    let orders = (1...max(1, min(count, 20))).reduce(1.0) { $0 * Double($1) }
    return max(1 / Double(1 + pairings), 1 / orders)
  }
}
