private import Foundation
internal import LinearAlgebra

extension Estimate {
  /// What the same method reads on mismatched pairs.
  public struct Null: Sendable {
    /// Mean over pairings, nats.
    public var mean: Double
    /// p-value: that of the one test there is, or of all together.
    public var p: Double
    /// Pairings of each test.
    public var pairings: Int
    /// Share of pairings, the recorded one included, that do at least as well, of each test: (1 + count) / (1 + pairings).
    public private(set) var tests: [Double]
    /// The smallest p-value that each test could have given.
    private var leasts: [Double]
    /// The smallest p-value that there could have been: above 5 %, nothing was tested at 5 %.
    public var least: Double { Self.combined(leasts) }

    /// A null from its parts.
    ///
    /// - Parameters:
    ///   - tests: p-values of tests of the same pairs; not empty.
    ///   - leasts: the smallest that each could have been.
    public init(mean: Double, tests: [Double], pairings: Int, leasts: [Double]) {
      (self.mean, self.pairings, self.tests, self.leasts) = (mean, pairings, tests, leasts)
      p = Self.combined(tests)
    }

    /// The null of one test: what was read of the recorded pairs, and of each mismatched pairing.
    init(observed: Double, values: [Double], least: Double) {
      self.init(
        mean: values.mean, tests: [Self.share(values, reaching: observed)], pairings: values.count,
        leasts: [least])
    }

    /// Share of pairings, the recorded one included, that do at least as well.
    package static func share(_ values: some Collection<Double>, reaching observed: Double)
      -> Double
    {
      // Equal statistics, summed in another order, differ in their last digits.
      let limit = observed - 1e-12 * max(1, abs(observed))
      return Double(1 + values.count { $0 >= limit }) / Double(1 + values.count)
    }

    /// Adds other tests of the same pairs; the mean stays.
    package mutating func add(_ other: Null) {
      tests += other.tests
      leasts += other.leasts
      p = Self.combined(tests)
    }

    /// The share that counts as no evidence at all: one test that sees nothing must not take away what another sees.
    private static let weakest = 0.9

    /// One p-value from several of the same pairs, by their mean as quantiles of Cauchy's distribution (Liu & Xie 2020,
    /// doi:10.1080/01621459.2018.1554485): its tail is the same whether or not the tests depend on one another, so that
    /// nobody has to know how they do. Bonferroni's rule would halve the findings where they agree.
    static func combined(_ tests: [Double]) -> Double {
      guard tests.count > 1 else { return tests.first ?? 1 }
      let mean =
        tests.reduce(0) { $0 + tan((0.5 - min($1, weakest)) * .pi) } / Double(tests.count)
      return 0.5 - atan(mean) / .pi
    }
  }
}
