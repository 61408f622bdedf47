internal import LinearAlgebra

/// Trains a critic on some rows and stops where it is best on others.
struct CriticTraining {
  struct Options {
    var objective = Objective.logistic
    var batch = 256
    /// Mismatched partners of a row in a batch; 0: all of the batch.
    var negatives = 4
    /// Most steps.
    var steps = 4000
    /// Steps without progress on the stopping rows that end the training; and those where there never was any.
    var patience = 500
    var firstPatience = 300
    var optimizer = AdamW<Float>.Options()
    var seed: UInt64 = 1
  }

  let options: Options

  /// Training rows below which stopping rows are looked at more often.
  private static let few = 2000

  /// What training gave.
  struct Outcome {
    /// The parameters that were best on the stopping rows.
    var parameters: Buffer<Float>
    /// Their loss there.
    var loss: Double
    /// The parameters when training ended.
    var last: Buffer<Float>
    /// The loss of the critic as it began.
    var firstLoss: Double
    var steps: Int
    /// Whether it stopped before its last step.
    var isConverged: Bool
  }

  func run(_ critic: any Critic, _ data: CriticRows, train: [Int], stopping: [Int]) -> Outcome {
    var generator = SeededGenerator(seed: options.seed, stream: 0xc1)
    let count = critic.parameterCount
    let parameters = Buffer<Float>(count: count)
    critic.initialize(parameters.start, &generator)
    let gradient = Buffer<Float>(count: count)
    let size = min(options.batch, train.count)
    let others = options.negatives == 0 ? size - 1 : min(options.negatives, size - 1)
    let blocks = others + 1
    let batch = PairBatch(size: size, blocks: blocks, like: data)
    critic.reserve(size: size, blocks: blocks)
    let scores = Buffer<Float>(count: size * blocks)
    let scoreGradient = Buffer<Float>(count: size * blocks)
    let optimizer = AdamW<Float>(count: count, options: options.optimizer)
    var average = -Double.infinity
    let isContrastive = options.objective == .infoNCE && blocks == size && !batch.hasOffsets

    // Few rows are soon learned by heart: then looked at more often.
    let interval = train.count < Self.few ? 25 : 100
    let check = PairScores(data, rows: stopping, shifts: 8)
    func lossOnStopping(_ parameters: Buffer<Float>) -> Double {
      var none = -Double.infinity
      let all = check.scores(critic, parameters)
      return options.objective.loss(
        all, size: check.count, blocks: check.blocks, gradient: nil, average: &none)
    }
    let firstLoss = lossOnStopping(parameters)
    var best = firstLoss
    let kept = Buffer<Float>(count: count)
    kept.copy(parameters)
    var (step, lastBest) = (0, 0)
    var order = train
    generator.shuffle(&order)
    var next = 0
    // The matched pairs, and all shifts or as many as are drawn.
    var shifts = Array(0..<blocks)
    var isConverged = false
    while step < options.steps {
      if next + size > order.count {
        // From the same start, in place.
        for place in train.indices { order[place] = train[place] }
        generator.shuffle(&order)
        next = 0
      }
      if blocks < size {
        for block in 1..<blocks { shifts[block] = 1 + Int(generator.next() % UInt64(size - 1)) }
      }
      batch.fill(data, rows: order[next..<next + size], shifts: shifts)
      next += size
      gradient.fill(0)
      if isContrastive, let critic = critic as? JointCritic {
        _ = critic.contrast(batch, parameters, into: gradient)
      } else {
        critic.scores(batch, parameters, into: scores, at: 0)
        batch.addOffsets(to: scores, at: 0)
        _ = options.objective.loss(
          scores, size: size, blocks: blocks, gradient: scoreGradient, average: &average)
        critic.backward(batch, parameters, scoreGradient, into: gradient)
      }
      optimizer.update(parameters, gradient: gradient)
      step += 1
      if step % interval == 0 {
        let loss = lossOnStopping(optimizer.mean)
        if loss < best {
          best = loss
          kept.copy(optimizer.mean)
          lastBest = step
        } else if step - lastBest >= (best < firstLoss ? options.patience : options.firstPatience) {
          isConverged = true
          break
        }
      }
    }
    return Outcome(
      parameters: kept, loss: best, last: optimizer.mean, firstLoss: firstLoss, steps: step,
      isConverged: isConverged)
  }
}

/// Scores of rows with their partners, and with those some places on.
final class PairScores {
  let data: CriticRows
  let rows: [Int]
  let shifts: [Int]
  private let result: Buffer<Float>
  /// All rows, a few blocks at a time, so that memory stays bounded.
  private let batch: PairBatch
  private let group: Int
  var count: Int { rows.count }
  var blocks: Int { shifts.count }

  /// - Parameter shifts: mismatched partners for each row, spread over all others.
  init(_ data: CriticRows, rows: [Int], shifts: Int) {
    self.data = data
    self.rows = rows
    let others = min(shifts, rows.count - 1)
    self.shifts = [0] + (0..<others).map { 1 + $0 * (rows.count - 1) / others }
    result = Buffer(count: rows.count * self.shifts.count)
    group = max(1, min(self.shifts.count, 16384 / max(1, rows.count)))
    batch = PairBatch(size: rows.count, blocks: group, like: data)
  }

  /// [blocks, rows], block 0 matched. The buffer is used again by the next call.
  func scores(_ critic: any Critic, _ parameters: Buffer<Float>) -> Buffer<Float> {
    critic.reserve(size: rows.count, blocks: group)
    var done = 0
    while done < shifts.count {
      let next = min(done + group, shifts.count)
      batch.fill(data, rows: rows, shifts: shifts[done..<next])
      critic.scores(batch, parameters, into: result, at: done * rows.count)
      batch.addOffsets(to: result, at: done * rows.count)
      done = next
    }
    return result
  }
}

extension PairScores {
  /// What is known beforehand of each pair, [blocks, rows].
  func offsets() -> Buffer<Float> {
    let batch = PairBatch(size: count, blocks: blocks, like: data)
    batch.fill(data, rows: rows, shifts: shifts)
    return batch.offsets
  }

  /// Scores that may be kept, none above `cap`.
  func heldOut(_ critic: any Critic, _ parameters: Buffer<Float>, cap: Float) -> HeldOutScores {
    HeldOutScores(scores(critic, parameters), rows: rows, shifts: shifts, cap: cap)
  }
}
