private import Foundation

/// What the specification asks of the JSON in a snapshot.
enum JSONRules {
  /// What the descriptions of a run say, and what is wrong with them.
  struct Reading {
    var breaches: [DescriptionRules.Breach] = []
    /// Names of the model's layers, in order; nil if they cannot be read.
    var layers: [String]?
    /// Elements of each layer's gradient.
    var layerParameters: [String: Int] = [:]
    /// All trainable parameters.
    var parameters: Int?
  }

  static func read(_ run: RunDescription) -> Reading {
    var reading = Reading()
    readModel(run.model, into: &reading)
    readTraining(run.training, into: &reading)
    readObserver(run.observer, into: &reading)
    return reading
  }

  static func isSchedule(_ text: String) -> Bool {
    guard text.utf8.count <= Limits.textBytes, let object = object(text) else { return false }
    return ["every", "start", "end"].allSatisfy { object[$0].map { integer($0) != nil } ?? true }
  }

  private static func readModel(_ text: String, into reading: inout Reading) {
    guard let model = required(Names.model, text, &reading) else { return }
    func breach(_ message: String) {
      reading.breaches.append(
        .init(requirement: "R-011", object: "/model", message: message))
    }
    guard model["name"] is String else { return breach("expected a string 'name'") }
    guard let list = model["layers"] as? [Any], list.count <= Limits.layers else {
      return breach("expected an array 'layers' of at most \(Limits.layers)")
    }
    var names: [String] = []
    var sum = 0
    for (position, value) in list.enumerated() {
      guard let layer = value as? [String: Any], let name = layer["name"] as? String,
        let parameters = layer["parameters"].flatMap(integer), parameters >= 0
      else {
        return breach("expected layer \(position) to have a string 'name' and integer 'parameters'")
      }
      names.append(name)
      reading.layerParameters[name] = parameters
      sum = sum.addingReportingOverflow(parameters).partialValue
    }
    guard Set(names.map(ExactText.init)).count == names.count else {
      return breach("expected the names of layers to be unique")
    }
    guard let parameters = model["parameters"].flatMap(integer), parameters >= sum, sum >= 0 else {
      return breach("expected an integer 'parameters' of at least \(sum), the sum over the layers")
    }
    reading.layers = names
    reading.parameters = parameters
  }

  private static func readTraining(_ text: String, into reading: inout Reading) {
    guard let training = required(Names.training, text, &reading) else { return }
    func require(_ keys: [String], _ expected: String, _ test: (Any) -> Bool) {
      for key in keys {
        guard let value = training[key], !test(value) else { continue }
        reading.breaches.append(
          .init(
            requirement: "R-012", object: "/training",
            message: "expected '\(key)' to be \(expected)"))
      }
    }
    require(["data", "optimizer", "sampling"], "a string") { $0 is String }
    require(["learning_rate", "epochs"], "a number") { number($0) != nil }
    require(["batch_size", "seed"], "an integer of at least 0") { isNatural($0) }
    require(["sampling_rate"], "a number from 0 to 1") {
      number($0).map { (0...1).contains($0) } ?? false
    }
    require(
      ["dp_sgd", "probe_observer"],
      "an object with 'clip' above 0 and 'noise_multiplier' of at least 0"
    ) {
      guard let privacy = $0 as? [String: Any], let clip = privacy["clip"].flatMap(number),
        let noise = privacy["noise_multiplier"].flatMap(number)
      else { return false }
      return clip > 0 && noise >= 0 && (privacy["delta"].map { number($0) != nil } ?? true)
    }
    require(["federated"], "an object with an integer 'clients' of at least 1") {
      guard let federated = $0 as? [String: Any],
        let clients = federated["clients"].flatMap(integer), clients >= 1
      else { return false }
      return ["clients_per_round", "local_steps"].allSatisfy {
        federated[$0].map { integer($0) != nil } ?? true
      } && (federated["aggregation"].map { $0 is String } ?? true)
    }
  }

  private static func readObserver(_ text: String, into reading: inout Reading) {
    guard let observer = required(Names.observer, text, &reading) else { return }
    func breach(_ message: String) {
      reading.breaches.append(.init(requirement: "R-016", object: "/observer", message: message))
    }
    guard observer["role"] is String else { return breach("expected a string 'role'") }
    guard let aggregation = observer["aggregation"] as? String,
      ObserverDescription.Aggregation(rawValue: aggregation) != nil
    else { return breach("expected 'aggregation' to be none, batch, client or sum") }
    let seen = observer["layers"] as? [Any]
    guard observer["layers"] as? String == "all" || seen?.allSatisfy({ $0 is String }) == true
    else { return breach("expected 'layers' to be \"all\" or an array of names") }
    if let layers = reading.layers, let seen = seen as? [String],
      let stranger = seen.first(where: { !Set(layers.map(ExactText.init)).contains(ExactText($0)) })
    {
      breach("expected 'layers' to name layers of /model, found '\(stranger.prefix(80))'")
    }
  }

  /// The object of a description; notes a breach of R-010 where there is none.
  private static func required(
    _ name: String, _ text: String, _ reading: inout Reading
  ) -> [String: Any]? {
    if text.utf8.count <= Limits.jsonBytes, let object = object(text) { return object }
    reading.breaches.append(
      .init(
        requirement: "R-010", object: "/\(name)",
        message: "expected a JSON object of at most \(Limits.jsonBytes) bytes"))
    return nil
  }

  static func object(_ text: String) -> [String: Any]? {
    guard !JSONText.isLax(text.utf8) else { return nil }
    return (try? JSONSerialization.jsonObject(with: Data(text.utf8))) as? [String: Any]
  }

  private static func isBoolean(_ value: Any) -> Bool {
    // JSONSerialization gives booleans as numbers too, of C's char or bool.
    (value as? NSNumber).map { ["c", "B"].contains(String(cString: $0.objCType)) } ?? false
  }

  private static func number(_ value: Any) -> Double? {
    isBoolean(value) ? nil : (value as? NSNumber)?.doubleValue
  }

  private static func integer(_ value: Any) -> Int? {
    guard let number = number(value), number == number.rounded(), abs(number) <= 0x1p62 else {
      return nil
    }
    return (value as? NSNumber)?.intValue
  }

  private static func isNatural(_ value: Any) -> Bool {
    // Seeds may be any 64-bit number.
    number(value).map { $0 >= 0 && $0 == $0.rounded() && $0 < 0x1p64 } ?? false
  }
}
