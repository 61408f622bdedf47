public import LinearAlgebra

/// Kraskov, Stögbauer & Grassberger's nearest-neighbour estimators (2004, doi:10.1103/PhysRevE.69.066138).
///
/// Where k or more rows equal row i, all rows equal to it are counted instead, in both and in each
/// (Gao et al. 2017, arXiv 1709.06212): equal rows are then values of a discrete variable, not an infinite density.
///
/// By a k-d tree in few dimensions, about O(N log N); else by a scan of all pairs, O(N² d) and O(N) memory. Both decide in
/// double precision and give the same neighbours. Every core takes part.
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

  /// How neighbours are found.
  package enum Search: Sendable {
    case tree, scan
  }

  private let x: NeighbourPoints
  private let y: NeighbourPoints
  private let search: Search

  /// Prepares rows x [n, dx] and y [n, dy].
  public init(x: Matrix, y: Matrix, norm: Norm = .maximum) {
    self.init(x: x, y: y, norm: norm, search: nil)
  }

  /// Prepares rows for one way to search; nil: the faster for so many rows and columns.
  package init(x: Matrix, y: Matrix, norm: Norm, search: Search?) {
    precondition(x.rows == y.rows, "x and y differ in rows")
    self.x = NeighbourPoints(x, norm: norm)
    self.y = NeighbourPoints(y, norm: norm)
    self.search = search ?? Self.faster(rows: x.rows, columns: x.columns + y.columns, norm)
  }

  /// A tree pays where few of its leaves are near a row: the more dimensions, the more rows that takes
  /// (docs/performance.md).
  private static func faster(rows: Int, columns: Int, _ norm: Norm) -> Search {
    let isMaximum = norm == .maximum
    let fewest =
      switch columns {
      case ...2: 50
      case ...4: isMaximum ? 6000 : 8000
      case ...6: isMaximum ? 14_000 : 32_000
      case ...8: isMaximum ? 32_000 : 150_000
      case ...10: isMaximum ? 120_000 : 1_000_000
      default: Int.max
      }
    return rows >= fewest ? .tree : .scan
  }

  /// Rows that one thread takes at a time.
  private static let chunk = 512

  /// The digamma function of 0, for which there is none, to `last`.
  private static func digammas(upTo last: Int) -> [Double] {
    Parallel.map(last / chunk + 1) { number in
      (number * chunk..<min(last + 1, (number + 1) * chunk)).map {
        $0 == 0 ? .nan : digamma(Double($0))
      }
    }.flatMap { $0 }
  }

  /// The estimate when row i of y goes with row `pairing[i]` of x.
  ///
  /// - Parameter k: which neighbour; 1 <= k < n.
  public func estimate(
    k: Int = 4, algorithm: Algorithm = .first, pairing: [Int]? = nil
  ) -> Estimate {
    let n = x.count
    precondition(k >= 1 && k < n, "expected more rows than neighbours")
    let digammas = Self.digammas(upTo: n)
    let x = pairing.map { self.x.reordered($0) } ?? self.x
    let search: any NeighbourSearch =
      self.search == .tree ? TreeSearch(x: x, y: y) : ScanSearch(x: x, y: y)
    let base = digammas[n] - (algorithm == .second ? 1 / Double(k) : 0)
    let chunks = (n + Self.chunk - 1) / Self.chunk
    let counts = Parallel.map(chunks) { chunk in
      search.counts(
        chunk * Self.chunk..<min(n, (chunk + 1) * Self.chunk), k: k, algorithm: algorithm)
    }
    var contributions = [Double](repeating: 0, count: n)
    for chunk in counts {
      for (row, count) in chunk {
        switch count {
        case .distinct(let inX, let inY):
          contributions[row] = digammas[k] + base - digammas[inX] - digammas[inY]
        case .equal(let both, let inX, let inY):
          contributions[row] = digammas[both] + digammas[n] - digammas[inX] - digammas[inY]
        }
      }
    }
    return Estimate(
      value: contributions.mean, kind: .estimate, contributions: contributions,
      ceiling: base - digammas[k])
  }
}
