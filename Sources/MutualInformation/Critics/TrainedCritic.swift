internal import LinearAlgebra

/// A critic with the parameters that training gave it and the rows that it scores.
struct TrainedCritic {
  let critic: any Critic
  let data: CriticRows
  let outcome: CriticTraining.Outcome

  /// Whether training improved on the critic as it began, by its stopping rows.
  var isProgress: Bool { outcome.loss < outcome.firstLoss }

  /// The highest score of matched rows.
  func largestScore(_ rows: [Int]) -> Float {
    let scores = PairScores(data, rows: rows, shifts: 0).scores(critic, outcome.parameters)
    return (0..<rows.count).reduce(-Float.infinity) { max($0, scores.start[$1]) }
  }

  /// Scores of rows with their partners and `shifts` others each, none above `cap`.
  func scores(
    _ rows: [Int], shifts: Int, cap: Float = .infinity, parameters: Buffer<Float>? = nil
  ) -> HeldOutScores {
    PairScores(data, rows: rows, shifts: shifts)
      .heldOut(critic, parameters ?? outcome.parameters, cap: cap)
  }

  /// Rows of which every pair is scored where some depend on each other.
  private static let mostTested = 1000

  /// p-value of the mean score of untouched rows.
  ///
  /// - Parameters:
  ///   - scored: their scores with shifted partners, for rows that are independent.
  ///   - units: unit of every row; nil: each is its own.
  func pairingTest(
    _ rows: [Int], scored: HeldOutScores, units: [Int]?, cap: Float = .infinity,
    parameters: Buffer<Float>? = nil, pairings: Int, seed: UInt64
  ) -> Double {
    guard let units else { return scored.pairingTest(pairings, seed: seed) }
    var generator = SeededGenerator(seed: seed, stream: 0x9a2)
    let some = RandomPairings.rows(
      Self.mostTested, of: rows.map { units[$0] }, count: rows.count, &generator
    ).map { rows[$0] }
    return scores(some, shifts: some.count - 1, cap: cap, parameters: parameters)
      .pairingTest(pairings, units: some.map { units[$0] }, seed: seed)
  }

  /// Scores of every y row against every x row, matched pairs on the diagonal.
  func allPairs(_ rows: [Int], cap: Float) -> Matrix {
    scores(rows, shifts: rows.count - 1, cap: cap).allPairs
  }
}
