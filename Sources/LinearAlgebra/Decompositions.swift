private import CBLAS

/// A LAPACK routine that could not finish.
public struct LinearAlgebraError: Error, CustomStringConvertible {
  /// What failed and why, in one line.
  public let description: String

  package init(description: String) { self.description = description }
}

extension Matrix {
  /// Eigenvalues, largest first, and their eigenvectors as columns, of a symmetric matrix (dsyevd); O(n³).
  ///
  /// The sign of each vector is fixed: its element of largest magnitude is positive.
  public func symmetricEigen() throws -> (values: [Double], vectors: Matrix) {
    precondition(rows == columns, "expected a square matrix")
    var a = elements
    var values = [Double](repeating: 0, count: rows)
    let n = BLAS.length(rows)
    let info = LAPACKE_dsyevd(LAPACK_ROW_MAJOR, 86 /* V */, 85 /* U */, n, &a, n, &values)
    guard info == 0 else {
      throw LinearAlgebraError(description: "dsyevd did not converge (info \(info))")
    }
    let order = values.indices.reversed()
    var vectors = Matrix(rows: rows, columns: rows)
    for (target, source) in order.enumerated() {
      var largest = 0.0
      for row in 0..<rows where abs(a[row * rows + source]) > abs(largest) {
        largest = a[row * rows + source]
      }
      let sign = largest < 0 ? -1.0 : 1.0
      for row in 0..<rows { vectors[row, target] = sign * a[row * rows + source] }
    }
    return (order.map { values[$0] }, vectors)
  }

  /// Thin singular value decomposition `u diag(s) vt` (dgesdd), singular values largest first; O(m n min(m, n)).
  public func singularValues() throws -> (u: Matrix, s: [Double], vt: Matrix) {
    let k = min(rows, columns)
    var a = elements
    var s = [Double](repeating: 0, count: k)
    var u = Matrix(rows: rows, columns: k)
    var vt = Matrix(rows: k, columns: columns)
    guard k > 0 else { return (u, s, vt) }
    let info = LAPACKE_dgesdd(
      LAPACK_ROW_MAJOR, 83 /* S */, BLAS.length(rows), BLAS.length(columns), &a,
      BLAS.length(columns), &s, &u.elements, BLAS.length(k), &vt.elements, BLAS.length(columns))
    guard info == 0 else {
      throw LinearAlgebraError(description: "dgesdd did not converge (info \(info))")
    }
    return (u, s, vt)
  }

  /// Lower Cholesky factor L with L Lᵀ = self (dpotrf); O(n³/3).
  ///
  /// - Throws: `LinearAlgebraError` if the matrix is not positive definite.
  public func cholesky() throws -> Matrix {
    precondition(rows == columns, "expected a square matrix")
    var factor = self
    let n = BLAS.length(rows)
    let info = LAPACKE_dpotrf(LAPACK_ROW_MAJOR, 76 /* L */, n, &factor.elements, n)
    guard info == 0 else {
      throw LinearAlgebraError(description: "the matrix is not positive definite (order \(info))")
    }
    for row in 0..<rows {
      for column in (row + 1)..<max(columns, row + 1) { factor[row, column] = 0 }
    }
    return factor
  }

  /// Solves `self x = right` for a symmetric positive definite matrix (dposv); O(n³/3 + n² columns).
  ///
  /// - Throws: `LinearAlgebraError` if the matrix is not positive definite.
  public func solvePositiveDefinite(_ right: Matrix) throws -> Matrix {
    precondition(rows == columns && rows == right.rows, "shapes do not fit")
    var a = elements
    var solution = right
    let info = LAPACKE_dposv(
      LAPACK_ROW_MAJOR, 76, BLAS.length(rows), BLAS.length(right.columns), &a, BLAS.length(rows),
      &solution.elements, BLAS.length(right.columns))
    guard info == 0 else {
      throw LinearAlgebraError(description: "the matrix is not positive definite (order \(info))")
    }
    return solution
  }
}

extension Matrix {
  /// Rows w with `self w = z` for each row z of `right`, by forward substitution with this lower triangular matrix
  /// (dtrsm); O(rows columns²).
  public func forwardSubstituting(rows right: Matrix) -> Matrix {
    precondition(rows == columns && right.columns == columns, "shapes do not fit")
    var result = right
    guard right.rows > 0, columns > 0 else { return result }
    cblas_dtrsm(
      CblasRowMajor, CblasRight, CblasLower, CblasTrans, CblasNonUnit, BLAS.length(right.rows),
      BLAS.length(columns), 1, elements, BLAS.length(columns), &result.elements,
      BLAS.length(columns))
    return result
  }
}

extension Matrix {
  /// Columns of a covariance whose variance the columns before them do not explain, but for a share of `tolerance`: those
  /// that a Cholesky factor can be made of; O(columns³).
  public func independentColumns(tolerance: Double) -> [Int] {
    precondition(rows == columns, "expected a square matrix")
    var kept: [Int] = []
    var factor: [[Double]] = []
    for column in 0..<columns {
      var row: [Double] = []
      for (place, other) in kept.enumerated() {
        var value = self[column, other]
        for k in 0..<place { value -= row[k] * factor[place][k] }
        row.append(value / factor[place][place])
      }
      let left = row.reduce(self[column, column]) { $0 - $1 * $1 }
      guard left > tolerance * self[column, column] else { continue }
      kept.append(column)
      factor.append(row + [left.squareRoot()])
    }
    return kept
  }
}
