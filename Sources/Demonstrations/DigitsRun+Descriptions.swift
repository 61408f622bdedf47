private import Foundation
internal import LinearAlgebra
private import SnapshotFormat

extension DigitsRun {
  /// What the file says about the network.
  func modelDescription(_ network: Network) -> String {
    ModelDescription(
      name: "digits \(options.model.rawValue)",
      layers: network.trainable.map { index in
        .init(
          network.layers[index].name, parameters: network.layers[index].layer.parameterCount)
      }
    ).json
  }

  /// What the file says about training.
  func trainingDescription() -> String {
    var description: [String: Any] = [
      "data": "UCI handwritten digits, \(train.images.rows) training records",
      "loss": "softmax cross-entropy",
      "optimizer": "SGD, momentum 0.9", "learning_rate": options.learningRate,
      "batch_size": options.batchSize, "epochs": options.epochs, "seed": options.seed,
      "sampling": "shuffle", "probe_records": probe.images.rows,
    ]
    if let privacy = options.privacy {
      description["dp_sgd"] = ["clip": privacy.clip, "noise_multiplier": privacy.noise]
    }
    if let privacy = probePrivacy {
      description["probe_observer"] = ["clip": privacy.clip, "noise_multiplier": privacy.noise]
    }
    return JSONDescription.text(description)
  }
}

/// Descriptions as JSON text, the same for the same content.
enum JSONDescription {
  static func text(_ object: [String: Any]) -> String {
    // Strings and finite numbers only, which always serialise.
    let data = try? JSONSerialization.data(
      withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes])
    return data.map { String(decoding: $0, as: UTF8.self) } ?? "{}"
  }
}
