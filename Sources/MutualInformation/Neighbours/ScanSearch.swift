private import CKernels
internal import LinearAlgebra

/// Neighbours by distances to every row.
///
/// Rough distances select; whatever they could have put on the wrong side is measured again in double precision.
struct ScanSearch: NeighbourSearch {
  private let x: NeighbourPoints
  private let y: NeighbourPoints
  /// Exact enough for all rows but those that lie closely together, far from the others.
  private let differences: DifferenceDistances
  /// Faster.
  private let products: ProductDistances?

  /// Rows whose distances are held at a time.
  private static let group = 8
  /// Products are given up where they leave more than one distance of so many to be measured again.
  private static let fewestPerDoubt = 16

  init(x: NeighbourPoints, y: NeighbourPoints) {
    (self.x, self.y) = (x, y)
    differences = DifferenceDistances(x: x, y: y)
    products = ProductDistances(x: x, y: y)
  }

  func counts(
    _ places: Range<Int>, k: Int, algorithm: NearestNeighbours.Algorithm
  ) -> [(row: Int, count: NeighbourCount)] {
    var rough: any RoughDistances = products ?? differences
    let stride = rough.stride
    let (dx, dy) = (
      Buffer<Float>(count: Self.group * stride), Buffer<Float>(count: Self.group * stride)
    )
    var row = Row(x: x, y: y, k: k, stride: stride)
    var result: [(row: Int, count: NeighbourCount)] = []
    result.reserveCapacity(places.count)
    var first = places.lowerBound
    while first < places.upperBound {
      let rows = (first..<first + Self.group).map { min($0, places.upperBound - 1) }
      rough.measure(rows, x: dx, y: dy)
      row.doubts = 0
      for (place, i) in rows.enumerated() where first + place < places.upperBound {
        let (a, b) = (dx.start + place * stride, dy.start + place * stride)
        // The row itself is counted apart: no number is within any radius.
        (a[i], b[i]) = (.nan, .nan)
        result.append((i, row.count(i, a, b, rough, algorithm)))
      }
      if row.doubts > rows.count * x.count / Self.fewestPerDoubt { rough = differences }
      first += Self.group
    }
    return withExtendedLifetime((dx, dy)) { result }
  }

  /// One row against all others, in memory that the next row uses again.
  private struct Row {
    let x: NeighbourPoints
    let y: NeighbourPoints
    private let k: Int
    private var nearest: NearestRows
    private var selected: [Float]
    private var indices: [UInt32]
    /// Rows that are this much beyond the k-th, in what is stored, are noted while the k nearest are sought.
    private static let slack: Float = 1.03
    /// Distances that had to be measured again.
    var doubts = 0

    init(x: NeighbourPoints, y: NeighbourPoints, k: Int, stride: Int) {
      (self.x, self.y, self.k) = (x, y, k)
      nearest = NearestRows(k: k)
      selected = [Float](repeating: 0, count: k)
      indices = [UInt32](repeating: 0, count: stride)
    }

    mutating func count(
      _ i: Int, _ dx: UnsafePointer<Float>, _ dy: UnsafePointer<Float>,
      _ rough: some RoughDistances, _ algorithm: NearestNeighbours.Algorithm
    ) -> NeighbourCount {
      // Points that fill the last block are none of the rows.
      let n = x.count
      let noted = ptoken_nearest(dx, dy, n, &selected, k, Self.slack, &indices)
      let near = rough.distance(stored: selected[k - 1])
      let limit = rough.stored(near + 2 * rough.error(i, near)).nextUp
      let found =
        limit < selected[k - 1] * Self.slack
        ? keep(noted, dx, dy, limit) : Int(ptoken_within(dx, dy, n, limit, &indices))
      doubts += found
      nearest.reset()
      for place in 0..<found {
        let j = Int(indices[place])
        nearest.offer(j, max(x.distance(i, j), y.distance(i, j)))
      }
      let radius = nearest.radius
      guard radius > 0 else {
        var both = 1
        for place in 0..<found {
          let j = Int(indices[place])
          both += max(x.distance(i, j), y.distance(i, j)) == 0 ? 1 : 0
        }
        return .equal(
          both, within(i, dx, x, 0, rough, isInclusive: true),
          within(i, dy, y, 0, rough, isInclusive: true))
      }
      switch algorithm {
      case .first:
        // Ties at the radius itself leave fewer than the k - 1 nearer ones.
        return .distinct(
          max(k, within(i, dx, x, radius, rough, isInclusive: false)),
          max(k, within(i, dy, y, radius, rough, isInclusive: false)))
      case .second:
        let (xRadius, yRadius) = nearest.rows.reduce((0.0, 0.0)) {
          (max($0.0, x.distance(i, $1)), max($0.1, y.distance(i, $1)))
        }
        // Without the row itself.
        return .distinct(
          within(i, dx, x, xRadius, rough, isInclusive: true) - 1,
          within(i, dy, y, yRadius, rough, isInclusive: true) - 1)
      }
    }

    /// Keeps those of the first indices that are not beyond the limit.
    private mutating func keep(
      _ noted: Int, _ dx: UnsafePointer<Float>, _ dy: UnsafePointer<Float>, _ limit: Float
    ) -> Int {
      var kept = 0
      for place in 0..<noted {
        let j = Int(indices[place])
        guard max(dx[j], dy[j]) <= limit else { continue }
        indices[kept] = indices[place]
        kept += 1
      }
      return kept
    }

    /// Rows of a side nearer than the radius, or as near, with the row itself.
    private mutating func within(
      _ i: Int, _ distances: UnsafePointer<Float>, _ side: NeighbourPoints, _ radius: Double,
      _ rough: some RoughDistances, isInclusive: Bool
    ) -> Int {
      let scaled = (rough.isSquared ? radius.squareRoot() : radius) * rough.scale
      let error = rough.error(i, scaled)
      let low = scaled > error ? rough.stored(scaled - error).nextDown : -1
      let high = rough.stored(scaled + error).nextUp
      var listed = 0
      let sure = ptoken_count_below(distances, x.count, low, high, &indices, &listed)
      doubts += listed
      var count = Int(sure) + 1
      for place in 0..<listed {
        let distance = side.distance(i, Int(indices[place]))
        if distance < radius || (isInclusive && distance == radius) { count += 1 }
      }
      return count
    }
  }
}
