extension TableRows {
  /// Leaves out the rows that a file may not hold: with a number that is not finite, or a label below 0.
  ///
  /// - Returns: how many. Costs one look at each number, at the speed of memory, where there are none.
  package mutating func removeFaultyRows() -> Int {
    let count = records.count
    guard count > 0 else { return 0 }
    var faulty: Set<Int> = []
    for column in values where column.firstFault != nil {
      let width = max(1, column.count / count)
      switch column {
      case .float(let numbers):
        for (index, number) in numbers.enumerated() where !number.isFinite {
          faulty.insert(index / width)
        }
      case .label(let labels):
        for (index, label) in labels.enumerated() where label < 0 { faulty.insert(index / width) }
      }
    }
    guard !faulty.isEmpty else { return 0 }
    keep((0..<count).filter { !faulty.contains($0) }, of: count)
    return faulty.count
  }

  private mutating func keep(_ rows: [Int], of count: Int) {
    func kept<T>(_ column: [T]) -> [T] {
      let width = column.count / count
      return width == 1
        ? rows.map { column[$0] } : rows.flatMap { column[$0 * width..<($0 + 1) * width] }
    }
    values = values.map { column in
      switch column {
      case .float(let numbers): .float(kept(numbers))
      case .label(let labels): .label(kept(labels))
      }
    }
    if !members.counts.isEmpty {
      var starts = [0]
      for count in members.counts { starts.append(starts.last! + count) }
      let own = rows.flatMap { Array(starts[$0]..<starts[$0 + 1]) }
      members.records = own.map { members.records[$0] }
      members.weights = own.map { members.weights[$0] }
      members.counts = kept(members.counts)
    }
    records = kept(records)
    if !weights.isEmpty { weights = kept(weights) }
    if !localSteps.isEmpty { localSteps = kept(localSteps) }
  }
}
