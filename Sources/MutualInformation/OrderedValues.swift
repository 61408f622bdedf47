internal import LinearAlgebra

/// A column in ascending order, and where equal values stand in it.
struct OrderedValues {
  /// Row at each place.
  let order: [Int]
  /// Places of each value, in ascending order.
  let runs: [Range<Int>]

  init(_ values: [Double]) {
    let order = values.ascendingOrder.map(Int.init)
    var runs: [Range<Int>] = []
    var start = 0
    for place in order.indices.dropFirst() where values[order[place]] != values[order[start]] {
      runs.append(start..<place)
      start = place
    }
    if !order.isEmpty { runs.append(start..<order.count) }
    (self.order, self.runs) = (order, runs)
  }
}
