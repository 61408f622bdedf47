import Foundation
import LinearAlgebra
import MutualInformation
import Testing

@Suite("Nulls")
struct NullTests {
  private func p(_ tests: Double...) -> Double {
    Estimate.Null(mean: 0, tests: tests, pairings: 99, leasts: [0]).p
  }

  @Test("p-values of several tests, by hand")
  func byHand() {
    #expect(p(0.03) == 0.03)
    // Tests that agree count once.
    #expect(abs(p(0.03, 0.03, 0.03) - 0.03) < 1e-12)
    // tan(0.49π) = 31.8205, tan(0) = 0: 0.5 - atan(15.9103) / π.
    #expect(abs(p(0.01, 0.5) - 0.019980) < 1e-5)
    // One that sees nothing at all counts as 0.9, and the order does not matter.
    #expect(p(0.01, 1) == p(0.9, 0.01) && p(0.01, 1) < 0.025)
    #expect(p(1, 1) == 0.9)
  }

  @Test("adding a test is having had it")
  func adding() {
    var null = Estimate.Null(mean: 0, tests: [0.2, 0.04], pairings: 99, leasts: [0.01, 0.01])
    null.add(Estimate.Null(mean: 1, tests: [0.5], pairings: 9, leasts: [0.1]))
    #expect(null.p == p(0.2, 0.04, 0.5) && null.tests == [0.2, 0.04, 0.5])
    #expect(null.mean == 0 && null.least == p(0.01, 0.01, 0.1))
  }

  /// Normal statistics with a common part, as tests of the same pairs are. Of 20,000 runs 4.0 and 6.0 % lie six
  /// standard errors from 5 %: that much is allowed for tests that depend on one another, whose size is near the level
  /// only.
  @Test("a test at 5 % finds 5 %, whether or not the tests agree", arguments: [0, 0.3, 0.6, 0.9])
  func size(correlation: Double) {
    var generator = SeededGenerator(seed: 1)
    let runs = 20_000
    let found = (0..<runs).count { _ in
      let common = generator.normal() * correlation.squareRoot()
      let tests = (0..<3).map { _ in
        let z = common + generator.normal() * (1 - correlation).squareRoot()
        // As 199 pairings have it.
        return max(1, (200 * Self.normalTail(z)).rounded(.up)) / 200
      }
      return Estimate.Null(mean: 0, tests: tests, pairings: 199, leasts: [0]).p <= 0.05
    }
    #expect((0.04...0.06).contains(Double(found) / Double(runs)))
  }

  private static func normalTail(_ z: Double) -> Double { erfc(z / 2.0.squareRoot()) / 2 }
}
