private import Foundation
private import LinearAlgebra
private import Recording
public import SnapshotFormat

extension DigitsRun {
  /// The files that a run is recorded to: one, or `run.rank0.h5`, `run.rank1.h5`, ...
  public static func paths(for path: String, ranks: Int) -> [String] {
    (0..<ranks).map { RankFiles.path(for: path, rank: $0, of: ranks) }
  }

  /// Trains and records.
  ///
  /// - Parameters:
  ///   - path: the snapshot file to write; see `paths(for:ranks:)`.
  ///   - producer: name and version of the program.
  ///   - progress: called after each step.
  ///   - isInterrupted: asked before each step; true ends the run there and closes the file as `interrupted`.
  /// - Throws: `SnapshotError`.
  public func record(
    to path: String, producer: String, progress: (Progress) -> Void = { _ in },
    isInterrupted: () -> Bool = { false }
  ) throws(SnapshotError) -> Outcome {
    BLAS.useOneThread()
    var network = network
    let recorders = try recorders(Self.paths(for: path, ranks: options.ranks), producer, network)
    let clock = ContinuousClock()
    let start = clock.now
    let earlier = recorders[0].resumedAfter
    let perEpoch = train.images.rows / options.batchSize
    let total = perEpoch * options.epochs
    let probeSteps = probeSchedule(total: total, perEpoch: perEpoch)
    var velocity = network.parameters.map { [Double](repeating: 0, count: $0.count) }
    var order: [Int] = []
    var batches = SeededGenerator(seed: options.seed, stream: 0xba7c)
    var noise = SeededGenerator(seed: options.seed, stream: 0xd95d)
    var loss = Double.nan
    var step = 0
    var isFinished = false
    var failure: SnapshotError?
    do throws(SnapshotError) {
      while !isInterrupted() {
        let epoch = Double(step) / Double(max(perEpoch, 1))
        let elapsed = Double((clock.now - start) / .milliseconds(1)) / 1000
        var description = StepDescription(
          index: step, epoch: epoch,
          time: options.isRepeatable ? .nan : (earlier?.time ?? 0) + elapsed, loss: loss,
          learningRate: options.learningRate, mode: .probe, participants: options.ranks,
          modelMode: .training, dropout: .inactive, batchNorm: .running)
        // Before a resumed recording's first step the same training runs again, unrecorded.
        if probeSteps.contains(step), earlier.map({ step > $0.index }) ?? true {
          try recordProbe(network, description, recorders)
        }
        guard step < total else {
          isFinished = true
          break
        }
        if step % perEpoch == 0 { order = batches.permutation(train.images.rows) }
        let first = step % perEpoch * options.batchSize
        let batch = train.gathering(Array(order[first..<first + options.batchSize]))
        var gradients = network.gradients(batch.images, labels: batch.labels)
        loss = gradients.losses.reduce(0, +) / Double(gradients.losses.count)
        var factors = [Double](repeating: 1, count: batch.labels.count)
        if let privacy = options.privacy {
          factors = gradients.norms.map { min(1, privacy.clip / $0) }
          gradients.clip(to: privacy.clip)
        }
        let update = averaged(gradients, noise: &noise)
        let isNew = earlier.map { ($0.index, $0.mode.rawValue) < (step, 1) } ?? true
        if recorders[0].wants(step, table: Table.trace), isNew {
          (description.mode, description.loss) = (.trace, loss)
          try recordTrace(batch, gradients, factors, update, description, recorders)
        }
        apply(update, to: &network, &velocity)
        step += 1
        progress(
          Progress(
            step: step, steps: total, epoch: epoch, loss: loss,
            recordedSteps: recorders[0].committedSteps))
      }
    } catch {
      failure = error
    }
    let isComplete = isFinished && failure == nil
    for recorder in recorders { try recorder.close(isComplete ? .complete : .interrupted) }
    if let failure { throw failure }
    return Outcome(
      accuracy: network.accuracy(heldOut.images, labels: heldOut.labels), steps: step,
      recordedSteps: recorders[0].committedSteps, isInterrupted: !isComplete)
  }

  private func recorders(
    _ paths: [String], _ producer: String, _ network: Network
  ) throws(SnapshotError) -> [Recorder] {
    let identity = RunIdentity(repeatableFor: options.isRepeatable ? options.seed : nil)
    let now = identity.created
    let run = RunDescription(
      id: identity.id, created: now, producer: producer,
      model: modelDescription(network), training: trainingDescription(),
      observer: ObserverDescription(role: "reader of per-example gradients").json)
    var recorders: [Recorder] = []
    for (rank, path) in paths.enumerated() {
      var recording = options.recording
      recording.rank = UInt16(rank)
      recorders.append(
        options.resumes
          ? try Recorder(
            resuming: path, started: now, tables: tables(network), options: recording)
          : try Recorder(path: path, run: run, tables: tables(network), options: recording))
    }
    return recorders
  }

  /// Probe at the start, early while the network changes fast, then about once an epoch, and at the end.
  private func probeSchedule(total: Int, perEpoch: Int) -> Set<Int> {
    var steps: Set<Int> = [0, perEpoch / 4, perEpoch, total]
    let stride = max(1, (options.epochs + 7) / 8) * perEpoch
    for step in Swift.stride(from: 2 * perEpoch, to: total, by: max(stride, 1)) {
      steps.insert(step)
    }
    return steps.filter { $0 <= total }
  }

  /// The rows of a rank among so many: a stretch of them.
  private func part(_ rank: Int, of rows: Int) -> [Int] {
    Array(rows * rank / options.ranks..<rows * (rank + 1) / options.ranks)
  }

  private func recordProbe(
    _ network: Network, _ step: StepDescription, _ recorders: [Recorder]
  ) throws(SnapshotError) {
    for (rank, recorder) in recorders.enumerated() {
      let examples = probe.gathering(part(rank, of: probe.images.rows))
      var gradients = network.gradients(examples.images, labels: examples.labels)
      if let privacy = probePrivacy {
        gradients.clip(to: privacy.clip)
        // One stream of noise per checkpoint and rank, scaled by z: runs that differ only in z see the same noise.
        var generator = SeededGenerator(
          seed: options.seed, stream: 0x4015_0000 + UInt64(step.index) + UInt64(rank) << 48)
        if privacy.noise > 0 {
          gradients.addNoise(deviation: privacy.noise * privacy.clip, using: &generator)
        }
      }
      try recorder.record(
        step, rows: [exampleRows(Table.probe, examples, gradients, rank: rank)])
    }
  }

  private func recordTrace(
    _ batch: Digits, _ gradients: Network.Gradients, _ factors: [Double], _ update: [[Double]],
    _ step: StepDescription, _ recorders: [Recorder]
  ) throws(SnapshotError) {
    for (rank, recorder) in recorders.enumerated() {
      let rows = part(rank, of: batch.labels.count)
      let own = batch.gathering(rows)
      let part = gradients.gathering(rows)
      // Each rank's mean is what it sends; with one rank, that is the update.
      let mean =
        options.ranks == 1
        ? update : part.sums.map { $0.map { $0 / Double(max(1, rows.count)) } }
      try recorder.record(
        step,
        rows: [
          exampleRows(Table.trace, own, part, rank: rank),
          batchRow(
            own, factors: rows.map { factors[$0] }, update: mean,
            share: Double(rows.count) / Double(batch.labels.count), rank: rank),
        ])
    }
  }

  /// Mean gradient of a batch, with DP-SGD's noise on the sum where asked for.
  private func averaged(
    _ gradients: Network.Gradients, noise: inout SeededGenerator
  ) -> [[Double]] {
    let count = Double(gradients.losses.count)
    let deviation = options.privacy.map { $0.clip * $0.noise } ?? 0
    return gradients.sums.map { sum in
      sum.map { ($0 + (deviation > 0 ? deviation * noise.normal() : 0)) / count }
    }
  }

  private func apply(
    _ update: [[Double]], to network: inout Network, _ velocity: inout [[Double]]
  ) {
    for (position, layer) in network.trainable.enumerated() {
      for index in network.parameters[layer].indices {
        velocity[layer][index] = 0.9 * velocity[layer][index] + update[position][index]
        network.parameters[layer][index] -= options.learningRate * velocity[layer][index]
      }
    }
  }
}
