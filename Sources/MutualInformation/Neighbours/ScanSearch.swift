private import CKernels
internal import LinearAlgebra

#if canImport(Darwin)
  private import Darwin
#else
  private import Glibc
#endif

/// Neighbours by distances to every row.
///
/// Single precision, sixteen rows to an instruction, selects; whatever its rounding could have put on the wrong side is
/// measured again in double precision.
struct ScanSearch: NeighbourSearch {
  private let x: NeighbourPoints
  private let y: NeighbourPoints
  private let inX: PointBlocks
  private let inY: PointBlocks
  /// Largest coordinate of each row in either side, scaled: rounding is in proportion to it.
  private let largest: [Float]
  private let scale: Double
  private var isSquared: Bool { x.norm == .euclidean }

  /// Rows whose distances are held at a time.
  private static let group = 8

  init(x: NeighbourPoints, y: NeighbourPoints) {
    (self.x, self.y) = (x, y)
    let means = [Self.means(x), Self.means(y)]
    var most = Double.leastNormalMagnitude
    for (side, means) in [(x, means[0]), (y, means[1])] {
      for row in 0..<side.count {
        for column in 0..<side.width {
          most = max(most, abs(side.elements[row &* side.width &+ column] - means[column]))
        }
      }
    }
    // A power of two, so that scaling rounds nothing; within bounds that leave it finite.
    scale = most < 1e300 ? pow(2, -Double(max(-900, most.exponent) + 1)) : 0x1p-1023
    inX = PointBlocks(x, means[0], scale: scale)
    inY = PointBlocks(y, means[1], scale: scale)
    largest = zip(inX.largest, inY.largest).map { max($0, $1) }
  }

  private static func means(_ side: NeighbourPoints) -> [Double] {
    var sums = [Double](repeating: 0, count: side.width)
    for row in 0..<side.count {
      for column in 0..<side.width { sums[column] += side.elements[row &* side.width &+ column] }
    }
    return sums.map { $0 / Double(side.count) }
  }

  /// What single precision may have misjudged a distance near `distance` of row i by, scaled: rounding of two coordinates
  /// and their difference, 2^-22 of their size each, with a margin; and of sums.
  private func error(_ i: Int, _ distance: Double) -> Double {
    let size = 1.01 * (Double(largest[i]) + 2 * distance)
    guard isSquared else { return 0x1p-21 * size + 1e-37 }
    let width = Double(max(x.width, y.width))
    return (width.squareRoot() * 0x1p-21 + (width + 4) * 0x1p-24) * size + 1e-17
  }

  func counts(
    _ places: Range<Int>, k: Int, algorithm: NearestNeighbours.Algorithm
  ) -> [(row: Int, count: NeighbourCount)] {
    let stride = inX.stride
    let (dx, dy) = (
      Buffer<Float>(count: Self.group * stride), Buffer<Float>(count: Self.group * stride)
    )
    var row = Row(search: self, k: k)
    var result: [(row: Int, count: NeighbourCount)] = []
    result.reserveCapacity(places.count)
    var first = places.lowerBound
    while first < places.upperBound {
      let rows = (first..<first + Self.group).map { min($0, places.upperBound - 1) }
      inX.distances(rows, isSquared: isSquared, into: dx)
      inY.distances(rows, isSquared: isSquared, into: dy)
      for (place, i) in rows.enumerated() where first + place < places.upperBound {
        let (a, b) = (dx.start + place * stride, dy.start + place * stride)
        // The row itself is counted apart: no number is within any radius.
        (a[i], b[i]) = (.nan, .nan)
        result.append((i, row.count(i, a, b, algorithm)))
      }
      first += Self.group
    }
    return withExtendedLifetime((dx, dy)) { result }
  }

  /// One row against all others, in memory that the next row uses again.
  private struct Row {
    let search: ScanSearch
    private let k: Int
    private var nearest: NearestRows
    private var selected: [Float]
    private var indices: [UInt32]

    init(search: ScanSearch, k: Int) {
      (self.search, self.k) = (search, k)
      nearest = NearestRows(k: k)
      selected = [Float](repeating: 0, count: k)
      indices = [UInt32](repeating: 0, count: search.inX.stride)
    }

    /// A scaled distance as single precision holds it.
    private func stored(_ distance: Double) -> Float {
      Float(search.isSquared ? distance * distance : distance)
    }

    mutating func count(
      _ i: Int, _ dx: UnsafePointer<Float>, _ dy: UnsafePointer<Float>,
      _ algorithm: NearestNeighbours.Algorithm
    ) -> NeighbourCount {
      // Points that fill the last block are none of the rows.
      let n = search.x.count
      ptoken_nearest(dx, dy, n, &selected, k)
      let near = Double(selected[k - 1])
      let estimate = search.isSquared ? near.squareRoot() : near
      let limit = stored(estimate + 2 * search.error(i, estimate)).nextUp
      let found = ptoken_within(dx, dy, n, limit, &indices)
      nearest.reset()
      for place in 0..<found {
        let j = Int(indices[place])
        nearest.offer(j, max(search.x.distance(i, j), search.y.distance(i, j)))
      }
      let radius = nearest.radius
      guard radius > 0 else {
        var both = 1
        for place in 0..<found {
          let j = Int(indices[place])
          both += max(search.x.distance(i, j), search.y.distance(i, j)) == 0 ? 1 : 0
        }
        return .equal(
          both, within(i, dx, search.x, 0, isInclusive: true),
          within(i, dy, search.y, 0, isInclusive: true))
      }
      switch algorithm {
      case .first:
        // Ties at the radius itself leave fewer than the k - 1 nearer ones.
        return .distinct(
          max(k, within(i, dx, search.x, radius, isInclusive: false)),
          max(k, within(i, dy, search.y, radius, isInclusive: false)))
      case .second:
        let (xRadius, yRadius) = nearest.rows.reduce((0.0, 0.0)) {
          (max($0.0, search.x.distance(i, $1)), max($0.1, search.y.distance(i, $1)))
        }
        // Without the row itself.
        return .distinct(
          within(i, dx, search.x, xRadius, isInclusive: true) - 1,
          within(i, dy, search.y, yRadius, isInclusive: true) - 1)
      }
    }

    /// Rows of a side nearer than the radius, or as near, with the row itself.
    private mutating func within(
      _ i: Int, _ distances: UnsafePointer<Float>, _ side: NeighbourPoints, _ radius: Double,
      isInclusive: Bool
    ) -> Int {
      let scaled = (search.isSquared ? radius.squareRoot() : radius) * search.scale
      let error = search.error(i, scaled)
      let low = scaled > error ? stored(scaled - error).nextDown : -1
      let high = stored(scaled + error).nextUp
      var listed = 0
      let sure = ptoken_count_below(
        distances, search.x.count, low, high, &indices, &listed)
      var count = Int(sure) + 1
      for place in 0..<listed {
        let distance = side.distance(i, Int(indices[place]))
        if distance < radius || (isInclusive && distance == radius) { count += 1 }
      }
      return count
    }
  }
}

/// Points of a side in single precision, in blocks of 16, centred and scaled.
struct PointBlocks: Sendable {
  private let elements: [Float]
  private let width: Int
  private let count: Int
  /// Distances of a row: the points and those that fill the last block.
  let stride: Int
  /// Largest coordinate of each point.
  let largest: [Float]

  private static let size = Int(PTOKEN_BLOCK)

  init(_ side: NeighbourPoints, _ means: [Double], scale: Double) {
    let blocks = (side.count + Self.size - 1) / Self.size
    width = side.width
    count = blocks
    stride = blocks * Self.size
    var elements = [Float](repeating: 0, count: stride * side.width)
    var largest = [Float](repeating: 0, count: side.count)
    for row in 0..<side.count {
      let block = row / Self.size * side.width * Self.size + row % Self.size
      for column in 0..<side.width {
        let value = Float((side.elements[row &* side.width &+ column] - means[column]) * scale)
        elements[block &+ column &* Self.size] = value
        largest[row] = max(largest[row], abs(value))
      }
    }
    self.elements = elements
    self.largest = largest
  }

  /// Distances of some rows to every point, [rows, stride].
  func distances(_ rows: [Int], isSquared: Bool, into result: Buffer<Float>) {
    var points = [Float](repeating: 0, count: rows.count * width)
    for (place, row) in rows.enumerated() {
      let block = row / Self.size * width * Self.size + row % Self.size
      for column in 0..<width {
        points[place &* width &+ column] = elements[block &+ column &* Self.size]
      }
    }
    (isSquared ? ptoken_squared_distances : ptoken_maximum_distances)(
      elements, count, width, points, rows.count, result.start, stride)
  }
}
