import LinearAlgebra
import Testing

@Suite("Decompositions")
struct DecompositionTests {
  // Matrices of order 20 with elements of order 1 to 20: backward errors are some 100 x 2^-53 x 20.
  private let rounding = 1e-12

  private func random(_ rows: Int, _ columns: Int, seed: UInt64) -> Matrix {
    var generator = SeededGenerator(seed: seed)
    return generator.normalMatrix(rows: rows, columns: columns)
  }

  private func diagonal(_ values: [Double]) -> Matrix {
    Matrix(rows: values.count, columns: values.count) { $0 == $1 ? values[$0] : 0 }
  }

  @Test("eigenvalues come largest first, each vector's largest element positive")
  func knownEigen() throws {
    let a = Matrix(rows: 3, columns: 3, elements: [2, 0, 0, 0, 3, 4, 0, 4, 9])
    let (values, vectors) = try a.symmetricEigen()
    let root = 5.0.squareRoot()
    let expected = Matrix(
      rows: 3, columns: 3, elements: [0, 1, 0, 1 / root, 0, 2 / root, 2 / root, 0, -1 / root])
    for (value, known) in zip(values, [11.0, 2, 1]) { #expect(abs(value - known) < rounding) }
    #expect(largestDifference(vectors, expected) < rounding)
    // The sign does not depend on what the library happens to return: the mirrored problem agrees.
    let mirrored = try (-1.0 * a).symmetricEigen()
    #expect(abs(mirrored.values[0] + 1) < rounding)
    #expect(largestDifference(mirrored.vectors.prefixColumns(1), expected.column(2)) < rounding)
  }

  @Test("eigenvectors are orthonormal and give the matrix back")
  func eigenReconstruction() throws {
    let b = random(20, 20, seed: 1)
    let a = b + b.transposed
    let (values, vectors) = try a.symmetricEigen()
    let back = vectors.times(diagonal(values)).times(vectors, transposeOther: true)
    #expect(largestDifference(back, a) < rounding * 10)
    #expect(largestDifference(vectors.gram(), .identity(20)) < rounding)
    #expect(values == values.sorted(by: >))
  }

  @Test("singular values of a known matrix")
  func knownSingularValues() throws {
    // AᵀA = [[25, 20], [20, 25]] has eigenvalues 45 and 5.
    let (_, s, _) = try Matrix(rows: 2, columns: 2, elements: [3, 0, 4, 5]).singularValues()
    #expect(abs(s[0] - 45.0.squareRoot()) < rounding && abs(s[1] - 5.0.squareRoot()) < rounding)
  }

  @Test(
    "singular vectors are orthonormal and give the matrix back, tall, wide or square",
    arguments: [[20, 7], [7, 20], [9, 9], [1, 5], [5, 1]])
  func singularReconstruction(shape: [Int]) throws {
    let a = random(shape[0], shape[1], seed: 2)
    let (u, s, vt) = try a.singularValues()
    let k = min(shape[0], shape[1])
    #expect(s.count == k && s == s.sorted(by: >))
    #expect(largestDifference(u.times(diagonal(s)).times(vt), a) < rounding)
    #expect(largestDifference(u.gram(), .identity(k)) < rounding)
    #expect(largestDifference(vt.times(vt, transposeOther: true), .identity(k)) < rounding)
  }

  @Test("the Cholesky factor of a known matrix, zeros above the diagonal")
  func knownCholesky() throws {
    let a = Matrix(rows: 3, columns: 3, elements: [4, 12, -16, 12, 37, -43, -16, -43, 98])
    let factor = Matrix(rows: 3, columns: 3, elements: [2, 0, 0, 6, 1, 0, -8, 5, 3])
    let found = try a.cholesky()
    #expect(largestDifference(found, factor) < rounding)
  }

  @Test("a Cholesky factor gives its matrix back")
  func choleskyReconstruction() throws {
    let a = random(40, 20, seed: 3).gram()
    let factor = try a.cholesky()
    #expect(largestDifference(factor.times(factor, transposeOther: true), a) < rounding * 10)
  }

  @Test("positive definite systems are solved")
  func solve() throws {
    let a = Matrix(rows: 3, columns: 3, elements: [4, 12, -16, 12, 37, -43, -16, -43, 98])
    let x = Matrix(rows: 3, columns: 2, elements: [1, -2, 3, 0.5, -1, 4])
    // The condition number is 1.6e4.
    let found = try a.solvePositiveDefinite(a.times(x))
    #expect(largestDifference(found, x) < 1e-10)
  }

  @Test(
    "matrices that are not positive definite are refused",
    arguments: [[1.0, 2, 2, 1], [0, 0, 0, 0], [-1, 0, 0, -1], [1, 0, 0, .nan]])
  func notPositiveDefinite(elements: [Double]) {
    let a = Matrix(rows: 2, columns: 2, elements: elements)
    #expect(throws: LinearAlgebraError.self) { try a.cholesky() }
    #expect(throws: LinearAlgebraError.self) { try a.solvePositiveDefinite(.identity(2)) }
  }
}

extension Matrix {
  fileprivate func column(_ index: Int) -> Matrix {
    Matrix(rows: rows, columns: 1) { row, _ in self[row, index] }
  }
}
