private import LinearAlgebra
public import Recording
public import SnapshotFormat

/// Federated averaging on the digits (McMahan et al. 2017, arXiv 1602.05629), recorded as its server sees it: each
/// round some clients train on data of their own and send the change of their weights.
public struct FederatedRun: Sendable {
  /// Options of a run.
  public struct Options: Sendable {
    /// Clients that exist; each holds an equal part of the training set, sorted so that its digits are few.
    public var clients = 20
    /// Rounds.
    public var rounds = 40
    /// Mini-batches of a client in a round.
    public var localSteps = 5
    /// Examples of a mini-batch.
    public var batchSize = 10
    /// Learning rate of the clients' SGD.
    public var learningRate = 0.1
    /// Records in the probe set, whose gradients are taken at the global weights now and then.
    public var probe = 300
    /// Write nothing that differs from one recording to the next: no times, and an id made of the seed.
    public var isRepeatable = false
    /// Seed of everything random.
    public var seed: UInt64 = 1
    /// Recorder options.
    public var recording = Recorder.Options()

    /// The defaults of `ptoken-record demo --clients 20`.
    public init() {}
  }

  private let options: Options
  private let base: DigitsRun
  private let shards: [Digits]

  /// Prepares a run.
  public init(_ options: Options) {
    self.options = options
    var digits = DigitsRun.Options()
    digits.seed = options.seed
    digits.probe = options.probe
    let base = DigitsRun(digits)
    self.base = base
    // Two thirds of each shard are neighbours in the order of labels: clients differ, as in practice.
    let rows = base.train.labels.indices
    let sorted = rows.sorted { (base.train.labels[$0], $0) < (base.train.labels[$1], $1) }
    let own = sorted.enumerated().filter { $0.offset % 3 != 0 }.map(\.element)
    let mixed = sorted.enumerated().filter { $0.offset % 3 == 0 }.map(\.element)
    shards = (0..<options.clients).map { client in
      func part(_ list: [Int]) -> ArraySlice<Int> {
        list[
          list.count * client / options.clients..<list.count * (client + 1) / options.clients]
      }
      let others = mixed.enumerated().filter { $0.offset % options.clients == client }
      return base.train.gathering(Array(part(own)) + others.map(\.element))
    }
  }

  /// Trains and records; see `DigitsRun.record`. A step is a round.
  public func record(
    to path: String, producer: String, progress: (DigitsRun.Progress) -> Void = { _ in },
    isInterrupted: () -> Bool = { false }
  ) throws(SnapshotError) -> DigitsRun.Outcome {
    BLAS.useOneThread()
    var network = base.network
    let recorder = try recorder(path, producer, network)
    let start = ContinuousClock.now
    var generator = SeededGenerator(seed: options.seed, stream: 0xfeda)
    var loss = Double.nan
    var round = 0
    var isFinished = false
    var failure: SnapshotError?
    do throws(SnapshotError) {
      while !isInterrupted() {
        var step = StepDescription(
          index: round,
          time: options.isRepeatable
            ? .nan : Double((ContinuousClock.now - start) / .milliseconds(1)) / 1000,
          loss: loss, learningRate: options.learningRate, mode: .probe, modelMode: .training,
          dropout: .inactive, batchNorm: .running)
        if round % max(1, options.rounds / 4) == 0 || round == options.rounds {
          let gradients = network.gradients(base.probe.images, labels: base.probe.labels)
          try recorder.record(
            step, rows: [base.exampleRows(Table.probe, base.probe, gradients, rank: 0)])
        }
        guard round < options.rounds else {
          isFinished = true
          break
        }
        // Participation varies: from a fifth to a half of the clients.
        let least = max(1, options.clients / 5)
        let count = least + Int(generator.next() % UInt64(max(1, options.clients / 2 - least + 1)))
        let chosen = generator.permutation(options.clients).prefix(count).sorted()
        let updates = chosen.map { train($0, from: network, round: round) }
        loss = updates.reduce(0) { $0 + $1.loss } / Double(count)
        (step.mode, step.loss, step.participants) = (.trace, loss, count)
        let weights = shares(of: chosen)
        try recorder.record(step, rows: [rows(chosen, updates, weights)])
        apply(updates, weights, to: &network)
        round += 1
        progress(
          .init(
            step: round, steps: options.rounds, epoch: .nan, loss: loss,
            recordedSteps: recorder.committedSteps))
      }
    } catch {
      failure = error
    }
    let isComplete = isFinished && failure == nil
    try recorder.close(isComplete ? .complete : .interrupted)
    if let failure { throw failure }
    return .init(
      accuracy: network.accuracy(base.heldOut.images, labels: base.heldOut.labels), steps: round,
      recordedSteps: recorder.committedSteps, isInterrupted: !isComplete)
  }

  private enum Table { static let probe = 0, clients = 1 }

  private func recorder(
    _ path: String, _ producer: String, _ network: Network
  ) throws(SnapshotError) -> Recorder {
    let layers = network.trainable.map {
      (network.layers[$0].name, network.layers[$0].layer.parameterCount)
    }
    let probe = base.tables(network)[DigitsRun.Table.probe]
    let training = JSONDescription.text([
      "data": "UCI handwritten digits, \(base.train.images.rows) training records",
      "optimizer": "federated averaging of SGD", "learning_rate": options.learningRate,
      "batch_size": options.batchSize, "seed": options.seed, "sampling": "shuffle",
      "federated": [
        "clients": options.clients, "local_steps": options.localSteps,
        "aggregation": "mean weighted by examples",
      ],
    ])
    let identity = RunIdentity(repeatableFor: options.isRepeatable ? options.seed : nil)
    return try Recorder(
      path: path,
      run: RunDescription(
        id: identity.id, created: identity.created,
        producer: producer, model: base.modelDescription(network), training: training,
        observer: ObserverDescription(role: "federated server", aggregation: .client).json),
      tables: [
        probe,
        Recorder.Table(
          name: "clients", unit: .client, mode: .trace,
          columns: [.weight, .localSteps, .members],
          streams: [.feature("digit share", shape: [10], role: .other)]
            + layers.map { .gradient(layer: $0.0, stage: .delta, shape: [$0.1]) }),
      ], options: options.recording)
  }

  /// What a client sends, and what it was made of.
  private struct Update {
    var delta: [[Double]]
    var loss: Double
    var examples: Digits
  }

  private func train(_ client: Int, from global: Network, round: Int) -> Update {
    var network = global
    var generator = SeededGenerator(
      seed: options.seed, stream: UInt64(round) << 32 | UInt64(client) << 8 | 0xc1)
    let shard = shards[client]
    let order = generator.permutation(shard.labels.count)
    var loss = 0.0
    var used: [Int] = []
    for step in 0..<options.localSteps {
      let rows = (0..<options.batchSize).map {
        order[(step * options.batchSize + $0) % order.count]
      }
      used += rows
      let batch = shard.gathering(rows)
      let gradients = network.gradients(batch.images, labels: batch.labels)
      loss += gradients.losses.reduce(0, +) / Double(rows.count * options.localSteps)
      for (layer, sum) in zip(network.trainable, gradients.sums) {
        for index in sum.indices {
          network.parameters[layer][index] -= options.learningRate * sum[index] / Double(rows.count)
        }
      }
    }
    let delta = network.trainable.map { layer in
      zip(network.parameters[layer], global.parameters[layer]).map { $0 - $1 }
    }
    return Update(delta: delta, loss: loss, examples: shard.gathering(used))
  }

  private func shares(of clients: [Int]) -> [Double] {
    let sizes = clients.map { Double(shards[$0].labels.count) }
    let all = sizes.reduce(0, +)
    return sizes.map { $0 / all }
  }

  private func rows(_ clients: [Int], _ updates: [Update], _ weights: [Double]) -> TableRows {
    // Each example moves the update by about the learning rate over the batch size, times its gradient.
    let factor = options.learningRate / Double(options.batchSize)
    let examples = updates.flatMap(\.examples.records)
    return TableRows(
      table: Table.clients, records: clients.map { base.key.id(of: "client \($0)".utf8) },
      weights: weights, localSteps: clients.map { _ in options.localSteps },
      members: .init(
        counts: updates.map(\.examples.records.count),
        records: examples.map { base.key.id(of: "digits \($0)".utf8) },
        weights: [Double](repeating: factor, count: examples.count)),
      values: [.float(updates.flatMap(\.examples.digitShares))]
        + updates[0].delta.indices.map { layer in
          .float(updates.flatMap { $0.delta[layer].map { Float($0) } })
        })
  }

  private func apply(_ updates: [Update], _ weights: [Double], to network: inout Network) {
    for (update, weight) in zip(updates, weights) {
      for (layer, delta) in zip(network.trainable, update.delta) {
        for index in delta.indices { network.parameters[layer][index] += weight * delta[index] }
      }
    }
  }
}
