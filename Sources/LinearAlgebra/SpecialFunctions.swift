#if canImport(Darwin)
  private import Darwin
#else
  private import Glibc
#endif

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
public func logSumExp(_ values: some Collection<Double>) -> Double {
  guard let largest = values.max(), largest > -.infinity else { return -.infinity }
  var sum = 0.0
  for value in values { sum += exp(value - largest) }
  return largest + log(sum)
}
