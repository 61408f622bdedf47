import Foundation
import LinearAlgebra
import Testing

@Suite("Special functions")
struct SpecialFunctionsTests {
  @Test(
    "digamma equals its known values to the stated 1e-13",
    // mpmath 1.3, 20 digits.
    arguments: [
      (0.1, -10.423754940411076232), (0.5, -1.9635100260214234794), (1, -0.57721566490153286045),
      (2.5, 0.70315664064524318721), (10, 2.2517525890667211075), (100, 4.6001618527380874002),
    ])
  func digammaValues(x: Double, known: Double) {
    #expect(abs(digamma(x) - known) < 1e-13 * max(1, abs(known)))
  }

  @Test("digamma of a whole number is a harmonic sum less Euler's constant")
  func digammaOfIntegers() {
    var harmonic = -0.57721566490153286
    for n in 1...200 {
      #expect(abs(digamma(Double(n)) - harmonic) < 1e-13)
      harmonic += 1 / Double(n)
    }
  }

  @Test("logSumExp adds in the exponent without overflow")
  func logSumExpValues() {
    #expect(abs(logSumExp([0, 0]) - log(2)) < 1e-15)
    #expect(abs(logSumExp([log(1), log(2), log(3)]) - log(6)) < 1e-15)
    // One unit in the last place of 1000 is 1.1e-13.
    #expect(abs(logSumExp([1000, 1000]) - 1000 - log(2)) < 3e-13)
    #expect(abs(logSumExp([-1000, -1000, -1000]) + 1000 - log(3)) < 3e-13)
    #expect(logSumExp([-.infinity, 5]) == 5)
    #expect(logSumExp([Double]()) == -.infinity)
    #expect(logSumExp([-Double.infinity, -.infinity]) == -.infinity)
  }

  @Test("normal quantiles equal the tables, and undo the distribution function")
  func quantile() {
    let table = [
      (0.5, 0.0), (0.975, 1.959963984540054), (0.001, -3.090232306167813),
      (1e-10, -6.361340902404056), (0.8413447460685429, 1.0),
    ]
    for (p, expected) in table { #expect(abs(normalQuantile(p) - expected) < 1e-12) }
  }

  @Test("independent columns are those that no earlier ones explain")
  func independentColumns() {
    var generator = SeededGenerator(seed: 1)
    var rows = generator.normalMatrix(rows: 50, columns: 5)
    for row in 0..<50 {
      rows[row, 2] = rows[row, 0] - 3 * rows[row, 1]
      rows[row, 4] = 0
    }
    #expect(rows.gram().independentColumns(tolerance: 1e-10) == [0, 1, 3])
  }

  @Test("forward substitution solves for every row")
  func substitution() throws {
    var generator = SeededGenerator(seed: 2)
    let factor = try generator.normalMatrix(rows: 20, columns: 4).gram().cholesky()
    let wanted = generator.normalMatrix(rows: 6, columns: 4)
    let found = factor.forwardSubstituting(rows: wanted.times(factor, transposeOther: true))
    #expect(zip(found.elements, wanted.elements).allSatisfy { abs($0 - $1) < 1e-12 })
  }
}
