import Foundation
import LinearAlgebra
import MutualInformation
import Testing

@Suite("GaussianInformation")
struct GaussianInformationTests {
  /// A setting, and repetitions enough to see a bias of a third of one run's error.
  struct Setting: Sendable, CustomTestStringConvertible {
    var d: Int
    var rho: Double
    var testDescription: String { "\(d) dimensions, rho \(rho)" }
  }

  static let repetitions = 16
  static let dependent = [(1, 0.7), (4, 0.7), (16, 0.5), (16, 0.9)].map(Setting.init)
  static let independent = [1, 4, 16].map { Setting(d: $0, rho: 0) }

  private func estimates(_ setting: Setting) throws -> (truth: Double, results: [Estimate]) {
    let runs = try (0..<Self.repetitions).map { seed in
      let rows = GaussianRows(1000, dimensions: setting.d, rho: setting.rho, seed: UInt64(seed))
      return (rows.truth, try GaussianInformation.estimate(folds(rows.x, rows.y)))
    }
    return (runs[0].0, runs.map(\.1))
  }

  @Test("the estimate meets the closed form within its stated error", arguments: dependent)
  func closedForm(setting: Setting) throws {
    let (truth, results) = try estimates(setting)
    let error = mean(results.map { $0.clusteredError() })
    let average = mean(results.map(\.value))
    // Four standard errors of the mean over repetitions: a false alarm in 16,000 for random seeds. The plug-in
    // optimism alone (d²/2n = 0.13 nats for 16 dimensions) would be 8 of them.
    #expect(abs(average - truth) < 4 * error / Double(Self.repetitions).squareRoot())
    // The spread over 16 seeds is that of chi-square with 15 degrees of freedom: outside 0.55...1.6 once in 1,000.
    let ratio = deviation(results.map(\.value)) / error
    #expect(ratio > 0.55 && ratio < 1.6)
  }

  @Test("independent rows read 0 on average, positive and negative", arguments: independent)
  func independence(setting: Setting) throws {
    let (_, results) = try estimates(setting)
    let values = results.map(\.value)
    // As above; the stated error is about twice the true one here, since the two readings' errors cancel.
    let bound = 4 * deviation(values) / Double(Self.repetitions).squareRoot()
    #expect(abs(mean(values)) < bound)
    #expect(values.contains { $0 < 0 } && values.contains { $0 > 0 })
    #expect(mean(results.map { $0.clusteredError() }) > deviation(values))
  }

  @Test("the correction takes out an optimism of d²/2n, the same on both sides")
  func optimism() throws {
    // In sample a Gaussian critic reads the plug-in information of its correlations.
    let d = 16
    let plugIn = try (0..<Self.repetitions).map { seed in
      let rows = GaussianRows(1000, dimensions: d, rho: 0, seed: UInt64(seed))
      let all = Array(0..<1000)
      let fold = try PairedFold(x: rows.x, y: rows.y, train: all, test: all)
      return try GaussianCritic(fold: fold, shrinkage: .none).correlations
        .reduce(0) { $0 - 0.5 * log1p(-$1 * $1) }
    }
    let first = Double(d * d) / 2000
    // The next term of the expansion is of relative order d/n, 2 %; sampling adds 4 standard errors of 2.2 %.
    #expect(abs(mean(plugIn) / first - 1) < 0.12)
  }

  @Test("contributions average to the value, one for each held-out row")
  func contributions() throws {
    let rows = GaussianRows(203, dimensions: 3, rho: 0.6, seed: 1)
    let parts = try folds(rows.x, rows.y)
    let scores = try parts.map(GaussianInformation.heldOutScores)
    let results = [
      try GaussianInformation.estimate(parts), donskerVaradhan(scores),
    ]
    for result in results {
      #expect(result.contributions.count == 203)
      #expect(abs(mean(result.contributions) - result.value) < 1e-12)
    }
    #expect(results.map(\.kind) == [.estimate, .lowerBound])
  }

  @Test("no pairing is the same as pairing each row with itself")
  func identityPairing() throws {
    let rows = GaussianRows(200, dimensions: 2, rho: 0.6, seed: 2)
    let parts = try folds(rows.x, rows.y)
    let plain = try GaussianInformation.estimate(parts)
    let paired = try GaussianInformation.estimate(parts, pairing: Array(0..<200))
    #expect(plain.contributions == paired.contributions)
  }

  @Test("pairing x by hand or by a pairing is the same")
  func pairingIsARearrangement() throws {
    let rows = GaussianRows(200, dimensions: 2, rho: 0.6, seed: 3)
    let pairing = pairing(200, folds: 5, seed: 4)
    let paired = try GaussianInformation.estimate(folds(rows.x, rows.y), pairing: pairing)
    let byHand = try GaussianInformation.estimate(folds(rows.x.gatheringRows(pairing), rows.y))
    #expect(abs(paired.value - byHand.value) < 1e-12)
    #expect(abs(paired.value) < 0.1)
  }

  @Test("the order of rows does not matter")
  func rowOrder() throws {
    let rows = GaussianRows(200, dimensions: 3, rho: 0.6, seed: 5)
    var generator = SeededGenerator(seed: 6)
    let order = generator.permutation(200)
    var place = [Int](repeating: 0, count: 200)
    for (position, row) in order.enumerated() { place[row] = position }
    let moved = try split(200, into: 5).map { part in
      try PairedFold(
        x: rows.x.gatheringRows(order), y: rows.y.gatheringRows(order),
        train: part.train.map { place[$0] }, test: part.test.map { place[$0] })
    }
    let plain = try folds(rows.x, rows.y)
    let difference =
      try GaussianInformation.estimate(moved).value - GaussianInformation.estimate(plain).value
    #expect(abs(difference) < 1e-12)
  }

  @Test("invertible linear maps and shifts of either side change nothing")
  func affineInvariance() throws {
    let rows = GaussianRows(300, dimensions: 3, rho: 0.6, seed: 7)
    var generator = SeededGenerator(seed: 8)
    let mix = generator.normalMatrix(rows: 3, columns: 3)
    let x = rows.x.times(mix) + Matrix(rows: 300, columns: 3, repeating: 5)
    let plain = try GaussianInformation.estimate(folds(rows.x, rows.y))
    let mapped = try GaussianInformation.estimate(folds(x, 100 * rows.y))
    #expect(abs(plain.value - mapped.value) < 1e-9)
  }

  @Test("the ceiling is the capacity of parallel Gaussian channels")
  func ceiling() {
    #expect(abs(GaussianInformation.ceiling(components: 3, sigma: 1) - 1.5 * log(2)) < 1e-15)
    #expect(GaussianInformation.ceiling(components: 3, sigma: 0) == .infinity)
  }

  @Test("no pair of columns gives an infinite ratio, not even equal ones")
  func deterministic() throws {
    let rows = GaussianRows(200, dimensions: 2, rho: 0, seed: 9)
    let value = try GaussianInformation.estimate(folds(rows.x, rows.x)).value
    #expect(value.isFinite && value > 10)
  }
}

@Suite("Donsker-Varadhan bound")
struct DonskerVaradhanTests {
  private func bounds(_ d: Int, _ rho: Double, _ n: Int) throws -> (truth: Double, [Estimate]) {
    let runs = try (0..<10).map { seed in
      let rows = GaussianRows(n, dimensions: d, rho: rho, seed: UInt64(100 + seed))
      let scores = try folds(rows.x, rows.y).map(GaussianInformation.heldOutScores)
      return (rows.truth, donskerVaradhan(scores))
    }
    return (runs[0].0, runs.map(\.1))
  }

  @Test(
    "it stays below the truth within its error, and below ln n, however large the truth",
    arguments: [(1, 0.0), (1, 0.7), (4, 0.7), (16, 0.5), (16, 0.9), (16, 0.98), (4, 0.999)])
  func staysBelow(d: Int, rho: Double) throws {
    let (truth, results) = try bounds(d, rho, 600)
    // Three standard errors of the mean over 10 seeds on one side: a false alarm in 700 if it sat at the truth.
    let spread = deviation(results.map(\.value)) / 10.0.squareRoot()
    #expect(mean(results.map(\.value)) < truth + 3 * spread)
    for result in results {
      #expect(abs(result.ceiling - log(120)) < 1e-12)
      #expect(result.value <= result.ceiling)
    }
  }

  @Test("it is tight where the truth is well below ln n")
  func tight() throws {
    let (truth, results) = try bounds(1, 0.7, 1000)
    // Four standard errors of the mean over 10 seeds and 1 % for matched pairs in the reference.
    let error = mean(results.map { $0.clusteredError() }) / 10.0.squareRoot()
    #expect(abs(mean(results.map(\.value)) - truth) < 4 * error + 0.01)
  }

  @Test("hand-made scores: none tells nothing, a perfect critic reaches ln n and no more")
  func handMade() {
    let blind = donskerVaradhan([Matrix(rows: 4, columns: 4, repeating: 3)])
    #expect(abs(blind.value) < 1e-14)
    let perfect = Matrix(rows: 4, columns: 4) { $0 == $1 ? 50 : 0 }
    let bound = donskerVaradhan([perfect, perfect])
    #expect(abs(bound.value - log(4)) < 1e-14)
    #expect(bound.contributions.count == 8)
    // mean of the diagonal less ln of the mean of all: (1 + 3)/2 - ln((e + e² + e⁰ + e³)/4).
    let scores = Matrix(rows: 2, columns: 2, elements: [1, 2, 0, 3])
    let total: Double = exp(1.0) + exp(2.0) + 1 + exp(3.0)
    let expected = 2 - log(total / 4)
    #expect(abs(donskerVaradhan([scores]).value - expected) < 1e-14)
  }

  @Test("its error is that of the spread between seeds")
  func standardError() throws {
    let (_, results) = try bounds(4, 0.7, 600)
    let ratio = deviation(results.map(\.value)) / mean(results.map { $0.clusteredError() })
    // Chi-square with 9 degrees of freedom: outside once in 500.
    #expect(ratio > 0.4 && ratio < 1.8)
  }

  @Test("scores of a pair do not depend on which other rows are held out")
  func scoresArePairwise() throws {
    let rows = GaussianRows(300, dimensions: 3, rho: 0.8, seed: 1)
    let train = Array(0..<200)
    func scores(_ test: [Int]) throws -> Matrix {
      try GaussianInformation.heldOutScores(
        PairedFold(x: rows.x, y: rows.y, train: train, test: test))
    }
    let (all, some) = (try scores(Array(200..<300)), try scores([250, 210, 299]))
    for (row, i) in [50, 10, 99].enumerated() {
      for (column, j) in [50, 10, 99].enumerated() {
        #expect(abs(some[row, column] - all[i, j]) < 1e-12)
      }
    }
  }
}
