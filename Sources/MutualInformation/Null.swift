internal import LinearAlgebra

#if canImport(Darwin)
  private import Darwin
#else
  private import Glibc
#endif

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

    /// A null from its parts.
    ///
    /// - Parameter tests: p-values of tests of the same pairs; not empty.
    public init(mean: Double, tests: [Double], pairings: Int) {
      (self.mean, self.pairings, self.tests) = (mean, pairings, tests)
      p = Self.combined(tests)
    }

    /// The null of one test: what was read of the recorded pairs, and of each mismatched pairing.
    init(observed: Double, values: [Double]) {
      self.init(
        mean: values.mean, tests: [Self.share(values, reaching: observed)], pairings: values.count)
    }

    /// Share of pairings, the recorded one included, that do at least as well.
    static func share(_ values: some Collection<Double>, reaching observed: Double) -> Double {
      // Equal statistics, summed in another order, differ in their last digits.
      let limit = observed - 1e-12 * max(1, abs(observed))
      return Double(1 + values.count { $0 >= limit }) / Double(1 + values.count)
    }

    /// Adds tests of the same pairs.
    package mutating func add(_ more: [Double]) {
      tests += more
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
