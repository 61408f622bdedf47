internal import Results
package import SnapshotFormat

/// What a training process says of itself before its first step (W-10).
package struct Hello: Sendable {
  package var producer: String
  package var rank: Int
  package var ranks: Int
  /// The run that the rank belongs to; nil: that of the recorder.
  package var runID: String?
  /// JSON objects, as files hold them.
  package var model, training, observer: String
  package var lossUnit: String
  package var recordsFrozenLayers: Bool
  package var tables: [TableDescription]
  /// How gradients are captured: a JSON object.
  package var capture: String

  /// Reads a `hello`; what files ask of its parts is checked when they are used.
  ///
  /// - Throws: `malformed` or `version`, at the frame's offset.
  package init(_ frame: Frame) throws(WireError) {
    let body = MessageBody(frame)
    guard frame.message == "hello" else {
      throw body.fault("expected hello first, found '\(frame.message.prefix(40))'")
    }
    guard frame.tensors.isEmpty else { throw body.fault("expected a hello without tensors") }
    let version = try body.text("protocol")
    guard version.split(separator: ".").first == "1" else {
      throw WireError(
        .version, at: frame.offset,
        "expected protocol 1.x, found '\(version.prefix(40))': use a ptoken of the same major version"
      )
    }
    producer = try body.text("producer")
    rank = try body.integer("rank", in: 0...Int(UInt16.max))
    ranks = try body.integer("ranks", in: 1...Int(UInt16.max) + 1)
    guard rank < ranks else {
      throw body.fault("expected a rank below \(ranks), found \(rank)")
    }
    runID = frame.body["run_id"]?.text
    model = try body.object("model")
    training = try body.object("training")
    observer = try body.object("observer")
    lossUnit = try body.text("loss_unit")
    guard case .bool(let hasTrainable)? = frame.body["has_trainable"] else {
      throw body.fault("expected has_trainable, true or false")
    }
    recordsFrozenLayers = hasTrainable
    guard let list = frame.body["tables"],
      let tables = try? TableDescription.decode(JSONText.of(list)), !tables.isEmpty
    else { throw body.fault("expected tables, an array of at least one, as in R-102") }
    for table in tables {
      for stream in table.streams {
        guard let sketch = stream.sketch, sketch.width >= stream.elements else { continue }
        throw body.fault(
          "'\(stream.name.prefix(80))': expected a sketch narrower than \(stream.elements) numbers, found \(sketch.width)"
        )
      }
    }
    self.tables = tables
    capture = frame.body["capture"] == nil ? "{}" : try body.object("capture")
  }
}

/// Values in the body of a message, or what is wrong with them.
struct MessageBody {
  private let frame: Frame

  init(_ frame: Frame) { self.frame = frame }

  func fault(_ message: String) -> WireError {
    WireError(.malformed, at: frame.offset, "\(frame.message.prefix(40)): \(message)")
  }

  func text(_ key: String) throws(WireError) -> String {
    guard let text = frame.body[key]?.text else { throw fault("expected a string '\(key)'") }
    return text
  }

  func object(_ key: String) throws(WireError) -> String {
    guard let value = frame.body[key], case .object = value else {
      throw fault("expected an object '\(key)'")
    }
    return JSONText.of(value)
  }

  /// A value that is there and not null.
  private func value(_ key: String) -> JSONValue? {
    guard let value = frame.body[key], value != .null else { return nil }
    return value
  }

  func integer(
    _ key: String, in range: ClosedRange<Int>, default other: Int? = nil
  ) throws(WireError) -> Int {
    if value(key) == nil, let other { return other }
    guard case .number(let digits)? = frame.body[key], let number = Int(digits),
      range.contains(number)
    else {
      throw fault(
        "expected an integer '\(key)' from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  /// A number; NaN where it is left out.
  func number(_ key: String, default other: Double = .nan) throws(WireError) -> Double {
    guard let value = value(key) else { return other }
    guard case .number(let digits) = value, let number = Double(digits), number.isFinite else {
      throw fault("expected a number '\(key)'")
    }
    return number
  }

  /// One of a few words.
  func word<T>(_ key: String, _ words: [String: T], default other: T) throws(WireError) -> T {
    guard let value = value(key) else { return other }
    guard let found = value.text.flatMap({ words[$0] }) else {
      throw fault("expected '\(key)' to be one of \(words.keys.sorted().joined(separator: ", "))")
    }
    return found
  }

  func list<T>(_ key: String, _ element: (JSONValue) -> T?) throws(WireError) -> [T]? {
    guard let value = value(key) else { return nil }
    guard case .array(let values) = value else { throw fault("expected an array '\(key)'") }
    let elements = values.map(element)
    guard !elements.contains(where: { $0 == nil }) else {
      throw fault("expected other elements in '\(key)'")
    }
    return elements.compactMap { $0 }
  }
}
