internal import Recording
private import SnapshotFormat

/// What people see of a recording: how far it is, and what came of it.
struct RecordingReport {
  let path: String
  let server: RecordingServer
  let budget: Int?
  private let start = ContinuousClock.now

  init(_ path: String, _ server: RecordingServer, budget: Int?) {
    self.path = path
    self.server = server
    self.budget = budget
  }

  /// Steps, rows, rate, queue, dropped steps, size, budget left.
  var line: String {
    let progress = server.progress
    let seconds = max(0.001, (ContinuousClock.now - start) / .seconds(1))
    var words = [
      Console.count(progress.steps, "step"), Console.count(progress.rows, "row"),
      "\(Console.bytes(Int(Double(progress.received) / seconds)))/s",
      "queue \(progress.queueBytes > 0 ? 100 * progress.queued / progress.queueBytes : 0) %",
      "\(progress.dropped) dropped", Console.bytes(progress.fileBytes),
    ]
    if let budget {
      words.append("\(Console.bytes(max(0, budget - progress.fileBytes))) of budget left")
    }
    return "\(path): " + words.joined(separator: ", ")
  }

  /// One line for each file that was made; what went wrong is said by `problems`.
  var results: [String] {
    server.outcomes.compactMap { outcome in
      guard let status = outcome.status else { return nil }
      var words =
        "\(outcome.file): \(status.rawValue), \(Console.count(outcome.steps, "step")), \(Console.bytes(outcome.bytes))"
      let report = outcome.report
      if report.droppedSteps > 0 {
        words += "; \(Console.count(report.droppedSteps, "step")) dropped"
      }
      if let passed = report.passedSteps { words += "; training made \(passed)" }
      return words + "."
    }
  }

  /// What went wrong, one line each.
  var problems: [String] {
    var lines = server.refusals.map { "\(path): a client was refused: \($0)" }
    for outcome in server.outcomes {
      if let failure = outcome.failure { lines.append(failure) }
      lines += outcome.report.problems.filter { $0 != outcome.failure }.map {
        "\(outcome.file): \($0)"
      }
      if outcome.status == nil, outcome.steps == 0 {
        let passed = outcome.report.passedSteps.map { " in \(Console.count($0, "training step"))" }
        lines.append(
          "\(outcome.file): no step was recorded\(passed ?? ""), and no file was made. Check every, start and end of the schedule."
        )
      }
    }
    if server.outcomes.isEmpty, server.refusals.isEmpty {
      lines.append(
        "\(path): nothing was recorded: no recorder connected. Make a ptoken.Recorder in the training script (README, \"Record your own training\")."
      )
    }
    return lines
  }

  /// What to do next.
  var next: String? {
    let files = server.outcomes.filter { $0.status != nil }.map(\.file)
    guard let first = files.first else { return nil }
    return files.count > 1
      ? "Next: ptoken-inspect merge \(files.joined(separator: " ")) -o \(path)"
      : "Next: ptoken-analyze \(first)"
  }
}
