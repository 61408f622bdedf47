import CKernels
import Foundation
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

  /// Rows that single precision, boxes and medians have trouble with.
  private static func shapes(_ seed: UInt64) -> [(name: String, x: Matrix, y: Matrix)] {
    var generator = SeededGenerator(seed: seed)
    func normal(_ columns: Int, _ change: (Double) -> Double = { $0 }) -> Matrix {
      Matrix(rows: 333, columns: columns) { _, _ in change(generator.normal()) }
    }
    /// Tight clusters far apart: products leave their rows in doubt, all of them or some.
    func clusters(_ columns: Int, _ share: Double) -> Matrix {
      Matrix(rows: 333, columns: columns) { row, _ in
        Double(row % 3) * 100 + (Double(row) < share * 333 ? 1e-4 : 1) * generator.normal()
      }
    }
    let copies = normal(2)
    return [
      ("clusters", clusters(3, 1), clusters(8, 1)),
      ("some clusters", clusters(4, 0.2), clusters(5, 0.2)),
      (
        "one far row",
        Matrix(rows: 333, columns: 5) { row, _ in row == 7 ? 1e6 : generator.normal() },
        normal(5)
      ),
      ("very wide", normal(130), normal(2)),
      ("one column each", normal(1), normal(1)), ("unequal", normal(1), normal(6)),
      ("wide", normal(20), normal(11)),
      ("lattice", normal(2) { $0.rounded() }, normal(1) { ($0 * 2).rounded() }),
      ("labels", normal(1) { $0 < 0 ? 0 : 1 }, normal(1) { $0 < 1 ? 3 : 4 }),
      ("far from 0", normal(2) { 1e9 + 1e-3 * $0 }, normal(2) { -1e7 + $0 }),
      ("heavy tails", normal(2) { exp(8 * $0) }, normal(1) { 1 / $0 }),
      ("huge and tiny", normal(1) { 1e200 * $0 }, normal(2) { 1e-200 * $0 }),
      ("copies", copies, copies), ("below single precision", normal(1) { 1e-60 * $0 }, normal(1)),
    ]
  }

  @Test("tree, scan and the definition agree row by row, to the last bit")
  func searches() {
    for shape in Self.shapes(11) {
      for norm in NearestNeighbours.Norm.allCases {
        for algorithm in [NearestNeighbours.Algorithm.first, .second] {
          for k in [1, 4] {
            let found = [NearestNeighbours.Search.tree, .scan].map {
              NearestNeighbours(x: shape.x, y: shape.y, norm: norm, search: $0)
                .estimate(k: k, algorithm: algorithm).contributions
            }
            let expected = definition(shape.x, shape.y, k: k, norm, algorithm)
            #expect(found[0] == expected, "\(shape.name), tree, \(norm), \(algorithm), k = \(k)")
            #expect(found[1] == expected, "\(shape.name), scan, \(norm), \(algorithm), k = \(k)")
          }
        }
      }
    }
  }

  @Test(
    "products of integers are exact, in AVX2 as in AVX-512",
    .enabled(if: ptoken_has_products() != 0), arguments: [1, 2, 25], [1, 3, 16])
  func products(pairs: Int, blocks: Int) {
    var generator = SeededGenerator(seed: UInt64(pairs * 100 + blocks))
    let count = blocks * 16
    // As large as may be: pairs * 2 coordinates of the same size make the largest square.
    let most = min(
      Double(PTOKEN_LARGEST_COORDINATE),
      (Double(PTOKEN_LARGEST_SQUARE) / Double(2 * pairs)).squareRoot())
    func coordinate() -> Int {
      let size = Int(most)
      return [size, -size, Int(Double(size) * (2 * generator.uniform() - 1))].randomElement(
        using: &generator)!
    }
    let points = (0..<count).map { _ in (0..<2 * pairs).map { _ in coordinate() } }
    var elements = [Int16](repeating: 0, count: count * 2 * pairs)
    for (row, point) in points.enumerated() {
      for (column, value) in point.enumerated() {
        elements[(row / 16 * pairs + column / 2) * 32 + row % 16 * 2 + column % 2] = Int16(value)
      }
    }
    let squares = points.map { Int32($0.reduce(0) { $0 + $1 * $1 }) }
    let queries = (0..<8).map { $0 * (count - 1) / 7 }
    let own = queries.flatMap { points[$0].map { Int16(-2 * $0) } }
    for kernel in [ptoken_product_distances, ptoken_product_distances_avx2] {
      var found = [Float](repeating: -1, count: queries.count * count)
      kernel(
        elements, squares, blocks, pairs, own, queries.map { squares[$0] }, queries.count, &found,
        count)
      for (number, query) in queries.enumerated() {
        let expected = points.map { point in
          Float(zip(point, points[query]).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) })
        }
        #expect(Array(found[number * count..<(number + 1) * count]) == expected)
      }
    }
  }

  @Test("searches that are chosen by size agree where the choice changes", arguments: [1, 2, 3])
  func sizes(dimensions: Int) {
    // The last is built on every core.
    for n in [21, 150, 1600, 10_001] {
      let rows = GaussianRows(n, dimensions: dimensions, rho: 0.6, seed: UInt64(n))
      let values = [NearestNeighbours.Search.tree, .scan, nil].map {
        NearestNeighbours(x: rows.x, y: rows.y, norm: .maximum, search: $0).estimate(k: 5)
      }
      #expect(values[0].contributions == values[1].contributions)
      #expect(values[0].contributions == values[2].contributions)
    }
  }

  /// Both estimators by distances to every row, sorted.
  private func definition(
    _ x: Matrix, _ y: Matrix, k: Int, _ norm: NearestNeighbours.Norm,
    _ algorithm: NearestNeighbours.Algorithm
  ) -> [Double] {
    func distances(_ rows: Matrix, _ i: Int) -> [Double] {
      (0..<rows.rows).map { j in
        let gaps = zip(rows.row(i), rows.row(j)).map { abs($0 - $1) }
        return norm == .maximum ? gaps.max()! : gaps.reduce(0) { $0 + $1 * $1 }
      }
    }
    let n = x.rows
    return (0..<n).map { i in
      let (inX, inY) = (distances(x, i), distances(y, i))
      let joint = zip(inX, inY).map { max($0, $1) }
      let nearest = (0..<n).filter { $0 != i }.sorted { (joint[$0], $0) < (joint[$1], $1) }
        .prefix(k)
      let radius = joint[nearest.last!]
      if radius == 0 {
        return digamma(Double(joint.count { $0 == 0 })) + digamma(Double(n))
          - digamma(Double(inX.count { $0 == 0 })) - digamma(Double(inY.count { $0 == 0 }))
      }
      if algorithm == .first {
        return digamma(Double(k)) + digamma(Double(n))
          - digamma(Double(max(k, inX.count { $0 < radius })))
          - digamma(Double(max(k, inY.count { $0 < radius })))
      }
      let (a, b) = (nearest.map { inX[$0] }.max()!, nearest.map { inY[$0] }.max()!)
      return digamma(Double(k)) + (digamma(Double(n)) - 1 / Double(k))
        - digamma(Double(inX.count { $0 <= a } - 1)) - digamma(Double(inY.count { $0 <= b } - 1))
    }
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
