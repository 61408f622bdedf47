private import Foundation
internal import LinearAlgebra

/// Information between tokens and class labels: H(Y) minus the held-out cross-entropy of linear discriminant
/// analysis (Fisher 1936, doi:10.1111/j.1469-1809.1936.tb02137.x; Gaussian classes, pooled covariance).
///
/// Any classifier's held-out cross-entropy is at least H(Y|T), so the figure is a lower bound, up to the error of H(Y).
public enum LabelInformation {
  /// The bound, and the held-out share of right guesses.
  public struct Result: Sendable {
    /// The bound, with contributions in the order of the folds' held-out rows.
    public var information: Estimate
    /// 1 where the held-out row's label was guessed right, else 0; same order.
    public var hits: [Double]
  }

  /// Weight of the class frequencies mixed into each prediction: bounds the loss of a confident error.
  private static let doubt = 0.01

  /// Entropy of labels in nats: plug-in with Miller and Madow's correction (1955), at most that of as many equally
  /// frequent ones.
  public static func entropy(_ labels: [Int32]) -> Double {
    let counts = Dictionary(labels.map { ($0, 1) }, uniquingKeysWith: +).values.sorted()
    let n = Double(labels.count)
    let plugIn = counts.reduce(0.0) { $0 - Double($1) / n * log(Double($1) / n) }
    return min(plugIn + Double(counts.count - 1) / (2 * n), log(Double(counts.count)))
  }

  /// Fits on training rows, reads on held-out rows.
  ///
  /// - Parameters:
  ///   - labels: label of each row, from 0.
  ///   - pairing: row whose label goes with each row's token; nil as recorded.
  public static func estimate(
    _ folds: [PairedFold], labels: [Int32], pairing: [Int]? = nil
  ) throws -> Result {
    let paired = pairing.map { p in p.map { labels[$0] } } ?? labels
    let classes = Int(labels.max() ?? 0) + 1
    let entropy = entropy(labels)
    var contributions: [Double] = []
    var hits: [Double] = []
    for fold in folds {
      let scores = try logDensities(fold, paired, classes)
      for (row, index) in fold.test.enumerated() {
        let label = Int(paired[index])
        let logits = scores.scores.row(row)
        let posterior = exp(logits[logits.startIndex + label] - logSumExp(logits))
        let prior = scores.priors[label]
        contributions.append(entropy + log((1 - doubt) * posterior + doubt * prior))
        let best = logits.max()!
        let ties = logits.count { $0 == best }
        hits.append(logits[logits.startIndex + label] == best ? 1 / Double(ties) : 0)
      }
    }
    let value = contributions.mean
    return Result(
      information: Estimate(
        value: value, kind: .lowerBound, contributions: contributions, ceiling: entropy),
      hits: hits)
  }

  /// ln prior + ln density of each class at each held-out row, up to a constant per row.
  private static func logDensities(
    _ fold: PairedFold, _ labels: [Int32], _ classes: Int
  ) throws -> (scores: Matrix, priors: [Double]) {
    let d = fold.y.columns
    var means = Matrix(rows: classes, columns: d)
    var counts = [Double](repeating: 0, count: classes)
    for (row, index) in fold.train.enumerated() {
      let label = Int(labels[index])
      counts[label] += 1
      for column in 0..<d { means[label, column] += fold.yTrain[row, column] }
    }
    let n = Double(fold.train.count)
    // Training rows are white: pooled covariance = I - between-class covariance.
    var pooled = Matrix.identity(d)
    for label in 0..<classes where counts[label] > 0 {
      for column in 0..<d { means[label, column] /= counts[label] }
      let weight = counts[label] / n
      for a in 0..<d {
        for b in 0..<d { pooled[a, b] -= weight * means[label, a] * means[label, b] }
      }
    }
    // A little of the identity keeps perfectly separated classes solvable.
    for a in 0..<d { pooled[a, a] += 1e-3 }
    let weights = try pooled.solvePositiveDefinite(means.transposed)
    var scores = fold.yTest.times(weights)
    let priors = counts.map { ($0 + 0.5) / (n + 0.5 * Double(classes)) }
    for label in 0..<classes {
      var offset = log(priors[label])
      for a in 0..<d { offset -= 0.5 * means[label, a] * weights[a, label] }
      for row in 0..<scores.rows { scores[row, label] += offset }
    }
    return (scores, priors)
  }
}
