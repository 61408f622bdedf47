internal import LinearAlgebra

/// Random pairings within fold and step that match no row with itself: within each group of rows, one random cycle.
///
/// Only where each begins in the sequence of random numbers is kept, some bytes, not its rows: many windows wait at once.
struct MismatchedPairings: RandomAccessCollection, Sendable {
  private let groups: [[Int]]
  private let rows: Int
  private let starts: [SeededGenerator]

  var startIndex: Int { 0 }
  var endIndex: Int { starts.count }

  /// Fewest rows that are paired anew among themselves. In smaller groups the pairings without fixed points are too few,
  /// and too unlike the recorded one, to stand for chance: with groups of 2 all pairings are one swap.
  private static let fewestPaired = 8

  /// - Parameters:
  ///   - steps: step of each row. Steps with fewer rows in a fold than can be paired among themselves go with the next.
  ///   - test: rows of each fold.
  init(_ steps: [Int], _ test: [[Int]], count: Int, using generator: inout SeededGenerator) {
    var groups: [[Int]] = []
    for rows in test {
      var current: [Int] = []
      var own: [[Int]] = []
      for (position, row) in rows.enumerated() {
        current.append(row)
        let endsStep = position == rows.count - 1 || steps[rows[position + 1]] != steps[row]
        if endsStep, current.count >= Self.fewestPaired {
          own.append(current)
          current = []
        }
      }
      // What is left over joins the last group.
      if own.isEmpty {
        own = [current]
      } else {
        own[own.count - 1].append(contentsOf: current)
      }
      groups += own
    }
    self.groups = groups
    rows = steps.count
    starts = (0..<count).map { _ in
      let start = generator
      for group in groups { _ = generator.permutation(group.count) }
      return start
    }
  }

  /// Row of x for each row of y.
  subscript(number: Int) -> [Int] {
    var generator = starts[number]
    var pairing = Array(0..<rows)
    for group in groups {
      let order = generator.permutation(group.count).map { group[$0] }
      for (position, row) in order.enumerated() {
        pairing[row] = order[(position + 1) % order.count]
      }
    }
    return pairing
  }
}
