private import CKernels
internal import LinearAlgebra

/// Rough Euclidean distances by exact products of coordinates that are rounded to 15 bits.
///
/// |a - b|² = |a|² + |b|² - 2 ab is exact in integers, so that all that is wrong with a distance is how far rounding moved
/// its two points.
struct ProductDistances: RoughDistances {
  let scale: Double
  let isSquared = true
  private let inX: IntegerPoints
  private let inY: IntegerPoints
  /// How far rounding moved each row, in either side, and the row it moved most.
  private let moved: [Double]
  private let mostMoved: Double
  /// What double precision, which decides, may itself be wrong by.
  private let margin: Double
  var stride: Int { inX.stride }

  /// Nil where the processor has no such products, or the rows' sizes leave it no range.
  init?(x: NeighbourPoints, y: NeighbourPoints) {
    guard x.norm == .euclidean, ptoken_has_products() != 0 else { return nil }
    let sides = [x, y].map { ($0, centre: $0.centres) }
    // Rounding adds at most half to each coordinate.
    let longest = Double(PTOKEN_LARGEST_SQUARE).squareRoot()
    var scale = Double.infinity
    for (side, centre) in sides {
      let room = longest - Double(side.width).squareRoot() / 2
      let length = side.longest(from: centre)
      // Squares below or above would not be what they seem.
      guard room > longest / 2, length < 1e150 else { return nil }
      guard length > 1e-150 else { continue }
      scale = min(
        scale, room / length,
        (Double(PTOKEN_LARGEST_COORDINATE) - 0.5) / side.largest(from: centre))
    }
    guard scale.isFinite else { return nil }
    self.scale = scale
    inX = IntegerPoints(x, sides[0].centre, scale: scale)
    inY = IntegerPoints(y, sides[1].centre, scale: scale)
    moved = zip(inX.moved, inY.moved).map { max($0, $1) }
    mostMoved = moved.max() ?? 0
    margin = Double(max(x.width, y.width) + 8) * 0x1p-34
  }

  func error(_ i: Int, _ distance: Double) -> Double { moved[i] + mostMoved + margin }

  func measure(_ rows: [Int], x: Buffer<Float>, y: Buffer<Float>) {
    inX.distances(rows, into: x)
    inY.distances(rows, into: y)
  }
}

/// Points of a side, centred, scaled and rounded: blocks of 16, two coordinates of a point beside each other.
private struct IntegerPoints: Sendable {
  private let elements: [Int16]
  /// Squared length of each point.
  private let squares: [Int32]
  private let blocks: Int
  /// Half the columns, the last with a zero where they are odd in number.
  private let pairs: Int
  let stride: Int
  /// Distance of each point from where it was, scaled.
  let moved: [Double]

  private static let size = 16

  init(_ side: NeighbourPoints, _ centre: [Double], scale: Double) {
    blocks = (side.count + Self.size - 1) / Self.size
    stride = blocks * Self.size
    pairs = (side.width + 1) / 2
    var elements = [Int16](repeating: 0, count: stride * pairs * 2)
    var squares = [Int32](repeating: 0, count: stride)
    var moved = [Double](repeating: 0, count: side.count)
    for row in 0..<side.count {
      let first = Self.place(row, pairs)
      var error = 0.0
      for column in 0..<side.width {
        let value = (side.elements[row &* side.width &+ column] - centre[column]) * scale
        let rounded = value.rounded()
        elements[first &+ column / 2 &* 2 &* Self.size &+ column % 2] = Int16(rounded)
        squares[row] += Int32(rounded * rounded)
        error += (value - rounded) * (value - rounded)
      }
      moved[row] = error.squareRoot()
    }
    self.elements = elements
    self.squares = squares
    self.moved = moved
  }

  /// Where a point's first coordinate is.
  private static func place(_ row: Int, _ pairs: Int) -> Int {
    (row / size &* pairs &* size &+ row % size) &* 2
  }

  /// Squared distances of some rows to every point, [rows, stride].
  func distances(_ rows: [Int], into result: Buffer<Float>) {
    var points = [Int16](repeating: 0, count: rows.count * pairs * 2)
    for (number, row) in rows.enumerated() {
      let first = Self.place(row, pairs)
      for column in 0..<2 * pairs {
        points[number &* 2 &* pairs &+ column] =
          -2 * elements[first &+ column / 2 &* 2 &* Self.size &+ column % 2]
      }
    }
    ptoken_product_distances(
      elements, squares, blocks, pairs, points, rows.map { squares[$0] }, rows.count, result.start,
      stride)
  }
}
