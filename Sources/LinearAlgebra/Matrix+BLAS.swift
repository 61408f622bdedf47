private import CBLAS

extension Matrix {
  /// The product `op(self) op(other)`, by dgemm; O(rows * inner * columns).
  ///
  /// - Parameters:
  ///   - transposeSelf: use the transpose of this matrix.
  ///   - transposeOther: use the transpose of the other matrix.
  public func times(
    _ other: Matrix, transposeSelf: Bool = false, transposeOther: Bool = false
  ) -> Matrix {
    let (m, k) = transposeSelf ? (columns, rows) : (rows, columns)
    let (k2, n) = transposeOther ? (other.columns, other.rows) : (other.rows, other.columns)
    precondition(k == k2, "inner lengths differ: \(k) and \(k2)")
    var result = Matrix(rows: m, columns: n)
    guard m > 0, n > 0, k > 0 else { return result }
    cblas_dgemm(
      CblasRowMajor, transposeSelf ? CblasTrans : CblasNoTrans,
      transposeOther ? CblasTrans : CblasNoTrans, BLAS.length(m), BLAS.length(n), BLAS.length(k), 1,
      elements, BLAS.length(columns), other.elements, BLAS.length(other.columns), 0,
      &result.elements, BLAS.length(n))
    return result
  }

  /// `selfᵀ self / scale`, [columns, columns]; O(rows * columns²).
  public func gram(scale: Double = 1) -> Matrix {
    (1 / scale) * times(self, transposeSelf: true)
  }
}

/// Settings of the BLAS library.
public enum BLAS {
  static func length(_ value: Int) -> Int32 { Int32(value) }

  /// Bounds the threads that one BLAS call uses.
  ///
  /// ptoken runs independent tasks side by side, so one BLAS thread each keeps every core busy without
  /// oversubscription, and makes sums independent of the number of cores.
  public static func useOneThread() { openblas_set_num_threads(1) }

  /// Name and version of the library, such as `OpenBLAS 0.3.21`.
  public static var version: String {
    let words = String(cString: openblas_get_config()).split(separator: " ")
    return words.prefix(2).joined(separator: " ")
  }
}
