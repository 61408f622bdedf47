internal import Results

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
    return ["every", "start", "end"].allSatisfy { object[$0].map { $0.integer != nil } ?? true }
  }

  private static func readModel(_ text: String, into reading: inout Reading) {
    guard let model = required(Names.model, text, &reading) else { return }
    func breach(_ message: String) {
      reading.breaches.append(
        .init(requirement: "R-011", object: "/model", message: message))
    }
    guard model["name"]?.text != nil else { return breach("expected a string 'name'") }
    guard case .array(let list)? = model["layers"], list.count <= Limits.layers else {
      return breach("expected an array 'layers' of at most \(Limits.layers)")
    }
    var names: [String] = []
    var sum = 0
    for (position, value) in list.enumerated() {
      guard let name = value["name"]?.text, let parameters = value["parameters"]?.integer,
        parameters >= 0
      else {
        return breach("expected layer \(position) to have a string 'name' and integer 'parameters'")
      }
      names.append(name)
      reading.layerParameters[name] = parameters
      let (total, overflows) = sum.addingReportingOverflow(parameters)
      guard !overflows else {
        return breach("expected layers of fewer than 2^63 parameters in all")
      }
      sum = total
    }
    guard Set(names.map(ExactText.init)).count == names.count else {
      return breach("expected the names of layers to be unique")
    }
    guard let parameters = model["parameters"]?.integer, parameters >= sum else {
      return breach("expected an integer 'parameters' of at least \(sum), the sum over the layers")
    }
    reading.layers = names
    reading.parameters = parameters
  }

  private static func readTraining(_ text: String, into reading: inout Reading) {
    guard let training = required(Names.training, text, &reading) else { return }
    func require(_ keys: [String], _ expected: String, _ test: (JSONValue) -> Bool) {
      for key in keys {
        guard let value = training[key], !test(value) else { continue }
        reading.breaches.append(
          .init(
            requirement: "R-012", object: "/training",
            message: "expected '\(key)' to be \(expected)"))
      }
    }
    require(["data", "optimizer", "sampling"], "a string") { $0.text != nil }
    require(["learning_rate", "epochs"], "a number") { $0.number != nil }
    require(["batch_size", "seed"], "an integer of at least 0") { isNatural($0) }
    require(["sampling_rate"], "a number from 0 to 1") {
      $0.number.map { (0...1).contains($0) } ?? false
    }
    require(
      ["dp_sgd", "probe_observer"],
      "an object with 'clip' above 0 and 'noise_multiplier' of at least 0"
    ) {
      guard let clip = $0["clip"]?.number, let noise = $0["noise_multiplier"]?.number else {
        return false
      }
      return clip > 0 && noise >= 0 && ($0["delta"].map { $0.number != nil } ?? true)
    }
    require(["federated"], "an object with an integer 'clients' of at least 1") {
      federated in
      guard let clients = federated["clients"]?.integer, clients >= 1 else { return false }
      return ["clients_per_round", "local_steps"].allSatisfy {
        federated[$0].map { $0.integer != nil } ?? true
      } && (federated["aggregation"].map { $0.text != nil } ?? true)
    }
  }

  private static func readObserver(_ text: String, into reading: inout Reading) {
    guard let observer = required(Names.observer, text, &reading) else { return }
    func breach(_ message: String) {
      reading.breaches.append(.init(requirement: "R-016", object: "/observer", message: message))
    }
    guard observer["role"]?.text != nil else { return breach("expected a string 'role'") }
    guard let aggregation = observer["aggregation"]?.text,
      ObserverDescription.Aggregation(rawValue: aggregation) != nil
    else { return breach("expected 'aggregation' to be none, batch, client or sum") }
    let names: [String?] =
      if case .array(let seen)? = observer["layers"] { seen.map(\.text) } else { [] }
    let isList = if case .array? = observer["layers"] { true } else { false }
    guard observer["layers"]?.text == "all" || isList, !names.contains(nil) else {
      return breach("expected 'layers' to be \"all\" or an array of names")
    }
    guard let layers = reading.layers else { return }
    let known = Set(layers.map(ExactText.init))
    if let stranger = names.lazy.compactMap({ $0 }).first(where: { !known.contains(ExactText($0)) })
    {
      breach("expected 'layers' to name layers of /model, found '\(stranger.prefix(80))'")
    }
  }

  /// The object of a description; notes a breach of R-010 where there is none.
  private static func required(
    _ name: String, _ text: String, _ reading: inout Reading
  ) -> JSONValue? {
    if text.utf8.count <= Limits.jsonBytes, let object = object(text) { return object }
    reading.breaches.append(
      .init(
        requirement: "R-010", object: "/\(name)",
        message: "expected a JSON object of at most \(Limits.jsonBytes) bytes"))
    return nil
  }

  private static func object(_ text: String) -> JSONValue? {
    guard !JSONText.isLax(text.utf8), let value = JSONValue(parsing: text), case .object = value
    else { return nil }
    return value
  }

  private static func isNatural(_ value: JSONValue) -> Bool {
    // Seeds may be any 64-bit number.
    value.number.map { $0 >= 0 && $0 == $0.rounded() && $0 < 0x1p64 } ?? false
  }
}

extension JSONValue {
  fileprivate var number: Double? {
    guard case .number(let digits) = self else { return nil }
    return Double(digits)
  }

  /// A number without a fraction, however it is written.
  fileprivate var integer: Int? {
    guard let number, number == number.rounded(), abs(number) <= 0x1p62 else { return nil }
    guard case .number(let digits) = self else { return nil }
    return Int(digits) ?? Int(number)
  }
}
