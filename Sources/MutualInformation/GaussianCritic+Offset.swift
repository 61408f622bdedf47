private import Foundation
internal import LinearAlgebra

extension GaussianCritic {
  /// Canonical variates of every row of the fold, [n, count], for the first correlations.
  func variates(_ fold: PairedFold, count: Int) -> (x: Matrix, y: Matrix) {
    (
      fold.x.times(xDirections.prefixColumns(count)), fold.y.times(yDirections.prefixColumns(count))
    )
  }

  /// The log ratio of every pair in parts: of x, of y and a product.
  func offset(_ fold: PairedFold) -> PairOffset {
    let width = correlations.prefix { $0 > 0 }.count
    let (u, v) = variates(fold, count: width)
    let constant = information
    var result = PairOffset(
      a: [], b: [], u: [], v: v.elements.map { Float($0) }, width: width)
    for row in 0..<u.rows {
      var (a, b) = (constant, 0.0)
      for (k, rho) in correlations.prefix(width).enumerated() {
        let weight = 1 / (1 - rho * rho)
        a -= rho * rho * weight / 2 * u[row, k] * u[row, k]
        b -= rho * rho * weight / 2 * v[row, k] * v[row, k]
        result.u.append(Float(rho * weight * u[row, k]))
      }
      result.a.append(Float(a))
      result.b.append(Float(b))
    }
    return result
  }
}
