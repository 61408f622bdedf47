private import Foundation
public import LinearAlgebra

/// Privacy tokens of gradients by principal components, fitted on training rows.
///
/// Norms of gradients spread over orders of magnitude once a network fits most of its data; in raw form a few large
/// rows then set the scale and all others look alike. The direction form therefore encodes each row's direction
/// g / |g| by principal components, and ln |g| as one more component: a function of the row alone, so data
/// processing holds, and invertible up to the components left out.
public struct GradientEncoder: Sendable {
  /// How a gradient enters its token.
  public enum Form: String, Sendable, CaseIterable {
    /// Direction, and the logarithm of the norm as one component.
    case direction
    /// The gradient as it is: for rows of one scale, such as known answers.
    case raw
  }

  private let form: Form
  private let principal: PrincipalComponents
  /// Mean and standard deviation of ln |g| on training rows; nil where it does not vary or has no place.
  private let norm: (mean: Double, deviation: Double)?

  /// Standard deviations that the norm's component is limited to: a row without gradient must not outweigh all others.
  private static let largest = 4.0

  /// Components of a token.
  public var count: Int { principal.count + (norm == nil ? 0 : 1) }

  /// Fits on rows [n, width].
  ///
  /// - Parameter components: most components of a token, the norm's included.
  /// - Throws: `LinearAlgebraError` if the eigenvalues do not converge.
  public init(fitting rows: Matrix, components: Int, form: Form) throws {
    self.form = form
    guard form == .direction else {
      principal = try PrincipalComponents(fitting: rows, components: components)
      norm = nil
      return
    }
    let logs = Self.logNorms(rows)
    let mean = logs.reduce(0, +) / Double(logs.count)
    let variance = logs.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(logs.count)
    // Clipped gradients have one norm, up to the rounding of float32.
    let varies = variance.squareRoot() > 1e-5
    principal = try PrincipalComponents(
      fitting: Self.directions(rows),
      components: varies ? max(1, components - 1) : components)
    // Where there is one component only, it is the direction's, if directions vary.
    let hasPlace = components > 1 || principal.count == 0
    norm = varies && hasPlace ? (mean, variance.squareRoot()) : nil
  }

  /// Tokens [n, count] of rows [n, width]; mean 0 and variance 1 per component on the training rows.
  public func callAsFunction(_ rows: Matrix) -> Matrix {
    let tokens = principal(form == .raw ? rows : Self.directions(rows))
    guard let norm else { return tokens }
    let logs = Self.logNorms(rows)
    return Matrix(rows: rows.rows, columns: count) { row, column in
      guard column == principal.count else { return tokens[row, column] }
      return min(max((logs[row] - norm.mean) / norm.deviation, -Self.largest), Self.largest)
    }
  }

  /// Share of the encoded rows' variance (of directions, or of gradients in raw form) that the components keep.
  public func keptVariance(of rows: Matrix) -> Double {
    principal.keptVariance(of: form == .raw ? rows : Self.directions(rows))
  }

  private static func norms(_ rows: Matrix) -> [Double] {
    (0..<rows.rows).map { rows.row($0).reduce(0) { $0 + $1 * $1 }.squareRoot() }
  }

  private static func directions(_ rows: Matrix) -> Matrix {
    let norms = norms(rows)
    return Matrix(rows: rows.rows, columns: rows.columns) { row, column in
      norms[row] > 0 ? rows[row, column] / norms[row] : 0
    }
  }

  /// ln |g|; rows without gradient get the smallest norm that float32 can tell from 0.
  private static func logNorms(_ rows: Matrix) -> [Double] {
    norms(rows).map { log(max($0, Double(Float.leastNormalMagnitude))) }
  }
}
