private import Foundation
internal import LinearAlgebra

/// Information of rows that take few values: counted.
struct DiscreteInformation {
  /// Value of each row, from 0, and how many there are.
  let x: (codes: [Int], count: Int)
  let y: (codes: [Int], count: Int)
  /// Unit of each row where rows may depend on each other.
  let units: [Int]?

  /// Equal rows are one value.
  static func codes(_ rows: Matrix) -> (codes: [Int], count: Int) {
    var numbers: [[Double]: Int] = [:]
    let codes = (0..<rows.rows).map { row in
      let key = Array(rows.row(row))
      if let known = numbers[key] { return known }
      numbers[key] = numbers.count
      return numbers.count - 1
    }
    return (codes, numbers.count)
  }

  /// H(X) + H(Y) - H(X, Y), each by counting with Miller and Madow's correction (1955): (values seen - 1) / 2n.
  ///
  /// Rows' contributions are ln p(x, y) / p(x) p(y), shifted to the corrected mean. The null is drawn by pairing anew.
  func run(options: EstimationOptions) -> Estimate {
    let n = Double(x.codes.count)
    let (value, plugIn, contributions) = Self.value(x.codes, y.codes)
    var estimate = Estimate(
      value: value, kind: .estimate, contributions: contributions.map { $0 + value - plugIn },
      ceiling: min(Self.entropy(x.codes), Self.entropy(y.codes)))
    if options.pairings > 0 {
      let random = RandomPairings(
        units: units, count: x.codes.count, seed: options.seed, stream: 0xd1)
      estimate.null = Estimate.Null(
        observed: value,
        values: (0..<options.pairings).map { number in
          Self.value(random(number).map { x.codes[$0] }, y.codes).value
        },
        least: RandomPairings.least(
          units: units, of: x.codes.indices, pairings: options.pairings))
    }
    // Miller and Madow's correction is the first term of a series in cells / n.
    if Double(x.count * y.count) > n { estimate.flags.insert(.fewRows) }
    return estimate
  }

  private static func value(_ x: [Int], _ y: [Int]) -> (
    value: Double, plugIn: Double, contributions: [Double]
  ) {
    let n = Double(x.count)
    let joint = Dictionary(zip(x, y).map { ($0 << 32 | $1, 1.0) }, uniquingKeysWith: +)
    let inX = Dictionary(x.map { ($0, 1.0) }, uniquingKeysWith: +)
    let inY = Dictionary(y.map { ($0, 1.0) }, uniquingKeysWith: +)
    let contributions = zip(x, y).map { log(n * joint[$0 << 32 | $1]! / (inX[$0]! * inY[$1]!)) }
    let plugIn = contributions.reduce(0, +) / n
    let correction = Double(inX.count - 1 + inY.count - 1 - (joint.count - 1)) / (2 * n)
    return (plugIn + correction, plugIn, contributions)
  }

  /// Entropy by counting, with Miller and Madow's correction, nats.
  static func entropy(_ codes: [Int]) -> Double {
    LabelInformation.entropy(codes.map { Int32($0) })
  }
}

/// Ross's estimator of the information between a label and continuous rows (2014, doi:10.1371/journal.pone.0087357):
/// ψ(N) + ψ(k) - mean[ψ(N_x) + ψ(m)], with N_x the rows of the label and m the rows within the distance of the k-th
/// neighbour among them. Where that distance is 0, k is the rows of the label there: values are then discrete
/// (Gao et al. 2017, arXiv 1709.06212).
struct MixedInformation {
  let labels: [Int]
  let rows: Matrix
  let norm: NearestNeighbours.Norm

  /// k is lowered for labels with fewer rows; rows whose label occurs once are left out, as in the paper.
  func run(k most: Int) -> Estimate {
    let points = NeighbourPoints(rows, norm: norm)
    let sizes = Dictionary(labels.map { ($0, 1) }, uniquingKeysWith: +)
    var contributions = [Double](repeating: 0, count: labels.count)
    let used = labels.indices.filter { sizes[labels[$0]]! > 1 }
    let chunk = 256
    let parts = Parallel.map((used.count + chunk - 1) / chunk) { number in
      self.contributions(
        of: used[number * chunk..<min(used.count, (number + 1) * chunk)], points, sizes,
        used: used.count, k: most)
    }
    for (row, value) in zip(used, parts.joined()) { contributions[row] = value }
    let value = used.reduce(0) { $0 + contributions[$1] } / Double(max(1, used.count))
    for row in labels.indices where sizes[labels[row]] == 1 { contributions[row] = value }
    return Estimate(
      value: value, kind: .estimate, contributions: contributions,
      ceiling: DiscreteInformation.entropy(labels))
  }

  private func contributions(
    of rows: ArraySlice<Int>, _ points: NeighbourPoints, _ sizes: [Int: Int], used: Int,
    k most: Int
  ) -> [Double] {
    let n = labels.count
    let distances = UnsafeMutablePointer<Double>.allocate(capacity: n)
    defer { distances.deallocate() }
    return rows.map { i in
      let k = min(most, sizes[labels[i]]! - 1)
      points.distances(i, distances)
      var near = [Double](repeating: .infinity, count: k)
      for j in 0..<n where labels[j] == labels[i] && j != i && distances[j] < near[k - 1] {
        var place = k - 1
        while place > 0, near[place - 1] > distances[j] {
          near[place] = near[place - 1]
          place -= 1
        }
        near[place] = distances[j]
      }
      // With the row itself, which stands for the k-th neighbour that is not strictly nearer.
      var within = 0
      for j in 0..<n { within += distances[j] < near[k - 1] ? 1 : 0 }
      within = max(within, k)
      var nearest = k
      if near[k - 1] == 0 {
        within = (0..<n).count { distances[$0] == 0 }
        nearest = (0..<n).count { distances[$0] == 0 && labels[$0] == labels[i] }
      }
      return digamma(Double(used)) + digamma(Double(nearest))
        - digamma(Double(sizes[labels[i]]!)) - digamma(Double(within))
    }
  }
}
