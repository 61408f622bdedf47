public import LinearAlgebra

#if canImport(Darwin)
  private import Darwin
#else
  private import Glibc
#endif

/// Kraskov, Stögbauer & Grassberger's first estimator (2004, doi:10.1103/PhysRevE.69.066138), maximum norm:
/// ψ(k) + ψ(N) - mean[ψ(n_x + 1) + ψ(n_y + 1)].
///
/// Where k or more rows equal row i, all rows equal to it are counted instead, in both and in each
/// (Gao et al. 2017, arXiv 1709.06212): equal rows are then values of a discrete variable, not an infinite density.
///
/// Distances are kept, so that the same rows can be paired anew cheaply: O(N² d) once, O(N²) per pairing, 8 N² bytes.
public struct NearestNeighbours: Sendable {
  private let n: Int
  private let k: Int
  private let xDistances: [Float]
  private let yDistances: [Float]
  private let digammas: [Double]

  /// Prepares rows x [n, dx] and y [n, dy].
  ///
  /// - Parameter k: which neighbour; 1 <= k < n.
  public init(x: Matrix, y: Matrix, k: Int = 4) {
    precondition(x.rows == y.rows && k >= 1 && k < x.rows, "expected more rows than neighbours")
    n = x.rows
    self.k = k
    xDistances = Self.distances(x)
    yDistances = Self.distances(y)
    digammas = (0...x.rows).map { $0 == 0 ? .nan : digamma(Double($0)) }
  }

  private static func distances(_ rows: Matrix) -> [Float] {
    var result = [Float](repeating: 0, count: rows.rows * rows.rows)
    for i in 0..<rows.rows {
      for j in 0..<i {
        var largest = 0.0
        for column in 0..<rows.columns {
          largest = max(largest, abs(rows[i, column] - rows[j, column]))
        }
        result[i * rows.rows + j] = Float(largest)
        result[j * rows.rows + i] = Float(largest)
      }
    }
    return result
  }

  /// The estimate when row i of y goes with row `pairing[i]` of x.
  public func estimate(pairing: [Int]? = nil) -> Estimate {
    var contributions = [Double](repeating: 0, count: n)
    let ceiling = digammas[n] - digammas[k]
    let order = pairing ?? Array(0..<n)
    withUnsafeTemporaryAllocation(of: Float.self, capacity: n) { xRow in
      withUnsafeTemporaryAllocation(of: Float.self, capacity: k) { nearest in
        for i in 0..<n {
          gather(order, i, into: xRow)
          let (near, nx, ny) = counts(i, xRow, nearest)
          contributions[i] = digammas[near] + digammas[n] - digammas[nx + 1] - digammas[ny + 1]
        }
      }
    }
    return Estimate(
      value: contributions.reduce(0, +) / Double(n), kind: .estimate,
      contributions: contributions, ceiling: ceiling)
  }

  private func gather(_ order: [Int], _ i: Int, into row: UnsafeMutableBufferPointer<Float>) {
    xDistances.withUnsafeBufferPointer { distances in
      let start = order[i] &* n
      for j in 0..<n { row[j] = distances[start &+ order[j]] }
    }
  }

  /// k, and the points strictly nearer than the k-th joint neighbour in x and in y; for k or more equal rows, their
  /// number with row i itself, and the other points that equal row i in x and in y.
  private func counts(
    _ i: Int, _ xRow: UnsafeMutableBufferPointer<Float>,
    _ nearest: UnsafeMutableBufferPointer<Float>
  ) -> (near: Int, x: Int, y: Int) {
    yDistances.withUnsafeBufferPointer { distances in
      let yRow = UnsafeBufferPointer(rebasing: distances[i &* n..<(i &+ 1) &* n])
      nearest.update(repeating: .infinity)
      for j in 0..<n where j != i {
        let distance = max(xRow[j], yRow[j])
        guard distance < nearest[k &- 1] else { continue }
        var place = k &- 1
        while place > 0, nearest[place &- 1] > distance {
          nearest[place] = nearest[place &- 1]
          place &-= 1
        }
        nearest[place] = distance
      }
      let radius = nearest[k &- 1]
      // The point itself, at distance 0, is always counted.
      var (both, x, y) = (0, 0, 0)
      guard radius > 0 else {
        for j in 0..<n {
          both &+= max(xRow[j], yRow[j]) == 0 ? 1 : 0
          x &+= xRow[j] == 0 ? 1 : 0
          y &+= yRow[j] == 0 ? 1 : 0
        }
        return (both, x &- 1, y &- 1)
      }
      for j in 0..<n {
        x &+= xRow[j] < radius ? 1 : 0
        y &+= yRow[j] < radius ? 1 : 0
      }
      // Ties at the radius itself leave fewer than the k - 1 nearer ones.
      return (k, max(x &- 1, k &- 1), max(y &- 1, k &- 1))
    }
  }
}
