internal import LinearAlgebra
internal import Recording
internal import SnapshotFormat

extension DigitsRun {
  /// Positions of the tables.
  enum Table { static let probe = 0, trace = 1, batch = 2 }

  func tables(_ network: Network) -> [Recorder.Table] {
    let layers = network.trainable.map {
      (network.layers[$0].name, network.layers[$0].layer.parameterCount)
    }
    func gradients(_ stage: GradientStage, _ privacy: Privacy?) -> [Recorder.Stream] {
      let clipping = privacy.map { Clipping(norm: $0.clip, noiseMultiplier: $0.noise) }
      return layers.map {
        .gradient(layer: $0.0, stage: stage, shape: [$0.1], clipping: clipping)
      }
    }
    let inputs: [Recorder.Stream] = [.feature("image", shape: [1, 8, 8]), .label("digit")]
    let loss: [Recorder.Stream] = [.scalar("loss", unit: "nats")]
    let probeStage: GradientStage =
      probePrivacy.map { $0.noise > 0 ? .noised : .clipped } ?? .raw
    // Noise is added to the sum over the batch, not to the examples of the trace.
    let clipped = options.privacy.map { Privacy(clip: $0.clip, noise: 0) }
    return [
      Recorder.Table(
        name: "probe", mode: .probe,
        streams: inputs + gradients(probeStage, probePrivacy) + loss),
      Recorder.Table(
        name: "trace", mode: .trace, schedule: Schedule(every: options.traceEvery),
        streams: inputs + gradients(clipped == nil ? .raw : .clipped, clipped) + loss),
      Recorder.Table(
        name: "batches", unit: .batch, mode: .trace, schedule: Schedule(every: options.traceEvery),
        columns: [.members, .weight],
        streams: [.feature("digit share", shape: [10], role: .other)]
          + gradients(
            (options.privacy?.noise ?? 0) > 0 ? .noised : .averaged, options.privacy)),
    ]
  }

  /// Rows of a table of examples.
  func exampleRows(
    _ table: Int, _ examples: Digits, _ gradients: Network.Gradients, rank: Int
  ) -> TableRows {
    TableRows(
      table: table, records: examples.records.map { key.id(of: "digits \($0)".utf8) },
      rank: UInt16(rank),
      values: [.float(examples.images.elements.map { Float($0) }), .label(examples.labels)]
        + gradients.perExample.map { .float($0.elements.map { Float($0) }) }
        + [.float(gradients.losses.map { Float($0) })])
  }

  /// The row of a batch, and what it was made of.
  ///
  /// - Parameters:
  ///   - factors: what each example's gradient was multiplied by in clipping.
  ///   - share: weight of this batch among those of all ranks.
  func batchRow(
    _ batch: Digits, factors: [Double], update: [[Double]], share: Double, rank: Int
  ) -> TableRows {
    let count = Double(batch.labels.count)
    let name = batch.records.sorted().map(String.init).joined(separator: ",")
    return TableRows(
      table: Table.batch, records: [key.id(of: "batch \(name)".utf8)], rank: UInt16(rank),
      weights: [share],
      members: .init(
        counts: [batch.labels.count],
        records: batch.records.map { key.id(of: "digits \($0)".utf8) },
        weights: factors.map { $0 / count }),
      values: [.float(batch.digitShares)] + update.map { .float($0.map { Float($0) }) })
  }
}

extension Digits {
  /// Share of each digit.
  var digitShares: [Float] {
    var share = [Float](repeating: 0, count: 10)
    for label in labels { share[Int(label)] += 1 / Float(labels.count) }
    return share
  }
}
