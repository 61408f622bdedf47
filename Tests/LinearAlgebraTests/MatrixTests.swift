import LinearAlgebra
import Testing

@Suite("Matrix")
struct MatrixTests {
  private let a = Matrix(rows: 2, columns: 3, elements: [1, 2, 3, 4, 5, 6])

  @Test("elements lie row after row")
  func layout() {
    #expect(a[0, 2] == 3 && a[1, 0] == 4)
    #expect(Array(a.row(1)) == [4, 5, 6])
    #expect(Matrix(rows: 2, columns: 3) { Double(3 * $0 + $1 + 1) } == a)
    #expect(Matrix(rows: 1, columns: 2, repeating: 7).elements == [7, 7])
    #expect(Matrix.identity(2).elements == [1, 0, 0, 1])
  }

  @Test("rows and columns can be chosen, repeated, appended and exchanged")
  func rearranging() {
    #expect(a.gatheringRows([1, 0, 1]).elements == [4, 5, 6, 1, 2, 3, 4, 5, 6])
    #expect(a.gatheringRows([]).rows == 0)
    #expect(a.prefixColumns(2).elements == [1, 2, 4, 5])
    #expect(a.prefixColumns(0).columns == 0)
    #expect(a.transposed.elements == [1, 4, 2, 5, 3, 6])
    #expect(a.transposed.rows == 3)
  }

  @Test("sums and multiples go element by element")
  func arithmetic() {
    #expect((a + a).elements == [2, 4, 6, 8, 10, 12])
    #expect((0.5 * a).elements == [0.5, 1, 1.5, 2, 2.5, 3])
  }

  /// The product by its definition.
  private func naive(_ a: Matrix, _ b: Matrix) -> Matrix {
    Matrix(rows: a.rows, columns: b.columns) { row, column in
      (0..<a.columns).reduce(0) { $0 + a[row, $1] * b[$1, column] }
    }
  }

  @Test(
    "products equal the sums that define them, transposed or not",
    arguments: [[1, 1, 1], [2, 3, 4], [7, 5, 3], [1, 64, 9], [33, 17, 65]])
  func products(shape: [Int]) {
    var generator = SeededGenerator(seed: 11)
    let (m, k, n) = (shape[0], shape[1], shape[2])
    let left = generator.normalMatrix(rows: m, columns: k)
    let right = generator.normalMatrix(rows: k, columns: n)
    let expected = naive(left, right)
    let results = [
      left.times(right), left.transposed.times(right, transposeSelf: true),
      left.times(right.transposed, transposeOther: true),
      left.transposed.times(right.transposed, transposeSelf: true, transposeOther: true),
    ]
    for result in results {
      #expect(result.rows == m && result.columns == n)
      // At most 65 terms of order 1: rounding stays below 65² x 2^-53 = 5e-13.
      #expect(largestDifference(result, expected) < 1e-12)
    }
    // The inner length is the number of rows here.
    let gram = (1.0 / 3) * naive(left.transposed, left)
    #expect(largestDifference(left.gram(scale: 3), gram) < 1e-12)
  }

  @Test("products over nothing are zeros of the right shape")
  func emptyProducts() {
    let product = Matrix(rows: 2, columns: 0).times(Matrix(rows: 0, columns: 3))
    #expect(product == Matrix(rows: 2, columns: 3))
    #expect(Matrix(rows: 0, columns: 2).times(Matrix(rows: 2, columns: 3)).rows == 0)
  }

  @Test("the BLAS library names itself and its version")
  func version() {
    let words = BLAS.version.split(separator: " ")
    #expect(words.count == 2 && words[0] == "OpenBLAS")
    #expect(words.last?.first?.isNumber == true)
  }
}

/// Largest absolute difference of two matrices of one shape; infinite if the shapes differ.
func largestDifference(_ a: Matrix, _ b: Matrix) -> Double {
  guard a.rows == b.rows, a.columns == b.columns else { return .infinity }
  return zip(a.elements, b.elements).map { abs($0 - $1) }.max() ?? 0
}
