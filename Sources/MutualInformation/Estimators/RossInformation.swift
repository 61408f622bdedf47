private import Foundation
internal import LinearAlgebra

/// Ross's estimate with its error and null.
struct RossInformation {
  /// Label of each row.
  let labels: [Int]
  let rows: Matrix
  /// Unit of each row where rows may depend on each other.
  let units: [Int]?
  let options: EstimationOptions

  func run() -> Estimate {
    var result = estimate(labels, rows)
    result.setInterval(
      standardError: result.clusteredError(units),
      of: Units.effective(units, rows: labels.count))
    result.boundHigh(byEntropy: result.ceiling)
    if rows.columns > NeighbourInformation.mostDimensions { result.flags.insert(.manyDimensions) }
    if options.pairings > 0 { result.null = null() }
    return result
  }

  private func estimate(_ labels: [Int], _ rows: Matrix) -> Estimate {
    MixedInformation(labels: labels, rows: rows, norm: options.norm).run(k: options.neighbours[0])
  }

  /// Each pairing is estimated anew, which takes the square of the rows: of some only.
  private func null() -> Estimate.Null {
    var generator = SeededGenerator(seed: options.seed, stream: 0x4056)
    let some = RandomPairings.rows(
      NeighbourInformation.nullRows, of: units, count: labels.count, &generator)
    let (labels, rows) = (some.map { self.labels[$0] }, self.rows.gatheringRows(some))
    let random = RandomPairings(
      units: units.map { units in some.map { units[$0] } }, count: some.count,
      seed: options.seed, stream: 0x4055)
    return Estimate.Null(
      observed: estimate(labels, rows).value,
      values: Parallel.map(options.pairings) { number in
        estimate(random(number).map { labels[$0] }, rows).value
      },
      least: RandomPairings.least(units: units, of: some, pairings: options.pairings))
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
    let sizes = Dictionary(labels.map { ($0, 1) }, uniquingKeysWith: +)
    let used = labels.indices.filter { sizes[labels[$0]]! > 1 }
    let part =
      used.count == labels.count
      ? self
      : MixedInformation(
        labels: used.map { labels[$0] }, rows: rows.gatheringRows(used), norm: norm)
    let points = NeighbourPoints(part.rows, norm: norm)
    let chunk = 256
    let parts = Parallel.map((used.count + chunk - 1) / chunk) { number in
      part.contributions(
        of: number * chunk..<min(used.count, (number + 1) * chunk), points, sizes, k: most)
    }
    let value = parts.joined().reduce(0, +) / Double(max(1, used.count))
    var contributions = [Double](repeating: value, count: labels.count)
    for (row, value) in zip(used, parts.joined()) { contributions[row] = value }
    return Estimate(
      value: value, kind: .estimate, contributions: contributions,
      ceiling: DiscreteInformation.entropy(labels))
  }

  private func contributions(
    of rows: Range<Int>, _ points: NeighbourPoints, _ sizes: [Int: Int], k most: Int
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
      return digamma(Double(n)) + digamma(Double(nearest))
        - digamma(Double(sizes[labels[i]]!)) - digamma(Double(within))
    }
  }
}
