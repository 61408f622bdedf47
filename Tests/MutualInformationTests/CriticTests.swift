import Foundation
import LinearAlgebra
import MutualInformation
import Testing

@Suite("Critics")
struct CriticTests {
  /// Rows for batches, and a batch of them.
  private func batch(
    size: Int, of count: Int = 20, shifts: [Int], seed: UInt64
  ) -> (CriticRows, PairBatch) {
    var generator = SeededGenerator(seed: seed)
    let data = CriticRows(
      x: generator.normalMatrix(rows: count, columns: 3),
      y: generator.normalMatrix(rows: count, columns: 2))
    let batch = PairBatch(size: size, blocks: shifts.count, like: data)
    batch.fill(data, rows: Array(generator.permutation(count).prefix(size)), shifts: shifts)
    return (data, batch)
  }

  private func scores(_ critic: any Critic, _ batch: PairBatch, _ parameters: Buffer<Float>)
    -> [Float]
  {
    let result = Buffer<Float>(count: batch.size * batch.shifts.count)
    critic.scores(batch, parameters, into: result, at: 0)
    return result.elements
  }

  enum Form: CaseIterable { case separable, narrow, wide }

  /// Joint critics of a few numbers and of more are computed in other ways.
  private func joint(_ form: Form, _ activation: Activation) -> JointCritic {
    JointCritic(
      xWidth: 3, yWidth: 2, hidden: form == .narrow ? [6, 5] : [40, 5], activation: activation,
      startsAtZero: false)
  }

  @Test("gradients of critics, against central differences", arguments: Form.allCases)
  func gradient(form: Form) {
    let shifts = [0, 1, 3]
    let (_, batch) = batch(size: 5, shifts: shifts, seed: 1)
    let critic: any Critic =
      form == .separable
      ? SeparableCritic(xWidth: 3, yWidth: 2, hidden: [6], width: 4, activation: .gelu)
      : joint(form, .gelu)
    critic.reserve(size: 5, blocks: 3)
    var generator = SeededGenerator(seed: 2)
    let parameters = Buffer<Float>(count: critic.parameterCount)
    critic.initialize(parameters.start, &generator)
    let weights = Buffer((0..<15).map { _ in Float(generator.normal()) })
    func loss() -> Double {
      zip(scores(critic, batch, parameters), weights.elements).reduce(0) {
        $0 + Double($1.0) * Double($1.1)
      }
    }
    _ = loss()
    let gradient = Buffer<Float>(count: critic.parameterCount)
    critic.backward(batch, parameters, weights, into: gradient)
    for index in 0..<parameters.count {
      let kept = parameters[index]
      let step: Float = 0x1p-6
      parameters[index] = kept + step
      let above = loss()
      parameters[index] = kept - step
      let below = loss()
      parameters[index] = kept
      let expected = (above - below) / Double(2 * step)
      // Single precision: rounding of 15 sums leaves 1e-4, the step's square 2e-4 of third derivatives.
      #expect(abs(Double(gradient[index]) - expected) < 3e-3 * max(1, abs(expected)))
    }
  }

  @Test(
    "InfoNCE of all pairs row by row is that of scores, objective and backward pass",
    arguments: [Form.narrow, .wide], [2, 17, 90])
  func contrast(form: Form, size: Int) {
    // 90 rows are more pairs than go through the network at a time.
    let (_, batch) = batch(size: size, of: 100, shifts: Array(0..<size), seed: 6)
    let critic = joint(form, .relu)
    critic.reserve(size: size, blocks: size)
    var generator = SeededGenerator(seed: 7)
    let parameters = Buffer<Float>(count: critic.parameterCount)
    critic.initialize(parameters.start, &generator)
    let all = Buffer(scores(critic, batch, parameters))
    let scoreGradient = Buffer<Float>(count: all.count)
    var average = -Double.infinity
    let loss = Objective.infoNCE.loss(
      all, size: size, blocks: size, gradient: scoreGradient, average: &average)
    let (expected, found) = (
      Buffer<Float>(count: parameters.count), Buffer<Float>(count: parameters.count)
    )
    critic.backward(batch, parameters, scoreGradient, into: expected)
    // Gradients are added to what is there.
    found.fill(1)
    #expect(abs(critic.contrast(batch, parameters, into: found) - loss) < 1e-5)
    #expect(expected.elements.contains { abs($0) > 0.01 })
    for index in 0..<parameters.count {
      #expect(abs(found[index] - 1 - expected[index]) < 1e-5)
    }
  }

  @Test("a joint critic's factored first layer gives what the pair itself gives")
  func factored() {
    let (_, all) = batch(size: 6, shifts: [0, 1, 2, 3, 4, 5], seed: 3)
    let (_, some) = batch(size: 6, shifts: [0, 4], seed: 3)
    let critic = JointCritic(
      xWidth: 3, yWidth: 2, hidden: [8], activation: .relu, startsAtZero: false)
    critic.reserve(size: 6, blocks: 6)
    var generator = SeededGenerator(seed: 4)
    let parameters = Buffer<Float>(count: critic.parameterCount)
    critic.initialize(parameters.start, &generator)
    let (a, b) = (scores(critic, all, parameters), scores(critic, some, parameters))
    #expect(Array(a[..<6]) == Array(b[..<6]) && Array(a[24..<30]) == Array(b[6...]))
    // By hand for row 2 with the partner four places on, which is row 0 of the batch.
    let hidden = 8
    var score = Double(parameters[critic.parameterCount - 1])
    for k in 0..<hidden {
      var sum = Double(parameters[5 * hidden + k])
      for c in 0..<3 { sum += Double(all.x[2 * 3 + c]) * Double(parameters[c * hidden + k]) }
      for c in 0..<2 { sum += Double(all.y[c]) * Double(parameters[(3 + c) * hidden + k]) }
      score += max(0, sum) * Double(parameters[6 * hidden + k])
    }
    #expect(abs(Double(b[6 + 2]) - score) < 1e-5)
  }

  @Test(
    "gradients of objectives, against central differences", arguments: Objective.allCases)
  func objectives(objective: Objective) {
    var generator = SeededGenerator(seed: 5)
    let (size, blocks) = (4, 3)
    let scores = Buffer((0..<size * blocks).map { _ in Float(generator.normal()) })
    func loss(_ gradient: Buffer<Float>? = nil) -> Double {
      // A moving average that has not begun is the batch's own: MINE's gradient is then the bound's.
      var average = -Double.infinity
      return objective.loss(
        scores, size: size, blocks: blocks, gradient: gradient, average: &average)
    }
    let gradient = Buffer<Float>(count: size * blocks)
    _ = loss(gradient)
    for index in 0..<scores.count {
      let (kept, step) = (scores[index], Float(0x1p-7))
      scores[index] = kept + step
      let above = loss()
      scores[index] = kept - step
      let below = loss()
      scores[index] = kept
      #expect(abs(Double(gradient[index]) - (above - below) / Double(2 * step)) < 2e-4)
    }
  }

  @Test(
    "bounds of scores: formulas by hand, ceilings, and nothing from a critic that knows nothing")
  func bounds() {
    // Two rows, their own pairs at 2 and 1, each other's at 0 and -1.
    let scores = HeldOutScores(Buffer([2, 1, 0, -1]), rows: [0, 1], shifts: [0, 1])
    let meanAll = (exp(2.0) + exp(1.0) + exp(0.0) + exp(-1.0)) / 4
    #expect(abs(scores.donskerVaradhan().value - (1.5 - log(meanAll))) < 1e-12)
    #expect(abs(scores.nwj().value - (1.5 - (exp(-1.0) + exp(-2.0)) / 2)) < 1e-12)
    let infoNCE = (2 - log(exp(2) + 1) + 1 - log(exp(1) + exp(-1))) / 2 + log(2.0)
    #expect(abs(scores.infoNCE().value - infoNCE) < 1e-12)
    // The mean over mismatched pairs is below 1 and with matched ones above: taken as 1.
    #expect(abs(scores.normalizedMean().value - 1.5) < 1e-12)
    let n = 50
    let perfect = HeldOutScores(
      Buffer((0..<n * n).map { $0 < n ? 80 : 0 }), rows: Array(0..<n), shifts: Array(0..<n))
    #expect(perfect.donskerVaradhan().value <= log(Double(n)) + 1e-9)
    #expect(perfect.infoNCE().value <= log(Double(n)) + 1e-9)
    let blind = HeldOutScores(Buffer<Float>(count: 30), rows: Array(0..<10), shifts: [0, 1, 2])
    for value in [
      blind.donskerVaradhan(), blind.infoNCE(), blind.normalizedMean(),
    ] { #expect(abs(value.value) < 1e-12 && value.influence.allSatisfy { abs($0) < 1e-12 }) }
  }

  @Test("the test of pairings: by hand for shifts, at random where every pair was scored")
  func pairingTest() {
    // Means 1.5, 0 and 2: one of two shifts does as well.
    let shifted = HeldOutScores(
      Buffer([2, 1, 1.5, 0, 0, 0, 3, 1, 2]), rows: [0, 1, 2], shifts: [0, 1, 2])
    #expect(shifted.pairingTest(2, seed: 1) == 2.0 / 3)
    // All six pairings of three rows, of which the recorded one scores highest: one in six does as well.
    let all = HeldOutScores(
      Buffer([1, 1, 1, 0, 0, 0, 0, 0, 0]), rows: [0, 1, 2], shifts: [0, 1, 2])
    let p = all.pairingTest(5999, seed: 1)
    // Within five standard errors of 6,000 draws.
    #expect(abs(p - 1.0 / 6) < 5 * 0.0048)
    // Scores that are all alike find nothing.
    #expect(
      HeldOutScores(Buffer<Float>(count: 9), rows: [0, 1, 2], shifts: [0, 1, 2])
        .pairingTest(99, seed: 1) == 1)
  }

  @Test("no score is taken above the cap")
  func cap() {
    let scores = HeldOutScores(Buffer([1, 1, 60, 0]), rows: [0, 1], shifts: [0, 1], cap: 1)
    let free = HeldOutScores(Buffer([1, 1, 1, 0]), rows: [0, 1], shifts: [0, 1])
    #expect(scores.donskerVaradhan().value == free.donskerVaradhan().value)
  }
}

@Suite("Folds")
struct FoldsTests {
  @Test("units are never split, every row is untouched once, folds are even")
  func units() throws {
    let units = (0..<300).map { $0 / 3 }
    let folds = try Folds.split(units, rows: units.count, into: 5, seed: 1)
    #expect(folds.flatMap(\.test).sorted() == Array(0..<300))
    for fold in folds {
      let parts = [fold.train, fold.stopping, fold.test].map { Set($0.map { units[$0] }) }
      #expect(parts[0].isDisjoint(with: parts[1]) && parts[0].isDisjoint(with: parts[2]))
      #expect(parts[1].isDisjoint(with: parts[2]) && !fold.stopping.isEmpty)
      #expect(fold.train.count + fold.stopping.count + fold.test.count == 300)
      #expect(fold.test.count == 60)
    }
    #expect(
      try Folds.split(units, rows: units.count, into: 5, seed: 1).map(\.test) == folds.map(\.test))
    #expect(
      try Folds.split(units, rows: units.count, into: 5, seed: 2).map(\.test) != folds.map(\.test))
  }

  @Test("rows that stop a training can be told apart, however small their units")
  func stopping() throws {
    // Nine groups of twenty rows and one of a single row, which alone would have no mismatched pairs.
    let units = (0..<180).map { $0 / 20 } + [9]
    for seed in 0..<20 {
      for fold in try Folds.split(units, rows: units.count, into: 5, seed: UInt64(seed)) {
        #expect(fold.stopping.count >= 4 && !fold.train.isEmpty)
      }
    }
    for fold in try Folds.split(nil, rows: 20, into: 2, seed: 1) {
      #expect(fold.stopping.count >= 4 && fold.train.count >= 4)
    }
  }

  @Test("where one unit is most of the rows folds are fewer, and all can be read and learned from")
  func uneven() throws {
    for seed in 0..<20 {
      let units = (0..<402).map { min(3, $0 / 200 + ($0 > 400 ? 1 : 0)) }
      let folds = try Folds.split(units, rows: 402, into: 5, seed: UInt64(seed))
      #expect(folds.count == 2 && folds.flatMap(\.test).sorted() == Array(0..<402))
      for fold in folds {
        #expect(fold.test.count >= 4 && fold.stopping.count >= 4 && fold.train.count >= 4)
        #expect(Set(fold.train + fold.stopping + fold.test).count == 402)
      }
    }
    let error = #expect(throws: InformationError.self) {
      try Folds.split([0] + Array(repeating: 1, count: 100) + [2, 3], rows: 103, into: 5, seed: 1)
    }
    #expect(error?.message.contains("found one of 100 of 103 rows") == true)
  }

  @Test("fewer than four units are refused") func few() {
    #expect(throws: InformationError.self) {
      try Folds.split([0, 0, 1, 1, 2, 2], rows: 6, into: 3, seed: 1)
    }
  }
}
