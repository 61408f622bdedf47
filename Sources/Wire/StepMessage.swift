internal import Results
package import SnapshotFormat

/// One step as it comes over the wire (W-20 to W-23).
package struct StepMessage: Sendable {
  package var step: StepDescription
  package var rows: [TableRows]
  /// Steps that the client has dropped so far.
  package var dropped: Int
  /// Seconds that training waited so far.
  package var blocked: Double

  /// Most bytes that the header of a step may have.
  package static func mostHeader(_ tables: [TableDescription]) -> Int {
    tables.reduce(64 << 10) { $0 + 256 * (1 + $1.streams.count) }
  }

  /// Reads a step: its body and then its tensors, which are checked against the tables before any is read.
  ///
  /// - Parameters:
  ///   - number: the number that the step must have.
  ///   - seconds: the recorder's clock, for a step without a time.
  /// - Throws: `WireError`.
  package init(
    _ frame: Frame, from source: ByteSource, number: Int, tables: [TableDescription],
    rank: Int, seconds: Double
  ) throws(WireError) {
    let body = MessageBody(frame)
    let found = try body.integer("number", in: 0...Int.max)
    guard found == number else { throw body.fault("expected number \(number), found \(found)") }
    step = try Self.description(body, seconds: seconds)
    dropped = try body.integer("dropped", in: 0...Int(UInt32.max), default: 0)
    blocked = try body.number("blocked", default: 0)
    let numbers = try body.list("tables") { value -> Int? in
      guard case .number(let digits) = value else { return nil }
      return Int(digits)
    }
    guard let numbers, Set(numbers).count == numbers.count,
      numbers.allSatisfy(tables.indices.contains)
    else {
      throw body.fault("expected 'tables', positions of the \(tables.count) tables, each once")
    }
    let layout = try StepTensors(frame, numbers, tables)
    rows = try layout.read(from: source, rank: UInt16(rank))
  }

  private static func description(
    _ body: MessageBody, seconds: Double
  ) throws(WireError) -> StepDescription {
    let most = Int(UInt32.max)
    guard let mode = StepMode.allCases.first(where: { $0.description == (try? body.text("mode")) })
    else { throw body.fault("expected 'mode' to be probe or trace") }
    let index = try body.integer("index", in: -(1 << 62)...(1 << 62))
    var step = StepDescription(index: index, mode: mode)
    step.epoch = try body.number("epoch")
    step.time = try body.number("time", default: seconds)
    step.loss = try body.number("loss")
    step.learningRate = try body.number("learning_rate")
    step.lossScale = try body.number("loss_scale", default: 1)
    step.accumulation = try body.integer("accumulation", in: 0...most, default: 0)
    step.participants = try body.integer("participants", in: 0...most, default: 0)
    step.modelMode = try body.word(
      "model_mode", ["unknown": .unknown, "evaluation": .evaluation, "training": .training],
      default: .unknown)
    step.dropout = try body.word(
      "dropout", ["unknown": .unknown, "inactive": .inactive, "active": .active],
      default: .unknown)
    step.batchNorm = try body.word(
      "batch_norm", ["unknown": .unknown, "running": .running, "batch": .batch],
      default: .unknown)
    step.frozenLayers = try body.list("frozen", \.text).map { Set($0) }
    return step
  }
}

/// What a client says at the end (W-30).
package struct Bye: Sendable {
  package var status: RunStatus
  package var dropped: Int
  package var blocked: Double
  package var passed: Int?
  package var problems: [String]

  /// Reads a `bye`.
  package init(_ frame: Frame) throws(WireError) {
    let body = MessageBody(frame)
    guard frame.tensors.isEmpty else { throw body.fault("expected no tensors") }
    guard
      let status = RunStatus.allCases.first(where: { $0.rawValue == frame.body["status"]?.text })
    else { throw body.fault("expected 'status' to be complete, interrupted or crashed") }
    self.status = status
    dropped = try body.integer("dropped", in: 0...Int(UInt32.max), default: 0)
    blocked = try body.number("blocked", default: 0)
    let passed = try body.integer("passed", in: -1...Int.max, default: -1)
    self.passed = passed < 0 ? nil : passed
    problems = Array(try body.list("problems", \.text)?.prefix(100) ?? []).map {
      String($0.prefix(1000))
    }
  }
}
