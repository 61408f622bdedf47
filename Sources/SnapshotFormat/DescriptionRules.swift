private import Foundation

/// What the specification asks of descriptions; used before writing, and on what a file says.
enum DescriptionRules {
  /// A broken rule: the requirement's number, the object and what is wrong with it.
  struct Breach: Error {
    var requirement: String
    var object: String
    var message: String
  }

  /// Refuses descriptions that a file may not hold; returns what their JSON says.
  static func check(
    run: RunDescription, tables: [TableDescription], file: String
  ) throws(SnapshotError) -> JSONRules.Reading {
    let json = JSONRules.read(run)
    let breaches = breaches(of: run) + json.breaches + breaches(of: tables, layers: json.layers)
    if let breach = breaches.first {
      throw SnapshotError(
        code: .invalid, file: file, object: breach.object, message: breach.message,
        requirement: breach.requirement)
    }
    return json
  }

  static func breaches(of run: RunDescription) -> [Breach] {
    var found: [Breach] = []
    if UUID(uuidString: run.id)?.uuidString.lowercased() != run.id {
      found.append(
        Breach(requirement: "R-004", object: "@run_id", message: "expected a lower-case UUID"))
    }
    if !isTime(run.created) {
      found.append(
        Breach(
          requirement: "R-005", object: "@created",
          message: "expected an ISO 8601 time in UTC, found '\(run.created.prefix(40))'"))
    }
    for (number, name, text) in [
      ("R-006", "@producer", run.producer), ("R-024", "/steps/loss@unit", run.lossUnit),
    ] where text.utf8.count > Limits.textBytes {
      found.append(tooLong(number, name))
    }
    return found
  }

  /// Whether a text is an ISO 8601 time in UTC, to the second.
  static func isTime(_ text: String) -> Bool {
    // There was no year 0, and not every calendar has one.
    !text.hasPrefix("0000") && (try? Date(text, strategy: .iso8601))?.formatted(.iso8601) == text
  }

  /// - Parameter layers: names of the model's layers; nil where they are not known.
  static func breaches(of tables: [TableDescription], layers: [String]?) -> [Breach] {
    var found: [Breach] = []
    let known = layers.map { Set($0.map(ExactText.init)) }
    if tables.count > Limits.tables {
      found.append(
        Breach(
          requirement: "R-030", object: "/tables",
          message: "expected at most \(Limits.tables) tables, found \(tables.count)"))
    }
    for (number, table) in tables.enumerated() {
      let place = "/tables/" + Names.numbered("T", number)
      found += breaches(of: table, place)
      for stream in table.streams {
        found += breaches(of: stream, layers: known).map {
          Breach(
            requirement: $0.requirement, object: "\(place) stream '\(stream.name.prefix(80))'",
            message: $0.message)
        }
      }
    }
    return found
  }

  private static func breaches(of table: TableDescription, _ place: String) -> [Breach] {
    var found: [Breach] = []
    if table.name.utf8.count > Limits.textBytes { found.append(tooLong("R-031", "\(place)@name")) }
    if table.streams.count > Limits.streamsPerTable {
      found.append(
        Breach(
          requirement: "R-040", object: place,
          message: "expected at most \(Limits.streamsPerTable) streams"))
    }
    if Set(table.streams.map { ExactText($0.name) }).count != table.streams.count {
      found.append(
        Breach(requirement: "R-041", object: place, message: "expected stream names to be unique"))
    }
    if table.columns.contains(.members), table.unit == .example {
      found.append(
        Breach(
          requirement: "R-090", object: "\(place)/members",
          message: "expected members in tables of batches and clients only"))
    }
    if table.columns.contains(.weight), table.unit == .example {
      found.append(
        Breach(
          requirement: "R-093", object: "\(place)/observations/weight",
          message: "expected weights in tables of batches and clients only"))
    }
    if table.columns.contains(.localSteps), table.unit != .client {
      found.append(
        Breach(
          requirement: "R-093", object: "\(place)/observations/local_steps",
          message: "expected local steps in tables of clients only"))
    }
    if let schedule = table.schedule, !JSONRules.isSchedule(schedule) {
      found.append(
        Breach(
          requirement: "R-094", object: "\(place)@schedule",
          message: "expected a JSON object with integers every, start and end"))
    }
    return found
  }

  private static func breaches(of stream: StreamDescription, layers: Set<ExactText>?) -> [Breach] {
    var found: [Breach] = []
    func breach(_ requirement: String, _ message: String) {
      found.append(Breach(requirement: requirement, object: "", message: message))
    }
    if stream.name.utf8.count > Limits.textBytes { found.append(tooLong("R-041", "")) }
    if case .gradient(let layer, _) = stream.kind {
      if let layers, !layers.contains(ExactText(layer)) {
        breach("R-045", "expected a layer of /model, found '\(layer.prefix(80))'")
      }
    } else if stream.clipping != nil {
      breach("R-049", "expected clipping of gradients only")
    }
    if let clipping = stream.clipping {
      let noise = clipping.noiseMultiplier ?? 0
      if !(clipping.norm > 0 && clipping.norm.isFinite && noise >= 0 && noise.isFinite) {
        breach(
          "R-049",
          "expected a clip norm above 0 and a noise multiplier of at least 0, found \(clipping.norm) and \(noise)"
        )
      }
    }
    if stream.sketch != nil, stream.kind == .label {
      breach("R-066", "expected labels without a sketch")
    }
    guard let elements = elements(of: stream.shape) else {
      breach(
        "R-044",
        "expected 1 to \(Limits.shapeAxes) positive lengths of at most 2^40 elements, found \(stream.shape.prefix(40))"
      )
      return found
    }
    if let sketch = stream.sketch {
      if !(1...16).contains(sketch.nonzeros) || sketch.width < 1 || sketch.width > elements {
        breach(
          "R-060",
          "expected a sketch of 1 to \(elements) numbers with 1 to 16 nonzeros, found \(sketch.width) and \(sketch.nonzeros)"
        )
      }
    }
    if stream.width > Limits.width {
      breach("R-070", "expected rows of at most \(Limits.width) numbers, found \(stream.width)")
    }
    return found
  }

  /// Product of a shape's lengths; nil unless they are positive and make at most 2^40 elements.
  static func elements(of shape: [Int]) -> Int? {
    guard (1...Limits.shapeAxes).contains(shape.count) else { return nil }
    var elements = 1
    for length in shape {
      let (product, overflow) = elements.multipliedReportingOverflow(by: length)
      guard length > 0, !overflow, product <= 1 << 40 else { return nil }
      elements = product
    }
    return elements
  }

  private static func tooLong(_ requirement: String, _ object: String) -> Breach {
    Breach(
      requirement: requirement, object: object,
      message: "expected at most \(Limits.textBytes) bytes of text")
  }
}
