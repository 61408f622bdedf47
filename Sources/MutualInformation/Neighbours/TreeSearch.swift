internal import LinearAlgebra

/// Neighbours by k-d trees (Bentley 1975, doi:10.1145/361002.361007): of both sides together for the nearest rows, and of
/// each side to count in; a side of one column is sorted.
struct TreeSearch: NeighbourSearch {
  private let x: NeighbourPoints
  private let y: NeighbourPoints
  private let joint: PointTree
  private let inX: any PointCounter
  private let inY: any PointCounter

  init(x: NeighbourPoints, y: NeighbourPoints) {
    (self.x, self.y) = (x, y)
    // One after the other: work within parallel work would stay on one core.
    joint = PointTree([x, y])
    let sides = Parallel.map(2) { number -> any PointCounter in
      let side = number == 0 ? x : y
      return side.width == 1 ? SortedColumn(side) : PointTree([side])
    }
    (inX, inY) = (sides[0], sides[1])
  }

  func counts(
    _ places: Range<Int>, k: Int, algorithm: NearestNeighbours.Algorithm
  ) -> [(row: Int, count: NeighbourCount)] {
    var nearest = NearestRows(k: k)
    // In the tree's order, so that one row's leaves are in the cache for the next.
    return places.map { place in
      let row = joint.order[place]
      joint.nearest(to: row, &nearest)
      let radius = nearest.radius
      guard radius > 0 else {
        return (
          row,
          .equal(
            joint.count(around: row, radius: 0, isInclusive: true),
            inX.count(around: row, radius: 0, isInclusive: true),
            inY.count(around: row, radius: 0, isInclusive: true))
        )
      }
      switch algorithm {
      case .first:
        return (
          row,
          .distinct(
            max(k, inX.count(around: row, radius: radius, isInclusive: false)),
            max(k, inY.count(around: row, radius: radius, isInclusive: false)))
        )
      case .second:
        let (xRadius, yRadius) = nearest.rows.reduce((0.0, 0.0)) {
          (max($0.0, x.distance(row, $1)), max($0.1, y.distance(row, $1)))
        }
        return (
          row,
          .distinct(
            inX.count(around: row, radius: xRadius, isInclusive: true) - 1,
            inY.count(around: row, radius: yRadius, isInclusive: true) - 1)
        )
      }
    }
  }
}

/// Counts rows of a side within a radius.
protocol PointCounter: Sendable {
  /// Rows nearer to a row than the radius, or as near, with itself.
  func count(around row: Int, radius: Double, isInclusive: Bool) -> Int
}

/// One column in order.
struct SortedColumn: PointCounter {
  private let values: [Double]
  private let place: [Int32]
  private let isSquared: Bool

  init(_ side: NeighbourPoints) {
    let order = side.elements.ascendingOrder
    values = order.map { side.elements[Int($0)] }
    var place = [Int32](repeating: 0, count: side.count)
    for (position, row) in order.enumerated() { place[Int(row)] = Int32(position) }
    self.place = place
    isSquared = side.norm == .euclidean
  }

  func count(around row: Int, radius: Double, isInclusive: Bool) -> Int {
    let place = Int(place[row])
    return values.withUnsafeBufferPointer { values in
      let own = values[place]
      let farthest = isInclusive ? radius : radius.nextDown
      func isWithin(_ index: Int) -> Bool {
        let difference = abs(values[index] - own)
        return difference * (isSquared ? difference : 1) <= farthest
      }
      // Where the radius is 0 and not inclusive not even the row itself is within.
      guard isWithin(place) else { return 0 }
      /// Rows within on one side: doubled steps, then halves, whose branches no processor can foresee: there are none.
      func extent(_ direction: Int, _ most: Int) -> Int {
        var step = 1
        while step <= most, isWithin(place &+ direction &* step) { step &*= 2 }
        var inside = step / 2
        var left = min(step, most &+ 1) &- inside
        while left > 1 {
          let half = left / 2
          inside &+= isWithin(place &+ direction &* (inside &+ half)) ? half : 0
          left &-= half
        }
        return inside
      }
      return 1 + extent(-1, place) + extent(1, values.count - 1 - place)
    }
  }
}
