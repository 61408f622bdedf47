package import LinearAlgebra

/// Values that several rows share, each moved at random to somewhere between the values next to it, never past their middle.
///
/// The value can still be told from where it went, and where that is says nothing more: information is exactly that of the
/// rows as they were. Nearest neighbours need it: of rounded values many rows lie at the distance of the k-th neighbour,
/// which strict counts leave out and inclusive ones take in, and estimates are off by the size of a leak.
package enum TieSpreading {
  /// Columns of fewer values are counted well as they are: most neighbours of a row have its very value.
  private static let fewestValues = 10

  /// - Parameter stream: tells one side's random numbers from another's.
  package static func columns(_ rows: Matrix, seed: UInt64, stream: UInt64) -> Matrix {
    let n = rows.rows
    var result = rows
    var generator = SeededGenerator(seed: seed, stream: 0x71e5 << 32 | stream)
    for column in 0..<rows.columns {
      let values = OrderedValues((0..<n).map { rows[$0, column] })
      let runs = values.runs
      guard runs.count >= fewestValues, runs.count < n else { continue }
      let distinct = runs.map { rows[values.order[$0.lowerBound], column] }
      for (number, run) in runs.enumerated() where run.count > 1 {
        let below = number > 0 ? distinct[number] - distinct[number - 1] : nil
        let above = number + 1 < runs.count ? distinct[number + 1] - distinct[number] : nil
        // Halves of the gaps; at either end that of the other side.
        let (low, high) = ((below ?? above!) / 2, (above ?? below!) / 2)
        for place in run {
          result[values.order[place], column] =
            distinct[number] - low + generator.uniform() * (low + high)
        }
      }
    }
    return result
  }
}

extension PairedRows {
  /// The rows with tied values spread; a label stays one.
  func spreadingTies(seed: UInt64) -> PairedRows {
    PairedRows(
      replacing: xIsLabel ? x : TieSpreading.columns(x, seed: seed, stream: 0),
      and: yIsLabel ? y : TieSpreading.columns(y, seed: seed, stream: 1), in: self)
  }
}
