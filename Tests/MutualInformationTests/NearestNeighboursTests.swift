import LinearAlgebra
import MutualInformation
import Testing

@Suite("NearestNeighbours")
struct NearestNeighboursTests {
  /// Algorithm 1 of Kraskov et al., word for word.
  private func naive(_ x: Matrix, _ y: Matrix, k: Int) -> [Double] {
    func distance(_ rows: Matrix, _ i: Int, _ j: Int) -> Double {
      zip(rows.row(i), rows.row(j)).map { abs($0 - $1) }.max()!
    }
    let n = x.rows
    return (0..<n).map { i in
      let others = (0..<n).filter { $0 != i }
      let radius = others.map { max(distance(x, i, $0), distance(y, i, $0)) }.sorted()[k - 1]
      let nx = others.count { distance(x, i, $0) < radius }
      let ny = others.count { distance(y, i, $0) < radius }
      return digamma(Double(k)) + digamma(Double(n)) - digamma(Double(nx + 1))
        - digamma(Double(ny + 1))
    }
  }

  @Test("each row's contribution equals that of the algorithm as published", arguments: [1, 3, 7])
  func equalsNaive(k: Int) {
    let rows = GaussianRows(150, dimensions: 2, rho: 0.8, seed: 1)
    let estimate = NearestNeighbours(x: rows.x, y: rows.y).estimate(k: k)
    for (found, expected) in zip(estimate.contributions, naive(rows.x, rows.y, k: k)) {
      #expect(abs(found - expected) < 1e-12)
    }
    #expect(estimate.contributions.count == 150)
    #expect(abs(mean(estimate.contributions) - estimate.value) < 1e-12)
    #expect(abs(estimate.ceiling - (digamma(150) - digamma(Double(k)))) < 1e-12)
  }

  @Test("a pairing moves the rows of x", arguments: [2, 4])
  func pairing(k: Int) {
    let rows = GaussianRows(120, dimensions: 2, rho: 0.9, seed: 2)
    var generator = SeededGenerator(seed: 3)
    let order = generator.permutation(120)
    let paired = NearestNeighbours(x: rows.x, y: rows.y).estimate(k: k, pairing: order)
    let expected = naive(rows.x.gatheringRows(order), rows.y, k: k)
    #expect(zip(paired.contributions, expected).allSatisfy { abs($0 - $1) < 1e-12 })
    let same = NearestNeighbours(x: rows.x, y: rows.y)
    #expect(
      same.estimate(k: k, pairing: Array(0..<120)).contributions
        == same.estimate(k: k).contributions)
  }

  @Test("bivariate Gaussians read their closed form", arguments: [0.0, 0.3, 0.6, 0.9])
  func gaussianTruth(rho: Double) {
    let runs = (0..<12).map { seed in
      let rows = GaussianRows(600, dimensions: 1, rho: rho, seed: UInt64(seed))
      return (rows.truth, NearestNeighbours(x: rows.x, y: rows.y).estimate())
    }
    let values = runs.map(\.1.value)
    // Four standard errors of the mean over seeds (a false alarm in 16,000), and 0.005 nats for the bias that the
    // paper reports at such N (its figure 4: below 0.5 % of a nat).
    let bound = 4 * deviation(values) / 12.0.squareRoot() + 0.005
    #expect(abs(mean(values) - runs[0].0) < bound)
    // Small enough to notice a wrong k or a forgotten psi(N) - psi(k), of order 0.1 and more.
    #expect(bound < 0.08)
  }

  @Test("independent rows of several dimensions read about 0")
  func independence() {
    let values = (0..<12).map { seed in
      let rows = GaussianRows(400, dimensions: 3, rho: 0, seed: UInt64(50 + seed))
      return NearestNeighbours(x: rows.x, y: rows.y).estimate().value
    }
    #expect(abs(mean(values)) < 4 * deviation(values) / 12.0.squareRoot() + 0.005)
  }

  @Test("x that equals y comes near the ceiling, and never above")
  func ceiling() {
    let rows = GaussianRows(300, dimensions: 1, rho: 0, seed: 4)
    let estimate = NearestNeighbours(x: rows.x, y: rows.x).estimate()
    #expect(estimate.value <= estimate.ceiling)
    // With n_x = n_y = k - 1 exactly: psi(k) + psi(N) - 2 psi(k).
    #expect(abs(estimate.value - estimate.ceiling) < 1e-12)
  }

  @Test("constant rows carry no information")
  func constant() {
    let same = Matrix(rows: 50, columns: 2, repeating: 3)
    #expect(abs(NearestNeighbours(x: same, y: same).estimate().value) < 1e-12)
  }

  @Test("equal rows are values of a discrete variable: independent 0, copies their entropy")
  func ties() {
    var generator = SeededGenerator(seed: 5)
    func coins() -> Matrix {
      Matrix(rows: 400, columns: 1) { _, _ in Double(generator.next() >> 63) }
    }
    let (x, y) = (coins(), coins())
    // Plug-in over 400 tosses of two coins: the error of the mean is below (1 degree of freedom) 16/(2 x 400) for all
    // but one seed in 16,000.
    #expect(abs(NearestNeighbours(x: x, y: y).estimate().value) < 0.02)
    // H of a fair coin is ln 2; its plug-in is off by a share of order 1/400 only.
    let copies = NearestNeighbours(x: x, y: x).estimate()
    #expect(abs(copies.value - 0.6931) < 0.01)
    #expect(copies.value < copies.ceiling)
  }

  @Test("ties at the k-th distance never lift a row above the ceiling")
  func lattice() {
    let x = Matrix(rows: 64, columns: 1) { row, _ in Double(row % 8) }
    let y = Matrix(rows: 64, columns: 1) { row, _ in Double(row / 8) }
    let estimate = NearestNeighbours(x: x, y: y).estimate()
    #expect(estimate.contributions.allSatisfy { $0 <= estimate.ceiling + 1e-12 })
  }
}
