internal import LinearAlgebra

/// One side of the rows, and the distance within it that decides.
struct NeighbourPoints: Sendable {
  /// [count, width], row-major.
  let elements: [Double]
  let count: Int
  let width: Int
  let norm: NearestNeighbours.Norm

  init(_ rows: Matrix, norm: NearestNeighbours.Norm) {
    self.init(elements: rows.elements, count: rows.rows, width: rows.columns, norm: norm)
  }

  private init(elements: [Double], count: Int, width: Int, norm: NearestNeighbours.Norm) {
    (self.elements, self.count, self.width, self.norm) = (elements, count, width, norm)
  }

  /// Row i is what row `order[i]` was.
  func reordered(_ order: [Int]) -> NeighbourPoints {
    let result = [Double](unsafeUninitializedCapacity: elements.count) { target, filled in
      for row in order {
        for column in 0..<width { target[filled + column] = elements[row * width + column] }
        filled += width
      }
    }
    return NeighbourPoints(elements: result, count: count, width: width, norm: norm)
  }

  /// Distance of two rows, squared where Euclidean; sums run in the order of columns, as in every search.
  @inline(__always)
  func distance(_ i: Int, _ j: Int) -> Double {
    elements.withUnsafeBufferPointer { elements in
      let (a, b) = (
        elements.baseAddress! + i &* width, elements.baseAddress! + j &* width
      )
      var result = 0.0
      switch norm {
      case .maximum:
        for column in 0..<width { result = max(result, abs(b[column] - a[column])) }
      case .euclidean:
        for column in 0..<width {
          let difference = b[column] - a[column]
          result += difference * difference
        }
      }
      return result
    }
  }

  /// About the middle of each column.
  var centres: [Double] {
    var sums = [Double](repeating: 0, count: width)
    let share = 1 / Double(count)
    // Shares, for the sum of large numbers may be none.
    for row in 0..<count {
      for column in 0..<width { sums[column] += share * elements[row &* width &+ column] }
    }
    return sums
  }

  /// Largest difference of a coordinate from `centre`'s.
  func largest(from centre: [Double]) -> Double {
    var most = 0.0
    for row in 0..<count {
      for column in 0..<width {
        most = max(most, abs(elements[row &* width &+ column] - centre[column]))
      }
    }
    return most
  }

  /// Largest Euclidean distance of a row from `centre`.
  func longest(from centre: [Double]) -> Double {
    var most = 0.0
    for row in 0..<count {
      var sum = 0.0
      for column in 0..<width {
        let difference = elements[row &* width &+ column] - centre[column]
        sum += difference * difference
      }
      most = max(most, sum)
    }
    return most.squareRoot()
  }

  /// Distances of row i to every row.
  func distances(_ i: Int, _ result: UnsafeMutablePointer<Double>) {
    for j in 0..<count { result[j] = distance(i, j) }
  }
}

/// A way to find neighbours.
protocol NeighbourSearch: Sendable {
  /// Counts of some rows; `places` are places in the search's own order.
  func counts(
    _ places: Range<Int>, k: Int, algorithm: NearestNeighbours.Algorithm
  ) -> [(row: Int, count: NeighbourCount)]
}

/// What an estimator needs to know of a row.
enum NeighbourCount: Sendable, Equatable {
  /// Rows within the radius in x and in y, as the formula counts them.
  case distinct(Int, Int)
  /// Rows equal to this one in both, in x and in y, with itself.
  case equal(Int, Int, Int)
}

/// The k nearest rows so far, by distance and then by number.
struct NearestRows {
  private(set) var distances: [Double]
  private(set) var rows: [Int]
  private let k: Int

  init(k: Int) {
    self.k = k
    distances = [Double](repeating: .infinity, count: k)
    rows = [Int](repeating: .max, count: k)
  }

  /// Distance of the k-th.
  var radius: Double { distances[k &- 1] }

  mutating func reset() {
    for place in 0..<k { (distances[place], rows[place]) = (.infinity, .max) }
  }

  /// Takes a row that is nearer than the k-th.
  @inline(__always)
  mutating func offer(_ row: Int, _ distance: Double) {
    var place = k &- 1
    guard distance < distances[place] || (distance == distances[place] && row < rows[place]) else {
      return
    }
    while place > 0,
      distance < distances[place &- 1]
        || (distance == distances[place &- 1] && row < rows[place &- 1])
    {
      distances[place] = distances[place &- 1]
      rows[place] = rows[place &- 1]
      place &-= 1
    }
    distances[place] = distance
    rows[place] = row
  }
}
