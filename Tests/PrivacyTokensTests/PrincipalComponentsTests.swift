import LinearAlgebra
import PrivacyTokens
import Testing

@Suite("PrincipalComponents")
struct PrincipalComponentsTests {
  private func random(_ rows: Int, _ columns: Int, seed: UInt64) -> Matrix {
    var generator = SeededGenerator(seed: seed)
    return generator.normalMatrix(rows: rows, columns: columns)
  }

  /// Largest difference between columns, each up to its sign.
  private func difference(_ a: Matrix, _ b: Matrix) -> Double {
    (0..<a.columns).map { column in
      let pairs = (0..<a.rows).map { (a[$0, column], b[$0, column]) }
      return min(
        pairs.map { abs($0.0 - $0.1) }.max() ?? 0, pairs.map { abs($0.0 + $0.1) }.max() ?? 0)
    }.max() ?? 0
  }

  @Test("points on a cross have its arms as directions")
  func knownDirections() throws {
    // Along (3, 4)/5 at ±5, along (-4, 3)/5 at ±1, about (10, 20).
    let rows = Matrix(
      rows: 4, columns: 2,
      elements: [13, 24, 7, 16, 10 - 0.8, 20.6, 10.8, 20 - 0.6])
    let components = try PrincipalComponents(fitting: rows, components: 2)
    #expect(zip(components.mean, [10, 20]).allSatisfy { abs($0 - $1) < 1e-12 })
    // Variances over n - 1 = 3: 50/3 and 2/3.
    #expect(zip(components.variances, [50.0 / 3, 2.0 / 3]).allSatisfy { abs($0 - $1) < 1e-12 })
    let scales = components.variances.map { $0.squareRoot() }
    let expected = Matrix(
      rows: 2, columns: 2,
      elements: [0.6 / scales[0], -0.8 / scales[1], 0.8 / scales[0], 0.6 / scales[1]])
    #expect(difference(components.projection, expected) < 1e-12)
    let tokens = components(Matrix(rows: 1, columns: 2, elements: [16, 28]))
    // (6, 8) is 10 along the long arm.
    #expect(abs(abs(tokens[0, 0]) - 10 / scales[0]) < 1e-12 && abs(tokens[0, 1]) < 1e-12)
  }

  @Test(
    "training rows have mean 0, variance 1 and no correlation, tall or wide",
    arguments: [[200, 5], [30, 100], [20, 20]])
  func standardised(shape: [Int]) throws {
    let mix = random(shape[1], shape[1], seed: 1)
    let rows =
      random(shape[0], shape[1], seed: 2).times(mix)
      + Matrix(rows: shape[0], columns: shape[1], repeating: 7)
    let components = try PrincipalComponents(fitting: rows, components: 5)
    let tokens = components(rows)
    #expect(tokens.columns == 5 && components.count == 5)
    for column in 0..<5 {
      #expect(abs((0..<tokens.rows).reduce(0) { $0 + tokens[$1, column] }) < 1e-9)
    }
    let covariance = tokens.gram(scale: Double(shape[0] - 1))
    for i in 0..<5 { for j in 0..<5 { #expect(abs(covariance[i, j] - (i == j ? 1 : 0)) < 1e-9) } }
    #expect(components.variances == components.variances.sorted(by: >))
  }

  @Test("wide and tall fits agree up to sign")
  func wideAndTall() throws {
    // The same 12 rows of 8 numbers, 8 zeros appended: wider than tall, and the same geometry.
    let tall = random(12, 8, seed: 3)
    let wide = Matrix(rows: 12, columns: 16) { $1 < 8 ? tall[$0, $1] : 0 }
    let (a, b) = (
      try PrincipalComponents(fitting: tall, components: 6),
      try PrincipalComponents(fitting: wide, components: 6)
    )
    #expect(zip(a.variances, b.variances).allSatisfy { abs($0 - $1) < 1e-12 })
    #expect(difference(a(tall), b(wide)) < 1e-10)
    let fresh = random(5, 8, seed: 4)
    let freshWide = Matrix(rows: 5, columns: 16) { $1 < 8 ? fresh[$0, $1] : 0 }
    #expect(difference(a(fresh), b(freshWide)) < 1e-10)
    #expect(abs(a.keptVariance(of: fresh) - b.keptVariance(of: freshWide)) < 1e-12)
  }

  @Test(
    "constant rows give no components, whatever the constant and however many rows",
    arguments: [0.0, 0.1, 1.0 / 3, -1e9], [2, 3, 7, 100])
  func constantRows(value: Double, count: Int) throws {
    for columns in [1, 3, 200] {
      let rows = Matrix(rows: count, columns: columns, repeating: value)
      let components = try PrincipalComponents(fitting: rows, components: 4)
      #expect(components.count == 0 && components.variances.isEmpty)
      #expect(components(rows).rows == count && components(rows).columns == 0)
      #expect(components.keptVariance(of: rows).isNaN)
    }
  }

  @Test(
    "rows that span few directions give only these, tall or wide",
    arguments: [[100, 10], [20, 50]])
  func rank(shape: [Int]) throws {
    let rows = random(shape[0], 3, seed: 5).times(random(3, shape[1], seed: 6))
    let components = try PrincipalComponents(fitting: rows, components: 8)
    #expect(components.count == 3)
    #expect(abs(components.keptVariance(of: rows) - 1) < 1e-12)
    // Two rows span one direction.
    let two = try PrincipalComponents(fitting: rows.gatheringRows([0, 1]), components: 8)
    #expect(two.count == 1)
  }

  @Test("kept variance is the share of the leading variances on training rows")
  func keptVariance() throws {
    let rows = random(50, 6, seed: 7)
    let all = try PrincipalComponents(fitting: rows, components: 6)
    let some = try PrincipalComponents(fitting: rows, components: 2)
    let share = some.variances.reduce(0, +) / all.variances.reduce(0, +)
    #expect(abs(some.keptVariance(of: rows) - share) < 1e-12)
    #expect(abs(all.keptVariance(of: random(9, 6, seed: 8)) - 1) < 1e-12)
  }
}
