internal import LinearAlgebra

/// Rows of one fold: fitted on, stopped by, and untouched.
package struct Fold: Sendable {
  package var train: [Int]
  package var stopping: [Int]
  package var test: [Int]
  /// Rows that may be fitted on where nothing is stopped.
  var rest: [Int] { (train + stopping).sorted() }
}

package enum Folds {
  /// Splits rows by unit: every unit is untouched in exactly one fold; an eighth of the others stop the training.
  package static func split(
    _ units: [Int]?, rows: Int, into count: Int, seed: UInt64
  ) throws(InformationError) -> [Fold] {
    var numbers: [Int: Int] = [:]
    var members: [[Int]] = []
    for row in 0..<rows {
      let unit = units?[row] ?? row
      if let number = numbers[unit] {
        members[number].append(row)
      } else {
        numbers[unit] = members.count
        members.append([row])
      }
    }
    guard members.count >= 4 else {
      throw InformationError(
        .tooFewRows, "expected at least 4 records or groups, found \(members.count)",
        remedy: "Rows of one record are never split over folds: record more.")
    }
    var generator = SeededGenerator(seed: seed, stream: 0xf01d)
    let order = generator.permutation(members.count)
    // Fewer where units are so uneven that a fold would be too small to read, or leave too few to learn from.
    for count in stride(from: min(count, members.count), through: 2, by: -1) {
      let dealt = deal(order, members, into: count)
      let sizes = dealt.map { $0.reduce(0) { $0 + members[$1].count } }
      guard sizes.min()! >= fewestRead, rows - sizes.max()! >= fewestLearned else { continue }
      return dealt.map { test in
        let held = Set(test)
        return make(members, test: test, others: order.filter { !held.contains($0) })
      }
    }
    throw InformationError(
      .tooFewRows,
      "expected records or groups that fill two folds, with \(fewestLearned) rows outside each, found one of \(members.map(\.count).max()!) of \(rows) rows",
      remedy: "Give smaller groups, or record more of them.")
  }

  /// Rows that a fold needs to be read, and outside it to be learned from.
  private static let (fewestRead, fewestLearned) = (4, 8)

  /// Dealt in random order to the fold with the fewest rows, so that folds are even where units are not.
  private static func deal(_ order: [Int], _ members: [[Int]], into count: Int) -> [[Int]] {
    var dealt = [[Int]](repeating: [], count: count)
    var sizes = [Int](repeating: 0, count: count)
    for unit in order {
      let fold = sizes.indices.min { sizes[$0] < sizes[$1] }!
      dealt[fold].append(unit)
      sizes[fold] += members[unit].count
    }
    return dealt
  }

  /// Keeps an eighth of the training rows back by unit.
  static func keepingBack(_ train: [Int], _ units: [Int], test: [Int], seed: UInt64) -> Fold {
    var members = Dictionary(grouping: train) { units[$0] }.sorted { $0.key < $1.key }.map(\.value)
    // One unit cannot be split between training and stopping; its rows can.
    if members.count < 2 { members = train.map { [$0] } }
    var generator = SeededGenerator(seed: seed, stream: 0x5709)
    let others = generator.permutation(members.count)
    var fold = make(members, test: [], others: others)
    fold.test = test
    return fold
  }

  /// Fewest rows that stop a training: of one alone there are no mismatched pairs.
  private static let fewestStopping = 4

  private static func make(_ members: [[Int]], test: [Int], others: [Int]) -> Fold {
    let rows = others.reduce(0) { $0 + members[$1].count }
    // Whole units, until there are rows to compare; at least half of the rows are trained on.
    var stopping: Set<Int> = []
    var kept = 0
    for unit in others where stopping.count < max(1, others.count / 8) || kept < fewestStopping {
      guard 2 * (kept + members[unit].count) <= rows else { continue }
      stopping.insert(unit)
      kept += members[unit].count
    }
    var fold = Fold(
      train: others.filter { !stopping.contains($0) }.flatMap { members[$0] },
      stopping: others.filter { stopping.contains($0) }.flatMap { members[$0] },
      test: test.flatMap { members[$0] })
    if kept < fewestStopping {
      // Units are too large to be kept back: every eighth row is, or the fourth part of few.
      let all = others.flatMap { members[$0] }
      let step = min(8, max(2, rows / fewestStopping))
      fold.stopping = stride(from: 0, to: rows, by: step).map { all[$0] }
      fold.train = all.indices.filter { $0 % step != 0 }.map { all[$0] }
    }
    return fold
  }
}
