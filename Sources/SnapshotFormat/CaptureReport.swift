private import Foundation
internal import HDF5
internal import Results

/// How one training process was recorded: what a file says beside its rows (spec/EXTENSIONS.md, `/capture`).
public struct CaptureReport: Sendable, Equatable {
  /// How a recording came to its end.
  public enum End: String, Sendable, CaseIterable {
    /// The training process said so.
    case bye
    /// The training process went away without a word.
    case connectionLost = "connection lost"
    /// The bytes that the file may have were used up.
    case budget
    /// The recorder was asked to stop.
    case signal
    /// The recorder could not go on.
    case failed
  }

  /// Rank of the process.
  public var rank: Int
  /// Its software.
  public var producer: String
  /// How gradients were captured: a JSON object.
  public var method: String
  /// Optimizer steps that training made, recorded or not; nil if unknown.
  public var passedSteps: Int?
  /// Steps that were due and are not in the file.
  public var droppedSteps: Int
  /// Seconds that training waited for recording.
  public var blockedSeconds: Double
  /// How it ended.
  public var end: End
  /// What went wrong, for people.
  public var problems: [String]

  /// A report from its parts.
  public init(
    rank: Int = 0, producer: String, method: String = "{}", passedSteps: Int? = nil,
    droppedSteps: Int = 0, blockedSeconds: Double = 0, end: End = .bye, problems: [String] = []
  ) {
    self.rank = rank
    self.producer = producer
    self.method = method
    self.passedSteps = passedSteps
    self.droppedSteps = droppedSteps
    self.blockedSeconds = blockedSeconds
    self.end = end
    self.problems = problems
  }
}

extension CaptureReport {
  private var json: JSONValue {
    .object([
      "rank": .number(rank), "producer": .string(producer),
      "method": JSONValue(parsing: method) ?? .object([]),
      "passed_steps": passedSteps.map { .number($0) } ?? .null,
      "dropped_steps": .number(droppedSteps), "blocked_seconds": .number(blockedSeconds),
      "ended": .string(end.rawValue), "problems": .array(problems.map { .string($0) }),
    ])
  }

  private init?(_ json: JSONValue) {
    guard let rank = json["rank"]?.whole, let producer = json["producer"]?.text,
      let end = json["ended"]?.text.flatMap(End.init)
    else { return nil }
    self.init(
      rank: rank, producer: producer, method: json["method"].map { JSONText.of($0) } ?? "{}",
      passedSteps: json["passed_steps"]?.whole, droppedSteps: json["dropped_steps"]?.whole ?? 0,
      end: end)
    if case .number(let digits)? = json["blocked_seconds"] { blockedSeconds = Double(digits) ?? 0 }
    if case .array(let list)? = json["problems"] { problems = list.compactMap(\.text) }
  }

  /// Writes the reports; nothing where there are none.
  static func write(_ reports: [CaptureReport], to file: borrowing File) throws(HDF5Error) {
    guard !reports.isEmpty else { return }
    let text = JSONText.of(JSONValue.object(["recordings": .array(reports.map(\.json))]))
    let bytes = Array(text.utf8)
    // What a thousand ranks have to say about their problems must not cost the file.
    guard bytes.count <= Limits.jsonBytes else { return }
    try file.write(Names.capture, bytes)
  }

  /// The reports of a file; an object of this name that is something else is somebody else's.
  static func read(_ file: borrowing File) -> [CaptureReport] {
    guard file.hasChild(Names.capture), let dataset = try? file.dataset(Names.capture),
      let shape = try? dataset.shape(), shape.count == 1, shape[0] <= Limits.jsonBytes,
      let bytes = try? dataset.readAll(UInt8.self),
      let text = String(validating: bytes, as: UTF8.self), !JSONText.isLax(text.utf8),
      case .array(let list)? = JSONValue(parsing: text)?["recordings"]
    else { return [] }
    return list.compactMap { CaptureReport($0) }
  }
}

extension JSONValue {
  fileprivate var whole: Int? {
    guard case .number(let digits) = self else { return nil }
    return Int(digits)
  }
}
