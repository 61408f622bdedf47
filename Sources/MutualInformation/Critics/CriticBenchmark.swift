internal import LinearAlgebra

/// Training alone, for benchmarks.
package enum CriticBenchmark {
  /// Trains a joint ReLU critic for so many steps on normal rows; returns its last loss, so that nothing is left out.
  package static func train(
    xWidth: Int, yWidth: Int, hidden: [Int], isInfoNCE: Bool, batch: Int, steps: Int, seed: UInt64
  ) -> Double {
    var generator = SeededGenerator(seed: seed)
    let rows = 2000
    let data = CriticRows(
      x: generator.normalMatrix(rows: rows, columns: xWidth),
      y: generator.normalMatrix(rows: rows, columns: yWidth))
    var options = CriticTraining.Options()
    options.objective = isInfoNCE ? .infoNCE : .donskerVaradhan
    options.batch = batch
    options.negatives = isInfoNCE ? 0 : 1
    options.steps = steps
    (options.patience, options.firstPatience) = (.max, .max)
    let critic = JointCritic(
      xWidth: xWidth, yWidth: yWidth, hidden: hidden, activation: .relu, startsAtZero: false)
    return CriticTraining(options: options).run(
      critic, data, train: Array(64..<rows), stopping: Array(0..<64)
    ).loss
  }
}
