import Foundation
import LinearAlgebra
import MutualInformation
import Testing

@Suite("LabelInformation")
struct LabelInformationTests {
  /// Classes with means `distance` apart along their own axis, unit variance.
  private func classes(
    _ count: Int, _ n: Int, distance: Double, seed: UInt64
  ) -> (Matrix, [Int32]) {
    var generator = SeededGenerator(seed: seed)
    let labels = (0..<n).map { Int32($0 / 5 % count) }
    var tokens = generator.normalMatrix(rows: n, columns: count)
    for row in 0..<n { tokens[row, Int(labels[row])] += distance }
    return (tokens, labels)
  }

  @Test("entropy is the plug-in with Miller and Madow's correction")
  func entropy() {
    let (seven, eight): (Double, Double) = (log(7), log(8))
    let uneven: Double = eight - 0.875 * seven + 0.0625
    #expect(abs(LabelInformation.entropy([0, 1, 0, 0, 0, 0, 0, 0]) - uneven) < 1e-15)
    // No more than as many equally frequent labels hold.
    #expect(LabelInformation.entropy([0, 1, 0, 1]) == log(2))
    #expect(LabelInformation.entropy([7, 7, 7]) == 0)
    #expect(LabelInformation.entropy([0, 0, 2]) == log(2))
    let uniform = LabelInformation.entropy((0..<10_000).map { Int32($0 % 10) })
    #expect(abs(uniform - log(10)) < 1e-12)
  }

  @Test("classes far apart give all of the label's entropy, and every label right")
  func perfectSeparation() throws {
    let (tokens, labels) = classes(4, 600, distance: 30, seed: 1)
    let result = try LabelInformation.estimate(folds(tokens, tokens), labels: labels)
    #expect(result.hits.allSatisfy { $0 == 1 })
    // The doubt of 1 % costs -ln(0.99 + 0.01/4) = 0.0075 nats.
    let entropy = LabelInformation.entropy(labels)
    #expect(abs(result.information.value - (entropy - 0.0075)) < 1e-3)
    #expect(result.information.ceiling == entropy && result.information.kind == .lowerBound)
    #expect(abs(mean(result.information.contributions) - result.information.value) < 1e-12)
  }

  @Test("tokens that know nothing read slightly below 0, and guess at chance")
  func independence() throws {
    var (values, hits): ([Double], [Double]) = ([], [])
    for seed in 0..<10 {
      let (tokens, labels) = classes(4, 600, distance: 0, seed: UInt64(20 + seed))
      let result = try LabelInformation.estimate(folds(tokens, tokens), labels: labels)
      values.append(result.information.value)
      hits += result.hits
    }
    // 12 fitted numbers cost 12/(2 x 480) = 0.0125 nats; Miller and Madow give 3/(2 x 600) back. Four standard errors.
    let error = deviation(values) / 10.0.squareRoot()
    #expect(abs(mean(values) + 0.01) < 4 * error + 0.002)
    #expect(values.allSatisfy { $0 < 0.005 })
    #expect(abs(mean(hits) - 0.25) < 4 * (0.25 * 0.75 / 6000).squareRoot())
  }

  @Test("overlapping classes read below the truth and near it")
  func overlapping() throws {
    let (tokens, labels) = classes(2, 2000, distance: 1, seed: 3)
    let result = try LabelInformation.estimate(folds(tokens, tokens), labels: labels)
    // Two unit Gaussians 2 s apart, s = sqrt(2)/2: I = ln 2 - E[ln(1 + exp(-2 s (s + Z)))], by the trapezium rule.
    let s = 0.5.squareRoot()
    var loss = 0.0
    for step in -800...800 {
      let z = Double(step) / 100
      loss += 0.01 * exp(-z * z / 2) / (2 * Double.pi).squareRoot() * log1p(exp(-2 * s * (s + z)))
    }
    let truth = log(2) - loss
    // Four standard errors, and the doubt of 1 %.
    let error = 4 * result.information.clusteredError()
    #expect(abs(result.information.value - truth) < error + 0.01)
    #expect(error < truth)
    // The best rule is right with probability Phi(s) = 0.7602.
    #expect(abs(mean(result.hits) - 0.7602) < 4 * (0.76 * 0.24 / 2000).squareRoot())
  }

  @Test("a mismatched pairing takes the information away")
  func pairing() throws {
    let (tokens, labels) = classes(3, 600, distance: 5, seed: 4)
    let parts = try folds(tokens, tokens)
    let plain = try LabelInformation.estimate(parts, labels: labels)
    let identity = try LabelInformation.estimate(parts, labels: labels, pairing: Array(0..<600))
    #expect(plain.information.contributions == identity.information.contributions)
    let order = MutualInformationTests.pairing(600, folds: 5, seed: 5)
    let mixed = try LabelInformation.estimate(parts, labels: labels, pairing: order)
    #expect(plain.information.value > 1 && mixed.information.value < 0.03)
  }

  @Test("a class without training rows is never guessed and never infinite")
  func unseenClass() throws {
    var (tokens, labels) = classes(2, 200, distance: 4, seed: 6)
    labels[0] = 2
    tokens[0, 0] = 50
    let result = try LabelInformation.estimate(folds(tokens, tokens), labels: labels)
    #expect(result.information.contributions.allSatisfy { $0.isFinite })
    #expect(result.hits[0] == 0)
  }
}
