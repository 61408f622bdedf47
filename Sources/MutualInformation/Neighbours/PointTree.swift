private import CKernels
internal import LinearAlgebra

/// A k-d tree over one side or both: the joint distance is the larger of the sides'.
///
/// Every node halves its points at the median of the column in which they spread most, so that a node's points follow from
/// its number. Boxes are tight. Distances to boxes are rounded as those to points are, and rounding keeps order: what is
/// pruned is beyond doubt.
///
/// Unchecked because buffers are classes: they are written in `init` alone and only read from then on.
final class PointTree: PointCounter, @unchecked Sendable {
  /// Row at each place of the tree's order.
  let order: [Int]
  private let place: [Int32]
  /// [width, count] in the tree's order.
  private let columns: Buffer<Double>
  /// Least and largest of each column, [nodes, 2, width]; node 1 is the root, 2 m and 2 m + 1 the children of m.
  private let boxes: Buffer<Double>
  private let widths: [Int]
  private let width: Int
  private let count: Int
  private let levels: Int
  private let isSquared: Bool

  /// Most points of a leaf: more where boxes cost more to look at, and tell less.
  private static func leaf(_ width: Int) -> Int { width <= 3 ? 32 : Int(PTOKEN_LEAF) }
  private let leaf: Int

  init(_ sides: [NeighbourPoints]) {
    count = sides[0].count
    widths = sides.map(\.width)
    width = widths.reduce(0, +)
    isSquared = sides[0].norm == .euclidean
    var levels = 0
    leaf = Self.leaf(width)
    while (count - 1) >> levels >= leaf { levels += 1 }
    self.levels = levels
    boxes = Buffer(count: (2 << levels) * 2 * width)
    let source = sides.flatMap { side in
      (0..<side.width).flatMap { column in
        (0..<side.count).map { side.elements[$0 &* side.width &+ column] }
      }
    }
    let order = Self.halved(source, count: count, width: width, levels: levels, boxes)
    self.order = order
    var place = [Int32](repeating: 0, count: count)
    for (position, row) in order.enumerated() { place[row] = Int32(position) }
    self.place = place
    let (count, width) = (count, width)
    columns = Buffer(
      (0..<width).flatMap { column in order.map { source[column * count + $0] } })
  }

  /// Nodes that are halved side by side, below the top of the tree.
  private static let parallelLevel = 3
  /// Points below which that costs more than it saves.
  private static let fewestParallel = 10_000

  /// Halves all points, level by level, and writes each node's box.
  ///
  /// - Returns: the rows in the tree's order.
  private static func halved(
    _ source: [Double], count: Int, width: Int, levels: Int, _ boxes: Buffer<Double>
  ) -> [Int] {
    let isParallel = levels > parallelLevel && count >= fewestParallel
    var order = Array(0..<count)
    source.withUnsafeBufferPointer { source in
      order.withUnsafeMutableBufferPointer { order in
        // Nodes of one level share neither places nor boxes.
        nonisolated(unsafe) let (source, order, boxes) = (source.baseAddress!, order, boxes)
        @Sendable func halve(level: Int, _ indices: Range<Int>) {
          for index in indices {
            Self.halve(level, index, levels, source, count, width, order, boxes)
          }
        }
        let top = isParallel ? parallelLevel : 0
        for level in 0..<top {
          _ = Parallel.map(1 << level) { index in halve(level: level, index..<index + 1) }
        }
        _ = Parallel.map(1 << top) { subtree in
          for level in top...levels {
            let width = 1 << (level - top)
            halve(level: level, subtree * width..<(subtree + 1) * width)
          }
        }
      }
    }
    return order
  }

  /// Writes a node's box, and parts its points where it is not a leaf.
  private static func halve(
    _ level: Int, _ index: Int, _ levels: Int, _ source: UnsafePointer<Double>, _ count: Int,
    _ width: Int, _ order: UnsafeMutableBufferPointer<Int>, _ boxes: Buffer<Double>
  ) {
    let range = range(level, index, count)
    let box = boxes.start + ((1 << level) + index) * 2 * width
    var widest = (column: 0, extent: -1.0)
    for column in 0..<width {
      let values = source + column * count
      var (least, largest) = (Double.infinity, -Double.infinity)
      for place in range {
        least = min(least, values[order[place]])
        largest = max(largest, values[order[place]])
      }
      (box[column], box[width + column]) = (least, largest)
      if largest - least > widest.extent { widest = (column, largest - least) }
    }
    guard level < levels else { return }
    let middle = self.range(level + 1, 2 * index + 1, count).lowerBound
    partition(order, range, around: middle, by: source + widest.column * count)
  }

  /// Places of a node.
  @inline(__always)
  private static func range(_ level: Int, _ index: Int, _ count: Int) -> Range<Int> {
    (index &* count) >> level..<((index &+ 1) &* count) >> level
  }

  /// Hoare's selection: nothing before `middle` is larger, nothing after it smaller.
  private static func partition(
    _ order: UnsafeMutableBufferPointer<Int>, _ range: Range<Int>, around middle: Int,
    by values: UnsafePointer<Double>
  ) {
    var (low, high) = (range.lowerBound, range.upperBound - 1)
    while low < high {
      let (a, b, c) = (
        values[order[low]], values[order[(low + high) / 2]], values[order[high]]
      )
      let pivot = max(min(a, b), min(max(a, b), c))
      var (i, j) = (low, high)
      while i <= j {
        while values[order[i]] < pivot { i += 1 }
        while values[order[j]] > pivot { j -= 1 }
        if i <= j {
          order.swapAt(i, j)
          i += 1
          j -= 1
        }
      }
      if middle <= j { high = j } else if middle >= i { low = i } else { return }
    }
  }

  /// A row's coordinates, for as long as `body` runs.
  private func withPoint<R>(_ row: Int, _ body: (UnsafePointer<Double>) -> R) -> R {
    withUnsafeTemporaryAllocation(of: Double.self, capacity: width) { point in
      let place = Int(place[row])
      for column in 0..<width { point[column] = columns.start[column &* count &+ place] }
      return body(point.baseAddress!)
    }
  }

  // MARK: Nearest rows

  /// Finds the rows nearest to a row, but for itself.
  func nearest(to row: Int, _ nearest: inout NearestRows) {
    nearest.reset()
    withPoint(row) { point in
      withUnsafeTemporaryAllocation(of: Double.self, capacity: 2 * leaf) { distances in
        descend(1, 0, point, row, distances.baseAddress!, &nearest)
      }
    }
  }

  private func descend(
    _ node: Int, _ level: Int, _ point: UnsafePointer<Double>, _ row: Int,
    _ distances: UnsafeMutablePointer<Double>, _ nearest: inout NearestRows
  ) {
    guard level < levels else {
      let range = Self.range(level, node &- 1 << level, count)
      guard measure(range, point, distances) <= nearest.radius else { return }
      for index in 0..<range.count where distances[index] <= nearest.radius {
        let other = order[range.lowerBound &+ index]
        if other != row { nearest.offer(other, distances[index]) }
      }
      return
    }
    let (left, right) = (2 &* node, 2 &* node &+ 1)
    let (a, b) = (least(left, point), least(right, point))
    let (near, far) = a <= b ? (left, right) : (right, left)
    if min(a, b) <= nearest.radius {
      descend(near, level &+ 1, point, row, distances, &nearest)
    }
    // Rows as far as the k-th may come before it by their number.
    if max(a, b) <= nearest.radius {
      descend(far, level &+ 1, point, row, distances, &nearest)
    }
  }

  /// Joint distances of a point to a leaf's; the least is returned.
  private func measure(
    _ range: Range<Int>, _ point: UnsafePointer<Double>, _ distances: UnsafeMutablePointer<Double>
  ) -> Double {
    guard isSquared, widths.count == 2 else {
      return ptoken_leaf_distances(
        columns.start, count, width, range.lowerBound, range.count, point, isSquared ? 1 : 0,
        distances)
    }
    let second = distances + range.count
    _ = ptoken_leaf_distances(
      columns.start, count, widths[0], range.lowerBound, range.count, point, 1, distances)
    _ = ptoken_leaf_distances(
      columns.start + widths[0] &* count, count, widths[1], range.lowerBound, range.count,
      point + widths[0], 1, second)
    var least = Double.infinity
    for index in 0..<range.count {
      distances[index] = max(distances[index], second[index])
      least = min(least, distances[index])
    }
    return least
  }

  /// Distance of a point to the nearest place of a box.
  @inline(__always)
  private func least(_ node: Int, _ point: UnsafePointer<Double>) -> Double {
    let low = boxes.start + node &* 2 &* width
    let high = low + width
    return combined { column in
      max(low[column] - point[column], point[column] - high[column], 0)
    }
  }

  /// Distance of a point to the farthest place of a box.
  @inline(__always)
  private func largest(_ node: Int, _ point: UnsafePointer<Double>) -> Double {
    let low = boxes.start + node &* 2 &* width
    let high = low + width
    return combined { column in
      max(abs(low[column] - point[column]), abs(high[column] - point[column]))
    }
  }

  /// The norm of differences in each column.
  @inline(__always)
  private func combined(_ difference: (Int) -> Double) -> Double {
    var result = 0.0
    guard isSquared else {
      for column in 0..<width { result = max(result, difference(column)) }
      return result
    }
    var column = 0
    for width in widths {
      var sum = 0.0
      for _ in 0..<width {
        let one = difference(column)
        sum += one * one
        column &+= 1
      }
      result = max(result, sum)
    }
    return result
  }

  // MARK: Counting

  func count(around row: Int, radius: Double, isInclusive: Bool) -> Int {
    withPoint(row) { point in
      withUnsafeTemporaryAllocation(of: Double.self, capacity: 2 * leaf) { distances in
        count(1, 0, point, radius, isInclusive, distances.baseAddress!)
      }
    }
  }

  private func count(
    _ node: Int, _ level: Int, _ point: UnsafePointer<Double>, _ radius: Double,
    _ isInclusive: Bool, _ distances: UnsafeMutablePointer<Double>
  ) -> Int {
    let near = least(node, point)
    guard near < radius || (isInclusive && near == radius) else { return 0 }
    let range = Self.range(level, node &- 1 << level, count)
    let far = largest(node, point)
    if far < radius || (isInclusive && far == radius) { return range.count }
    guard level == levels else {
      return count(2 &* node, level &+ 1, point, radius, isInclusive, distances)
        + count(2 &* node &+ 1, level &+ 1, point, radius, isInclusive, distances)
    }
    guard isSquared, widths.count == 2 else {
      return Int(
        ptoken_leaf_count(
          columns.start, count, width, range.lowerBound, range.count, point, isSquared ? 1 : 0,
          radius, isInclusive ? 1 : 0))
    }
    _ = measure(range, point, distances)
    return (0..<range.count).count {
      distances[$0] < radius || (isInclusive && distances[$0] == radius)
    }
  }
}
