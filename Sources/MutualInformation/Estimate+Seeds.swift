internal import LinearAlgebra

extension Estimate {
  /// One estimate from those of several seeds: their mean, with their spread in its error.
  ///
  /// - Parameters:
  ///   - all: of the same rows by the same method; not empty.
  ///   - terms: independent terms that each one's error is of.
  package static func combined(_ all: [Estimate], of terms: Int) -> Estimate {
    var result = all[0]
    guard all.count > 1 else { return result }
    func mean(_ part: (Estimate) -> Double) -> Double { all.map(part).mean }
    result.value = mean(\.value)
    result.contributions = result.contributions.indices.map { row in
      mean { $0.contributions[row] }
    }
    let error = mean(\.standardError)
    let spread = all.map(\.value).deviation / Double(all.count).squareRoot()
    result.standardError = (error * error + spread * spread).squareRoot()
    let growth = widening(error, of: terms, by: spread, of: all.count)
    result.low = result.value - growth * (result.value - mean(\.low))
    result.high = result.value + growth * (mean(\.high) - result.value)
    if all.contains(where: { $0.kind != result.kind }) { result.kind = .estimate }
    result.ceiling = all.map(\.ceiling).min() ?? result.ceiling
    for other in all.dropFirst() {
      result.flags.formUnion(other.flags)
      for note in other.notes where !result.notes.contains(note) { result.notes.append(note) }
      if let null = other.null { result.null?.add(null) }
    }
    let means = all.compactMap(\.null?.mean)
    if !means.isEmpty { result.null?.mean = means.mean }
    return result
  }

  /// How much wider an interval is with a second error: Student's t has the degrees of freedom of both (Satterthwaite 1946,
  /// doi:10.2307/3002019).
  private static func widening(
    _ error: Double, of terms: Int, by second: Double, of others: Int
  ) -> Double {
    guard error > 0, error.isFinite, second > 0, terms > 1 else { return 1 }
    let (a, b) = (error * error, second * second)
    let freedom = (a + b) * (a + b) / (a * a / Double(terms - 1) + b * b / Double(others - 1))
    return Clustered.reach(of: Int(freedom.rounded()) + 1) * (a + b).squareRoot()
      / (Clustered.reach(of: terms) * error)
  }
}
