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
    let count = min(count, members.count)
    guard members.count >= 4 else {
      throw InformationError(
        .tooFewRows, "expected at least 4 records or groups, found \(members.count)",
        remedy: "Rows of one record are never split over folds: record more.")
    }
    var generator = SeededGenerator(seed: seed, stream: 0xf01d)
    let order = generator.permutation(members.count)
    // Dealt in random order to the fold with the fewest rows, so that folds are even where units are not.
    var dealt = [[Int]](repeating: [], count: count)
    var sizes = [Int](repeating: 0, count: count)
    for unit in order {
      let fold = sizes.indices.min { sizes[$0] < sizes[$1] }!
      dealt[fold].append(unit)
      sizes[fold] += members[unit].count
    }
    return dealt.indices.map { fold in
      let held = Set(dealt[fold])
      let others = order.filter { !held.contains($0) }
      return make(members, test: dealt[fold], others: others)
    }
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
    var stopping = others.prefix(max(1, others.count / 8))
    // Whole units, until there are rows to compare.
    while stopping.count < others.count - 1,
      stopping.reduce(0, { $0 + members[$1].count }) < fewestStopping
    {
      stopping = others.prefix(stopping.count + 1)
    }
    return Fold(
      train: others.dropFirst(stopping.count).flatMap { members[$0] },
      stopping: stopping.flatMap { members[$0] }, test: test.flatMap { members[$0] })
  }
}
