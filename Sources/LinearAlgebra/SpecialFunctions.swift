private import Foundation

/// The digamma function for x > 0: recurrence to x >= 10, then the asymptotic series; absolute error < 1e-13.
public func digamma(_ x: Double) -> Double {
  var x = x
  var result = 0.0
  while x < 10 {
    result -= 1 / x
    x += 1
  }
  let r = 1 / (x * x)
  let series =
    r * (1.0 / 12 - r * (1.0 / 120 - r * (1.0 / 252 - r * (1.0 / 240 - r * (1.0 / 132)))))
  return result + log(x) - 0.5 / x - series
}

/// ln sum exp of the elements, without overflow; -infinity for none.
@specialized(where Values == [Double])
@specialized(where Values == ArraySlice<Double>)
public func logSumExp<Values: Collection<Double>>(_ values: Values) -> Double {
  guard let largest = values.max(), largest > -.infinity else { return -.infinity }
  var sum = 0.0
  for value in values { sum += exp(value - largest) }
  return largest + log(sum)
}

/// Φ⁻¹(p), the standard normal quantile for p in (0, 1): Acklam's rational approximation with one step of Halley's
/// method; relative error < 1e-14.
public func normalQuantile(_ p: Double) -> Double {
  let a = [
    -39.69683028665376, 220.9460984245205, -275.9285104469687, 138.3577518672690,
    -30.66479806614716, 2.506628277459239,
  ]
  let b = [
    -54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972,
    -13.28068155288572,
  ]
  let c = [
    -0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734,
    4.374664141464968, 2.938163982698783,
  ]
  let d = [0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416]
  func polynomial(_ x: Double, _ coefficients: [Double]) -> Double {
    coefficients.reduce(0) { $0 * x + $1 }
  }
  let tail = min(p, 1 - p)
  var x: Double
  if tail < 0.02425 {
    let q = (-2 * log(tail)).squareRoot()
    x = polynomial(q, c) / (polynomial(q, d) * q + 1)
    if p > 0.5 { x = -x }
  } else {
    let q = p - 0.5
    let r = q * q
    x = polynomial(r, a) * q / (polynomial(r, b) * r + 1)
  }
  let error = 0.5 * erfc(-x / 2.0.squareRoot()) - p
  let u = error * (2 * Double.pi).squareRoot() * exp(x * x / 2)
  x -= u / (1 + x * u / 2)
  return x
}
