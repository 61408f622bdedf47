private import Foundation

/// What the specification asks of descriptions; used before writing, and on what a file says.
enum DescriptionRules {
  /// A broken rule: the requirement's number, the object and what is wrong with it.
  struct Breach: Error {
    var requirement: String
    var object: String
    var message: String
  }

  static func check(
    run: RunDescription, tables: [TableDescription], file: String
  ) throws(SnapshotError) {
    if let breach = (breaches(of: run) + breaches(of: tables)).first {
      throw SnapshotError(
        code: .invalid, file: file, object: breach.object, message: breach.message,
        requirement: breach.requirement)
    }
  }

  static func breaches(of run: RunDescription) -> [Breach] {
    var found: [Breach] = []
    if UUID(uuidString: run.id)?.uuidString.lowercased() != run.id {
      found.append(
        Breach(requirement: "R-004", object: "@run_id", message: "expected a lower-case UUID"))
    }
    if (try? Date(run.created, strategy: .iso8601))?.formatted(.iso8601) != run.created {
      found.append(
        Breach(
          requirement: "R-005", object: "@created",
          message: "expected an ISO 8601 time in UTC, found '\(run.created.prefix(40))'"))
    }
    if run.producer.utf8.count > Limits.textBytes {
      found.append(
        Breach(
          requirement: "R-070", object: "@producer",
          message: "expected at most \(Limits.textBytes) bytes of text"))
    }
    for (name, text) in [(Names.model, run.model), (Names.training, run.training)] {
      if text.utf8.count > Limits.jsonBytes || !isObject(text) {
        found.append(
          Breach(
            requirement: "R-010", object: "/\(name)",
            message: "expected a JSON object of at most \(Limits.jsonBytes) bytes"))
      }
    }
    return found
  }

  static func breaches(of tables: [TableDescription]) -> [Breach] {
    var found: [Breach] = []
    if tables.count > Limits.tables {
      found.append(
        Breach(
          requirement: "R-070", object: "/tables",
          message: "expected at most \(Limits.tables) tables, found \(tables.count)"))
    }
    for (number, table) in tables.enumerated() {
      let place = "/tables/" + Names.numbered("T", number)
      if table.streams.count > Limits.streamsPerTable || table.name.utf8.count > Limits.textBytes {
        found.append(
          Breach(
            requirement: "R-070", object: place,
            message:
              "expected at most \(Limits.streamsPerTable) streams and \(Limits.textBytes) bytes of name"
          ))
      }
      if Set(table.streams.map(\.name)).count != table.streams.count {
        found.append(
          Breach(
            requirement: "R-041", object: place, message: "expected stream names to be unique"))
      }
      for stream in table.streams {
        found += breaches(of: stream).map {
          Breach(
            requirement: $0.requirement, object: "\(place) stream '\(stream.name.prefix(80))'",
            message: $0.message)
        }
      }
    }
    return found
  }

  private static func breaches(of stream: StreamDescription) -> [Breach] {
    var found: [Breach] = []
    var texts = [stream.name]
    if case .gradient(let layer, _) = stream.kind { texts.append(layer) }
    if texts.contains(where: { $0.utf8.count > Limits.textBytes }) {
      found.append(
        Breach(
          requirement: "R-070", object: "",
          message: "expected names of at most \(Limits.textBytes) bytes"))
    }
    if stream.sketch != nil, stream.kind == .label {
      found.append(
        Breach(requirement: "R-066", object: "", message: "expected labels without a sketch"))
    }
    guard let elements = elements(of: stream.shape) else {
      found.append(
        Breach(
          requirement: "R-044", object: "",
          message: "expected positive lengths of at most 2^40 elements, found \(stream.shape)"))
      return found
    }
    if let sketch = stream.sketch {
      if !(1...16).contains(sketch.nonzeros) || sketch.width < 1 || sketch.width > elements {
        found.append(
          Breach(
            requirement: "R-060", object: "",
            message:
              "expected a sketch of 1 to \(elements) numbers with 1 to 16 nonzeros, found \(sketch.width) and \(sketch.nonzeros)"
          ))
      }
    }
    if stream.width > Limits.width {
      found.append(
        Breach(
          requirement: "R-070", object: "",
          message: "expected rows of at most \(Limits.width) numbers, found \(stream.width)"))
    }
    return found
  }

  /// Product of a shape's lengths; nil unless they are positive and make at most 2^40 elements.
  static func elements(of shape: [Int]) -> Int? {
    var elements = 1
    for length in shape {
      let (product, overflow) = elements.multipliedReportingOverflow(by: length)
      guard length > 0, !overflow, product <= 1 << 40 else { return nil }
      elements = product
    }
    return elements
  }

  private static func isObject(_ text: String) -> Bool {
    (try? JSONSerialization.jsonObject(with: Data(text.utf8))) is [String: Any]
  }
}
