private import Foundation
package import LinearAlgebra

/// Scores of rows with their own partners and with those some places on, and what bounds say of them.
package struct HeldOutScores: Sendable {
  /// Rows scored, in order.
  let rows: [Int]
  /// Places between a row and its partner; the first is 0.
  let shifts: [Int]
  /// [shifts, rows].
  let scores: [Float]

  var count: Int { rows.count }
  var blocks: Int { shifts.count }

  /// - Parameter cap: no score is taken as higher. A critic's highest score of matched training pairs is the most that
  ///   it has grounds for; beyond, a single pair could carry the whole mean of exponentials.
  package init(_ scores: Buffer<Float>, rows: [Int], shifts: [Int], cap: Float = .infinity) {
    self.rows = rows
    self.shifts = shifts
    self.scores = (0..<rows.count * shifts.count).map { min(scores.start[$0], cap) }
  }

  /// Scores of every pair, [y, x], matched pairs on the diagonal.
  init(allPairs matrix: Matrix) {
    let n = matrix.rows
    rows = Array(0..<n)
    shifts = rows
    scores = shifts.flatMap { shift in
      (0..<n).map { i in Float(matrix[i + shift < n ? i + shift : i + shift - n, i]) }
    }
  }

  /// The same as a matrix [y, x]; of scores with every shift.
  var allPairs: Matrix {
    precondition(blocks == count, "expected scores of every pair")
    return Matrix(rows: count, columns: count) { y, x in
      Double(scores[(y >= x ? y - x : y - x + count) * count + x])
    }
  }

  /// Donsker and Varadhan's bound with the matched pairs' share in its mean: at most ln n.
  ///
  /// - Returns: the value and each row's influence; they average to it.
  package func donskerVaradhan() -> (value: Double, influence: [Double]) {
    reading(mean: exponentials(countingMatched: true))
  }

  /// The mean score less the logarithm of the mean of exponentials over mismatched pairs, which is 0 for a critic that is
  /// the log ratio; for critics trained to be it.
  ///
  /// Where information is large, a few pairs in all n² carry that mean: the mismatched ones drawn miss them and read too
  /// little, and with the matched pairs' share it reads too much. Between the two the mean is taken to be what it is for
  /// the log ratio.
  package func normalizedMean() -> (value: Double, influence: [Double]) {
    let without = exponentials(countingMatched: false)
    if without.logMean >= 0 { return reading(mean: without) }
    let with = exponentials(countingMatched: true)
    if with.logMean <= 0 { return reading(mean: with) }
    return reading(mean: (0, [Double](repeating: 1, count: count)))
  }

  /// ln mean exp over pairs, and each row's share of the mean as x and as y, 1 on average.
  private func exponentials(countingMatched: Bool) -> (logMean: Double, shares: [Double]) {
    let n = Double(count)
    let largest = Double(scores.max() ?? 0)
    // Of all n² pairs 1/n are matched; the mismatched drawn stand for the rest.
    let own = countingMatched ? 1 / n : 0
    let other = (1 - own) / Double(max(1, blocks - 1))
    var shares = [Double](repeating: 0, count: count)
    var total = 0.0
    for (block, shift) in shifts.enumerated() {
      let weight = (block == 0 ? own : other) / n
      guard weight > 0 else { continue }
      for i in 0..<count {
        let e = weight * exp(Double(scores[block &* count &+ i]) - largest)
        total += e
        shares[i] += e / 2
        shares[i + shift < count ? i + shift : i + shift - count] += e / 2
      }
    }
    return (log(total) + largest, shares.map { $0 * n / total })
  }

  private func reading(
    mean: (logMean: Double, shares: [Double])
  ) -> (value: Double, influence: [Double]) {
    let influence = (0..<count).map {
      Double(scores[$0]) - mean.logMean - 2 * (mean.shares[$0] - 1)
    }
    return (influence.reduce(0, +) / Double(count), influence)
  }

  /// Nguyen, Wainwright and Jordan's bound: mean f - mean e^(f - 1).
  package func nwj() -> (value: Double, influence: [Double]) {
    let n = Double(count)
    var shares = [Double](repeating: 0, count: count)
    for (block, shift) in shifts.enumerated().dropFirst() {
      for i in 0..<count {
        let e = exp(min(700, Double(scores[block &* count &+ i]) - 1)) / Double(blocks - 1)
        shares[i] += e / 2
        shares[i + shift < count ? i + shift : i + shift - count] += e / 2
      }
    }
    let mean = shares.reduce(0, +) / n
    let influence = (0..<count).map { Double(scores[$0]) - mean - 2 * (shares[$0] - mean) }
    return (influence.reduce(0, +) / n, influence)
  }

  /// InfoNCE of each row's own partner among all blocks: at most ln blocks.
  package func infoNCE() -> (value: Double, influence: [Double]) {
    let influence = (0..<count).map { row in
      let all = (0..<blocks).map { Double(scores[$0 * count + row]) }
      return all[0] - logSumExp(all) + log(Double(blocks))
    }
    return (influence.reduce(0, +) / Double(count), influence)
  }

  /// p-value of the matched pairs' mean score: the share of pairings, the recorded one included, that reach it. Given a
  /// critic that never saw these rows all are as likely where there is no dependence.
  ///
  /// Pairings are random where every pair was scored; else the first shifts.
  ///
  /// - Parameter units: unit of each row scored, for which every pair must have been; nil: every row is its own.
  package func pairingTest(_ pairings: Int, units: [Int]? = nil, seed: UInt64) -> Double {
    let matched = blockMeans[0]
    guard blocks == count, units != nil || blocks <= pairings else {
      return Estimate.Null.share(blockMeans.dropFirst().prefix(pairings), reaching: matched)
    }
    let random = RandomPairings(units: units, count: count, seed: seed, stream: 0x9a1)
    let means = (0..<pairings).map { number in
      let partners = random(number)
      return (0..<count).reduce(0.0) { sum, i in
        let shift = partners[i] >= i ? partners[i] - i : partners[i] - i + count
        return sum + Double(scores[shift &* count &+ i])
      } / Double(count)
    }
    return Estimate.Null.share(means, reaching: matched)
  }

  /// Mean score of each block: the matched pairs', then one for each pairing.
  var blockMeans: [Double] {
    (0..<blocks).map { block in
      scores[block * count..<(block + 1) * count].reduce(0.0) { $0 + Double($1) } / Double(count)
    }
  }
}
