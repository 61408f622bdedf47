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

  /// Scores of every y row against every x row, matched pairs on the diagonal.
  func allPairs(_ rows: [Int], cap: Float) -> Matrix {
    scores(rows, shifts: rows.count - 1, cap: cap).allPairs
  }
}
