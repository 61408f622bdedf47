public import LinearAlgebra

#if canImport(Darwin)
  private import Darwin
#else
  private import Glibc
#endif

/// Kraskov, Stögbauer & Grassberger's nearest-neighbour estimators (2004, doi:10.1103/PhysRevE.69.066138).
///
/// Where k or more rows equal row i, all rows equal to it are counted instead, in both and in each
/// (Gao et al. 2017, arXiv 1709.06212): equal rows are then values of a discrete variable, not an infinite density.
///
/// O(N² d) for each estimate, O(N) memory.
public struct NearestNeighbours: Sendable {
  /// How the distance within x, and within y, is taken; the joint distance is the larger of the two.
  public enum Norm: String, Sendable, CaseIterable {
    /// Largest difference of a coordinate, as in the paper.
    case maximum
    /// Euclidean within each block: does not depend on the block's axes.
    case euclidean
  }

  /// Which of the paper's two estimators.
  public enum Algorithm: Sendable {
    /// ψ(k) + ψ(N) - mean[ψ(n_x + 1) + ψ(n_y + 1)], rows strictly nearer than the k-th neighbour (eq. 8).
    case first
    /// ψ(k) - 1/k + ψ(N) - mean[ψ(n_x) + ψ(n_y)], rows within the k neighbours' own extent in each (eq. 9).
    case second
  }

  private let n: Int
  private let norm: Norm
  /// Columns, one after another.
  private let x: [Double]
  private let y: [Double]
  private let xWidth: Int
  private let yWidth: Int

  /// Prepares rows x [n, dx] and y [n, dy].
  public init(x: Matrix, y: Matrix, norm: Norm = .maximum) {
    precondition(x.rows == y.rows, "x and y differ in rows")
    n = x.rows
    self.norm = norm
    self.x = x.transposed.elements
    self.y = y.transposed.elements
    (xWidth, yWidth) = (x.columns, y.columns)
  }

  /// The estimate when row i of y goes with row `pairing[i]` of x.
  ///
  /// - Parameter k: which neighbour; 1 <= k < n.
  public func estimate(
    k: Int = 4, algorithm: Algorithm = .first, pairing: [Int]? = nil
  ) -> Estimate {
    precondition(k >= 1 && k < n, "expected more rows than neighbours")
    let digammas = (0...n).map { $0 == 0 ? .nan : digamma(Double($0)) }
    let x =
      pairing.map { order in
        (0..<xWidth).flatMap { column in order.map { self.x[column * n + $0] } }
      } ?? self.x
    let base = digammas[n] - (algorithm == .second ? 1 / Double(k) : 0)
    let contributions = [Double](unsafeUninitializedCapacity: n) { target, count in
      let scan = Scan(n: n, k: k, norm: norm)
      for i in 0..<n {
        scan.measure(i, x, xWidth, y, yWidth)
        switch scan.counts(algorithm) {
        case .distinct(let inX, let inY):
          target[i] = digammas[k] + base - digammas[inX] - digammas[inY]
        case .equal(let both, let inX, let inY):
          target[i] = digammas[both] + digammas[n] - digammas[inX] - digammas[inY]
        }
      }
      count = n
    }
    return Estimate(
      value: contributions.reduce(0, +) / Double(n), kind: .estimate,
      contributions: contributions, ceiling: digammas[n] - digammas[k])
  }

  /// Distances of row i to every row, squared where Euclidean.
  static func distances(
    _ i: Int, _ columns: [Double], n: Int, width: Int, norm: Norm,
    _ result: UnsafeMutablePointer<Double>
  ) {
    columns.withUnsafeBufferPointer { columns in
      result.update(repeating: 0, count: n)
      for column in 0..<width {
        let values = columns.baseAddress! + column &* n
        let own = values[i]
        switch norm {
        case .maximum: for j in 0..<n { result[j] = max(result[j], abs(values[j] - own)) }
        case .euclidean:
          for j in 0..<n { result[j] += (values[j] - own) * (values[j] - own) }
        }
      }
    }
  }

  /// One row against all others, in memory that the next row uses again.
  private final class Scan {
    private let n: Int
    private let k: Int
    private let norm: Norm
    private let inX: Buffer<Double>
    private let inY: Buffer<Double>
    /// Distances of the k nearest, ascending, and which rows they are.
    private let nearest: Buffer<Double>
    private var rows: [Int]

    enum Counts {
      /// Rows within the radius in x and in y, as the formula counts them.
      case distinct(Int, Int)
      /// Rows equal to this one in both, in x and in y, with itself.
      case equal(Int, Int, Int)
    }

    init(n: Int, k: Int, norm: Norm) {
      (self.n, self.k, self.norm) = (n, k, norm)
      inX = Buffer(count: n)
      inY = Buffer(count: n)
      nearest = Buffer(count: k)
      rows = [Int](repeating: 0, count: k)
    }

    /// Finds the k nearest rows to row i.
    func measure(_ i: Int, _ x: [Double], _ xWidth: Int, _ y: [Double], _ yWidth: Int) {
      NearestNeighbours.distances(i, x, n: n, width: xWidth, norm: norm, inX.start)
      NearestNeighbours.distances(i, y, n: n, width: yWidth, norm: norm, inY.start)
      nearest.fill(.infinity)
      let (dx, dy, near) = (inX.start, inY.start, nearest.start)
      var bound = Double.infinity
      for j in 0..<n {
        let distance = max(dx[j], dy[j])
        guard distance < bound, j != i else { continue }
        var place = k &- 1
        while place > 0, near[place &- 1] > distance {
          near[place] = near[place &- 1]
          rows[place] = rows[place &- 1]
          place &-= 1
        }
        near[place] = distance
        rows[place] = j
        bound = near[k &- 1]
      }
    }

    func counts(_ algorithm: Algorithm) -> Counts {
      let radius = nearest[k &- 1]
      let (dx, dy) = (inX.start, inY.start)
      // The row itself, at distance 0, is always counted: n_x + 1 of the paper.
      var (both, x, y) = (0, 0, 0)
      guard radius > 0 else {
        for j in 0..<n {
          both &+= max(dx[j], dy[j]) == 0 ? 1 : 0
          x &+= dx[j] == 0 ? 1 : 0
          y &+= dy[j] == 0 ? 1 : 0
        }
        return .equal(both, x, y)
      }
      switch algorithm {
      case .first:
        for j in 0..<n {
          x &+= dx[j] < radius ? 1 : 0
          y &+= dy[j] < radius ? 1 : 0
        }
        // Ties at the radius itself leave fewer than the k - 1 nearer ones.
        return .distinct(max(x, k), max(y, k))
      case .second:
        var (xRadius, yRadius) = (0.0, 0.0)
        for row in rows {
          xRadius = max(xRadius, dx[row])
          yRadius = max(yRadius, dy[row])
        }
        for j in 0..<n {
          x &+= dx[j] <= xRadius ? 1 : 0
          y &+= dy[j] <= yRadius ? 1 : 0
        }
        // Without the row itself.
        return .distinct(x &- 1, y &- 1)
      }
    }
  }
}
