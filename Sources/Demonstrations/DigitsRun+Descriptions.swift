private import Foundation
internal import LinearAlgebra

extension DigitsRun {
  /// What the file says about the network.
  func modelDescription(_ network: Network) -> String {
    let layers = network.trainable.map { index -> [String: Any] in
      [
        "name": network.layers[index].name,
        "parameters": network.layers[index].layer.parameterCount,
      ]
    }
    return json([
      "name": "digits \(options.model.rawValue)", "layers": layers,
      "loss": "softmax cross-entropy", "observer": "all layers",
    ])
  }

  /// What the file says about training.
  func trainingDescription() -> String {
    var description: [String: Any] = [
      "data": "UCI handwritten digits, \(train.images.rows) training records",
      "optimizer": "SGD, momentum 0.9", "learning_rate": options.learningRate,
      "batch_size": options.batchSize, "epochs": options.epochs, "seed": options.seed,
      "sampling": "shuffled each epoch, without replacement", "probe_records": probe.images.rows,
    ]
    if let privacy = options.privacy {
      description["dp_sgd"] = ["clip": privacy.clip, "noise_multiplier": privacy.noise]
    }
    if let privacy = probePrivacy {
      description["probe_observer"] = ["clip": privacy.clip, "noise_multiplier": privacy.noise]
    }
    return json(description)
  }

  private func json(_ object: [String: Any]) -> String {
    // Strings and finite numbers only, which always serialise.
    let data = try? JSONSerialization.data(
      withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes])
    return data.map { String(decoding: $0, as: UTF8.self) } ?? "{}"
  }
}
