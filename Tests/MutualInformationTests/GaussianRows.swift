import Foundation
import LinearAlgebra
import MutualInformation

/// Jointly Gaussian rows whose information is known.
struct GaussianRows {
  var x: Matrix
  var y: Matrix
  /// -d/2 ln(1 - rho²), nats.
  var truth: Double

  /// x standard normal, y = rho x + sqrt(1 - rho²) z, column by column.
  init(_ n: Int, dimensions d: Int, rho: Double, seed: UInt64) {
    var generator = SeededGenerator(seed: seed, stream: 77)
    x = generator.normalMatrix(rows: n, columns: d)
    y = rho * x + (1 - rho * rho).squareRoot() * generator.normalMatrix(rows: n, columns: d)
    truth = -0.5 * Double(d) * log1p(-rho * rho)
  }
}

/// Row i is held out in fold i mod count.
func split(_ n: Int, into count: Int) -> [(train: [Int], test: [Int])] {
  (0..<count).map { fold in
    ((0..<n).filter { $0 % count != fold }, (0..<n).filter { $0 % count == fold })
  }
}

/// Folds of rows paired as recorded.
func folds(_ x: Matrix, _ y: Matrix, count: Int = 5) throws -> [PairedFold] {
  try split(x.rows, into: count).map {
    try PairedFold(x: x, y: y, train: $0.train, test: $0.test)
  }
}

/// A random pairing that keeps each row in its fold.
func pairing(_ n: Int, folds count: Int, seed: UInt64) -> [Int] {
  var generator = SeededGenerator(seed: seed)
  var result = Array(0..<n)
  for part in split(n, into: count) {
    for (row, other) in zip(part.test, generator.permutation(part.test.count)) {
      result[row] = part.test[other]
    }
  }
  return result
}

func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }

/// Standard deviation of values over independent repetitions.
func deviation(_ values: [Double]) -> Double {
  let centre = mean(values)
  return (values.reduce(0) { $0 + ($1 - centre) * ($1 - centre) } / Double(values.count - 1))
    .squareRoot()
}

/// What a critic's scores of all folds say together.
func donskerVaradhan(_ scores: [Matrix]) -> Estimate {
  Estimate.pooled(scores.map(GaussianInformation.donskerVaradhan))
}
