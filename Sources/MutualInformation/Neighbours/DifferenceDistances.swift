private import CKernels
private import Foundation
internal import LinearAlgebra

/// Rough distances by differences in single precision, sixteen rows to an instruction.
struct DifferenceDistances: RoughDistances {
  let scale: Double
  let isSquared: Bool
  private let inX: PointBlocks
  private let inY: PointBlocks
  /// Largest coordinate of each row in either side, scaled: rounding is in proportion to it.
  private let largest: [Float]
  private let width: Double
  var stride: Int { inX.stride }

  init(x: NeighbourPoints, y: NeighbourPoints) {
    let sides = [x, y].map { ($0, centre: $0.centres) }
    var most = Double.leastNormalMagnitude
    for (side, centre) in sides { most = max(most, side.largest(from: centre)) }
    // A power of two, so that scaling rounds nothing; within bounds that leave it finite.
    scale = most < 1e300 ? pow(2, -Double(max(-900, most.exponent) + 1)) : 0x1p-1023
    inX = PointBlocks(x, sides[0].centre, scale: scale)
    inY = PointBlocks(y, sides[1].centre, scale: scale)
    largest = zip(inX.largest, inY.largest).map { max($0, $1) }
    isSquared = x.norm == .euclidean
    width = Double(max(x.width, y.width))
  }

  /// Rounding of two coordinates and their difference, 2^-22 of their size each, with a margin; and of sums.
  func error(_ i: Int, _ distance: Double) -> Double {
    let size = 1.01 * (Double(largest[i]) + 2 * distance)
    guard isSquared else { return 0x1p-21 * size + 1e-37 }
    return (width.squareRoot() * 0x1p-21 + (width + 4) * 0x1p-24) * size + 1e-17
  }

  func measure(_ rows: [Int], x: Buffer<Float>, y: Buffer<Float>) {
    inX.distances(rows, isSquared: isSquared, into: x)
    inY.distances(rows, isSquared: isSquared, into: y)
  }
}

/// Points of a side in single precision, in blocks of 16, centred and scaled.
private struct PointBlocks: Sendable {
  private let elements: [Float]
  private let width: Int
  private let count: Int
  /// Distances of a row: the points and those that fill the last block.
  let stride: Int
  /// Largest coordinate of each point.
  let largest: [Float]

  private static let size = Int(PTOKEN_BLOCK)

  init(_ side: NeighbourPoints, _ centre: [Double], scale: Double) {
    let blocks = (side.count + Self.size - 1) / Self.size
    width = side.width
    count = blocks
    stride = blocks * Self.size
    var elements = [Float](repeating: 0, count: stride * side.width)
    var largest = [Float](repeating: 0, count: side.count)
    for row in 0..<side.count {
      let block = row / Self.size * side.width * Self.size + row % Self.size
      for column in 0..<side.width {
        let value = Float((side.elements[row &* side.width &+ column] - centre[column]) * scale)
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
