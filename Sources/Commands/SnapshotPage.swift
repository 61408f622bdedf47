private import Foundation
internal import Inspection
internal import Results
private import SnapshotFormat

extension Page {
  /// What `ptoken-inspect info` says about a snapshot.
  init(_ summary: SnapshotSummary) {
    self.init()
    line(
      "\(Page.name(summary.file, 70))  snapshot \(summary.version), \(summary.status)")
    entry("run", summary.runID)
    entry("recorded", "\(summary.created) by \(Page.name(summary.producer))")
    entry("sessions", Self.sessions(summary))
    entry(
      "model",
      "\(Page.name(summary.model.name)): \(Console.count(summary.model.parameters, "parameter")) in "
        + Console.count(summary.model.layers, "layer"))
    entry("observer", Self.observer(summary.observer))
    entry("steps", Self.steps(summary))
    if summary.recordsFrozenLayers {
      let frozen = summary.frozenLayers.prefix(20).map {
        "\(Page.name($0.layer, 40)) (\($0.steps))"
      }
      let more =
        summary.frozenLayers.count > 20 ? " and \(summary.frozenLayers.count - 20) more" : ""
      entry(
        "frozen",
        frozen.isEmpty
          ? "no layer at any step" : frozen.joined(separator: ", ") + more + " (number of steps)")
    }
    for capture in summary.captures.prefix(8) { add(capture, ofMany: summary.captures.count > 1) }
    if !summary.compression.isEmpty {
      entry("filters", summary.compression.joined(separator: "; or "))
    }
    let overhead = max(0, summary.bytes - summary.storedBytes)
    entry(
      "size",
      "\(Console.bytes(summary.bytes)): rows of \(Console.bytes(summary.payloadBytes)) stored in "
        + "\(Console.bytes(summary.storedBytes))"
        + (summary.payloadBytes > 0
          ? " (\(Page.percent(summary.storedBytes, of: summary.payloadBytes)))" : "")
        + ", the rest of the file \(Console.bytes(overhead))")
    for (number, table) in summary.tables.enumerated() { add(table, number) }
  }

  private mutating func add(_ capture: SnapshotSummary.Capture, ofMany: Bool) {
    let method = ["adapter", "per_example", "ddp_gradient"].compactMap { key in
      capture.method[key]?.text.map { Page.name($0, 30) }
    }
    var words =
      method.isEmpty ? [Page.name(capture.producer, 40)] : [method.joined(separator: ", ")]
    if let passed = capture.passedSteps { words.append("\(passed) training steps") }
    words.append("\(capture.droppedSteps) dropped")
    words.append(String(format: "training waited %.3g s", capture.blockedSeconds))
    if capture.ended != "bye" { words.append("ended by: \(Page.name(capture.ended, 30))") }
    entry(ofMany ? "rank \(capture.rank)" : "captured", words.joined(separator: "; "))
    for problem in capture.problems.prefix(5) { entry("problem", Page.name(problem, 200)) }
  }

  private static func sessions(_ summary: SnapshotSummary) -> String {
    let ranks = Set(summary.sessions.map(\.rank))
    // Each rank of a merged file has a first session, which resumed nothing.
    var begun: Set<Int> = []
    let later = summary.sessions.filter { !begun.insert($0.rank).inserted }
    let resumed = later.prefix(10).map { session in
      "resumed at " + (session.firstIndex.map { "step \($0)" } ?? "the end")
        + (session.cutBytes > 0 ? " with \(Console.bytes(session.cutBytes)) cut off" : "")
        + (ranks.count > 1 ? " by rank \(session.rank)" : "")
    }
    let more = later.count - resumed.count
    return (["\(summary.sessions.count)"] + resumed + (more > 0 ? ["\(more) more"] : []))
      .joined(separator: ", ")
  }

  private static func observer(_ observer: JSONValue) -> String {
    let role = Page.name(observer["role"]?.text ?? "")
    var layers = "every layer"
    if case .array(let names)? = observer["layers"] { layers = Console.count(names.count, "layer") }
    let what =
      switch observer["aggregation"]?.text {
      case "batch": "averages over batches"
      case "client": "updates of clients"
      case "sum": "sums over clients"
      default: "each row by itself"
      }
    return "\(role): sees \(layers), \(what)"
  }

  private static func steps(_ summary: SnapshotSummary) -> String {
    guard let first = summary.firstStep, let last = summary.lastStep else { return "0" }
    let modes = summary.modes.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
    var text = "\(summary.steps), index \(first) to \(last); " + modes.joined(separator: ", ")
    if let from = summary.firstEpoch, let to = summary.lastEpoch {
      text += String(format: "; epoch %.4g to %.4g", from, to)
    }
    return text
  }

  private mutating func add(_ table: TableSummary, _ number: Int) {
    line("")
    line(
      "  \(Page.name(table.name, 40)): \(table.mode), \(Console.count(table.rows, "row")) "
        + "(one per \(table.unit)) in \(Console.count(table.steps, "step"))")
    var facts: [String] = []
    if let first = table.firstStep, let last = table.lastStep {
      facts.append("steps \(first) to \(last)")
    }
    if let share = table.parameterShare {
      facts.append("gradients of \(Page.percent(share)) of the model's parameters")
    }
    if table.hasWeights { facts.append("weights") }
    if table.hasLocalSteps { facts.append("local steps") }
    if let members = table.members { facts.append(Console.count(members, "member")) }
    let sizes = "\(Console.bytes(table.payloadBytes)) in \(Console.bytes(table.storedBytes))"
    facts.append(sizes.replacing(" ", with: Page.bond))
    entry("table \(Names.numbered("T", number))", facts.joined(separator: "; "), indent: 4)
    if let schedule = table.schedule { entry("schedule", Page.name(schedule, 200), indent: 4) }
    let sketches = Set(
      table.streams.compactMap { stream in
        stream.sketchSeed.map { "\(stream.sketchNonzeros ?? 0) nonzeros, seed \($0)" }
      }
    ).sorted()
    if !sketches.isEmpty {
      entry("sketched", sketches.prefix(4).joined(separator: "; "), indent: 4)
    }
    let privacy = Set(table.streams.compactMap(Self.privacy)).sorted()
    if !privacy.isEmpty { entry("privacy", privacy.prefix(4).joined(separator: "; "), indent: 4) }
    guard !table.streams.isEmpty else { return }
    rows(
      [["", "stream", "holds", "row", "payload", "stored", "ratio", "chunk"]]
        + table.streams.map(Self.row), indent: 4, right: [4, 5, 6, 7])
  }

  private static func privacy(_ stream: TableSummary.Stream) -> String? {
    stream.clipNorm.map { norm in
      "clipped to norm \(norm)"
        + (stream.noiseMultiplier.map { ", noise multiplier \($0)" } ?? "")
    }
  }

  private static func row(_ stream: TableSummary.Stream) -> [String] {
    let object = stream.object.split(separator: "/").last.map(String.init) ?? ""
    let qualifier = stream.stage ?? stream.role
    let unit = stream.unit.map { " in \(Page.name($0, 10))" } ?? ""
    let shape = stream.shape.map(String.init).joined(separator: "x")
    let name = Page.name(stream.name, 22)
    return [
      object, name, (qualifier.map { "\($0) " } ?? "") + stream.kind + unit,
      Page.name(stream.sketch == nil ? shape : "\(shape) to \(stream.width)", 20),
      Console.bytes(stream.payloadBytes), Console.bytes(stream.storedBytes),
      Page.percent(stream.storedBytes, of: stream.payloadBytes),
      stream.chunkRows > 0 ? "\(stream.chunkRows)" : "-",
    ]
  }
}
