extension Sequence where Element == Double {
  /// Mean and standard deviation (of n - 1), both NaN where there are too few elements.
  public var meanAndDeviation: (mean: Double, deviation: Double) {
    var (count, sum) = (0.0, 0.0)
    for value in self {
      count += 1
      sum += value
    }
    let mean = sum / count
    let squares = reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return (mean, count > 1 ? (squares / (count - 1)).squareRoot() : .nan)
  }

  /// Arithmetic mean; NaN of nothing.
  public var mean: Double { meanAndDeviation.mean }

  /// Sample standard deviation; NaN of fewer than two.
  public var deviation: Double { meanAndDeviation.deviation }
}
