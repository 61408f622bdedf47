private import CKernels
private import Foundation
package import LinearAlgebra

/// What a critic is trained for; each is largest, in expectation, for a critic that is the log density ratio (up to a
/// constant for DV and InfoNCE).
package enum Objective: String, Sendable, CaseIterable {
  /// Logistic regression of matched against mismatched pairs: the log ratio itself
  /// (Sugiyama et al. 2012, doi:10.1017/CBO9781139035613; Mukherjee et al. 2020, arXiv 1906.01824).
  case logistic
  /// Donsker and Varadhan's bound by MINE, with the moving average that removes its gradient's bias
  /// (Belghazi et al. 2018, arXiv 1801.04062).
  case donskerVaradhan
  /// Nguyen, Wainwright and Jordan's bound (2010, arXiv 0809.0853).
  case nwj
  /// InfoNCE (van den Oord et al. 2018, arXiv 1807.03748): a row's own partner among all of the batch.
  case infoNCE

  /// The loss of scores [blocks, size], block 0 matched, and its gradient.
  ///
  /// - Parameter average: MINE's moving average of mean exp score, as a logarithm; updated.
  package func loss(
    _ allScores: Buffer<Float>, size: Int, blocks: Int, gradient scoreGradient: Buffer<Float>?,
    average: inout Double
  ) -> Double {
    let (scores, gradient) = (allScores.start, scoreGradient?.start)
    let others = (blocks - 1) * size
    switch self {
    case .logistic:
      var (matched, mismatched) = (0.0, 0.0)
      for index in 0..<size {
        let t = scores[index]
        matched += Double(Self.softplus(-t))
        gradient?[index] = -Self.logistic(-t) / Float(size)
      }
      for index in size..<size + others {
        let t = scores[index]
        mismatched += Double(Self.softplus(t))
        gradient?[index] = Self.logistic(t) / Float(others)
      }
      return matched / Double(size) + mismatched / Double(others)
    case .donskerVaradhan, .nwj:
      var matched = 0.0
      for index in 0..<size {
        matched += Double(scores[index])
        gradient?[index] = -1 / Float(size)
      }
      let shift = self == .nwj ? 1.0 : 0
      var largest = -Float.infinity
      for index in size..<size + others { largest = max(largest, scores[index]) }
      var sum = 0.0
      for index in size..<size + others { sum += exp(Double(scores[index] - largest)) }
      let logMean = log(sum / Double(others)) + Double(largest) - shift
      if self == .donskerVaradhan {
        // In logarithms: e^score of an unfinished critic may not be a number.
        average =
          average.isFinite ? Self.logSum(log(0.99) + average, log(0.01) + logMean) : logMean
      }
      if let gradient {
        let base = self == .nwj ? 0 : average
        for index in size..<size + others {
          gradient[index] = Float(
            exp(min(30, Double(scores[index]) - shift - base)) / Double(others))
        }
      }
      return -matched / Double(size)
        + (self == .nwj ? exp(min(700, logMean)) : logMean)
    case .infoNCE:
      var total = 0.0
      withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * size) { work in
        let normalizers = work.baseAddress!
        ptoken_infonce(scores, blocks, size, normalizers, gradient, normalizers + size)
        for row in 0..<size { total += Double(normalizers[row] - scores[row]) }
      }
      total -= Double(size) * log(Double(blocks))
      return total / Double(size)
    }
  }

  /// ln(e^a + e^b).
  private static func logSum(_ a: Double, _ b: Double) -> Double {
    max(a, b) + log1p(exp(-abs(a - b)))
  }

  @inline(__always)
  private static func softplus(_ x: Float) -> Float {
    max(x, 0) + log1p(Float.exponential(-abs(x)))
  }

  @inline(__always)
  private static func logistic(_ x: Float) -> Float { 1 / (1 + Float.exponential(-x)) }
}
