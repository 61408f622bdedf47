private import Foundation
internal import Results
internal import SnapshotFormat
private import Synchronization
internal import Wire

/// One training process: its messages, its recorder, its file.
final class Connection: Sendable {
  private let descriptor: Int32
  private let server: RecordingServer
  private let output: FrameOutput
  private let state = Mutex(State())

  private struct State {
    var isOpen = true
    var recorder: Recorder?
    var received = 0
    var dropped = 0
    var earlierSteps = 0
    /// What stopped the writing side.
    var failure: SnapshotError?
    var last = RecordingServer.Progress()
  }

  /// A recording under way, used by the connection's thread alone.
  private struct Session {
    var hello: Hello
    var file: String
    var recorder: Recorder
    var report: CaptureReport
    /// Steps that have come.
    var number = 0
    /// Steps that came after the budget was spent.
    var unkept = 0
    /// Steps that a resumed file had already.
    var repeated = 0
    /// Rows with numbers that no file may hold.
    var faultyRows = 0
    /// Steps that had no other rows.
    var emptySteps = 0
  }

  init(_ descriptor: Int32, _ server: RecordingServer) {
    self.descriptor = descriptor
    self.server = server
    output = FrameOutput(descriptor)
  }

  /// How far this recording is.
  var progress: RecordingServer.Progress {
    state.withLock { state in
      if let recorder = state.recorder {
        let progress = recorder.progress
        state.last.steps = progress.committedSteps - state.earlierSteps
        state.last.rows = progress.committedRows
        state.last.queued = progress.queuedBytes
        state.last.fileBytes = progress.fileBytes
      } else {
        state.last.queued = 0
      }
      state.last.received = state.received
      state.last.dropped = state.dropped
      return state.last
    }
  }

  /// Ends reading: what follows is as if the peer had gone.
  func hangUp() {
    state.withLock { if $0.isOpen { shutdown(descriptor, Int32(SHUT_RD)) } }
  }

  /// Tells the peer that recording stops, and ends reading.
  func stop() {
    output.offer(
      "stop", .object(["reason": "signal", "message": "The recorder was asked to stop."]))
    hangUp()
  }

  /// Talks with the peer until the end; nil where there was no recording.
  func run() -> RecordingServer.Outcome? {
    defer {
      state.withLock { $0.isOpen = false }
      _ = Foundation.close(descriptor)
    }
    let options = server.options
    output.send(
      "welcome",
      .object([
        "protocol": "1.0", "producer": .string(server.producer), "run_id": .string(server.runID),
        "created": .string(server.created), "key": .string(Hexadecimal.text(options.key)),
        "max_frame": .number(options.recording.queueBytes),
        "on_full": .string(options.onFull.rawValue),
        "block_seconds": .number(options.blockSeconds),
      ]))
    let source = ByteSource(descriptor, patience: options.patience)
    var session: Session
    do {
      let deadline = ContinuousClock.now + .seconds(options.helloSeconds)
      guard
        let frame = try Frame.readHead(
          from: source, most: 4 << 20, mostHeader: 4 << 20, by: deadline)
      else { return nil }
      session = try begin(Hello(frame))
    } catch {
      server.noteRefusal(refuse(error))
      return nil
    }
    var end = CaptureReport.End.connectionLost
    var status = RunStatus.crashed
    var failure: String?
    do {
      if let bye = try receiveSteps(of: &session, from: source) {
        take(bye, into: &session)
        (end, status) = (.bye, bye.status)
      }
      if let failure = state.withLock(\.failure) { throw failure }
    } catch {
      failure = refuse(error)
      end = .failed
      let isOurs = (error as? SnapshotError).map { $0.code != .rowMismatch } ?? false
      status = isOurs ? .interrupted : .crashed
    }
    if server.isStopping, end == .connectionLost { (end, status) = (.signal, .interrupted) }
    if session.unkept > 0, end != .failed {
      (end, status) = (.budget, .interrupted)
    }
    session.report.end = end
    if let failure { session.report.problems.append(failure) }
    return close(session, status, failure)
  }

  // MARK: The beginning

  private func begin(_ hello: Hello) throws -> Session {
    if let reason = server.admit(rank: hello.rank, of: hello.ranks) {
      throw Refusal(code: "rank", message: reason)
    }
    do {
      return try begin(admitted: hello)
    } catch {
      // Nothing came of it: the rank may try again.
      server.release(rank: hello.rank)
      throw error
    }
  }

  private func begin(admitted hello: Hello) throws -> Session {
    let file = RankFiles.path(for: server.path, rank: hello.rank, of: hello.ranks)
    var options = server.options.recording
    options.rank = UInt16(hello.rank)
    options.recordsFrozenLayers = hello.recordsFrozenLayers
    options.leavesOutFaultyRows = true
    let run = RunDescription(
      id: hello.runID ?? server.runID, created: server.created,
      producer: "\(server.producer), \(hello.producer)", model: hello.model,
      training: hello.training, observer: hello.observer, lossUnit: hello.lossUnit)
    var observer = Recorder.Observer()
    observer.failed = { [self] error in
      state.withLock { $0.failure = error }
      // The peer hears of it at once, not when it sends the next step.
      hangUp()
    }
    observer.committed = { [self] progress in
      let earlier = state.withLock(\.earlierSteps)
      output.offer(
        "committed", .object(["steps": .number(progress.committedSteps - earlier)]))
    }
    let resumes =
      server.options.resumes
      && (FileManager.default.fileExists(atPath: file)
        || FileManager.default.fileExists(atPath: Names.journal(of: file)))
    let recorder =
      resumes
      ? try Recorder(
        resuming: file, started: server.created, descriptions: hello.tables, options: options,
        observer: observer)
      : try Recorder(
        path: file, run: run, descriptions: hello.tables, options: options, observer: observer)
    let earlier = recorder.committedSteps
    state.withLock {
      $0.recorder = recorder
      $0.earlierSteps = earlier
    }
    output.send(
      "ready",
      .object([
        "file": .string(file), "steps": .number(earlier),
        "last_index": recorder.resumedAfter.map { .number($0.index) } ?? .null,
      ]))
    return Session(
      hello: hello, file: file, recorder: recorder,
      report: CaptureReport(
        rank: hello.rank, producer: hello.producer, method: hello.capture))
  }

  // MARK: Steps

  /// Records steps until `bye`; nil where the peer went away.
  private func receiveSteps(of session: inout Session, from source: ByteSource) throws -> Bye? {
    let tables = session.hello.tables
    let mostHeader = StepMessage.mostHeader(tables)
    do {
      while let head = try Frame.readHead(
        from: source, most: server.options.recording.queueBytes, mostHeader: mostHeader)
      {
        if head.message == "bye" { return try Bye(head) }
        guard head.message == "step" else {
          throw WireError(
            .malformed, at: head.offset,
            "expected step or bye, found '\(head.message.prefix(40))'")
        }
        let seconds = (ContinuousClock.now - server.start) / .seconds(1)
        let message = try StepMessage(
          head, from: source, number: session.number, tables: tables, rank: session.hello.rank,
          seconds: seconds)
        try record(message, of: &session, bytes: head.bytes)
      }
    } catch let error as WireError where error.code == .ended {
      // The step that was on its way did not arrive: the same as an end between frames.
    }
    return nil
  }

  private func record(
    _ message: StepMessage, of session: inout Session, bytes: Int
  ) throws {
    session.number += 1
    session.report.droppedSteps = message.dropped
    session.report.blockedSeconds = message.blocked
    let unkept = session.unkept
    state.withLock {
      $0.received += bytes
      $0.dropped = message.dropped + unkept
    }
    if let last = session.recorder.resumedAfter,
      (message.step.index, message.step.mode.rawValue) <= (last.index, last.mode.rawValue)
    {
      // Training began again before the point that the file had reached.
      session.repeated += 1
      return
    }
    guard session.unkept == 0, !server.isBudgetSpent else {
      if session.unkept == 0 {
        output.send(
          "stop",
          .object([
            "reason": "budget",
            "message": .string(
              "the recording has reached its budget of \(server.options.budget ?? 0) bytes"),
          ]))
      }
      session.unkept += 1
      return
    }
    let leftOut = try session.recorder.record(message.step, rows: message.rows)
    session.faultyRows += leftOut
    if leftOut > 0, leftOut == message.rows.reduce(0, { $0 + $1.records.count }) {
      session.emptySteps += 1
    }
  }

  private func take(_ bye: Bye, into session: inout Session) {
    session.report.droppedSteps = bye.dropped
    session.report.blockedSeconds = bye.blocked
    session.report.passedSteps = bye.passed
    session.report.problems = bye.problems
  }

  // MARK: The end

  private func close(
    _ session: Session, _ status: RunStatus, _ failure: String?
  ) -> RecordingServer.Outcome {
    var report = session.report
    report.droppedSteps += session.unkept + session.emptySteps
    if session.faultyRows > 0 {
      report.problems.append(
        "\(session.faultyRows) rows with numbers that are not finite, or labels below 0, were left out"
      )
    }
    var failure = failure
    var kept: RunStatus? = status
    do throws(SnapshotError) {
      if session.recorder.progress.committedSteps == 0,
        session.number == session.repeated + session.emptySteps
      {
        session.recorder.discard()
        kept = nil
      } else {
        try session.recorder.close(status, captures: [report])
      }
    } catch {
      // The same failure, and where the steps are now.
      if let failure, report.problems.last == failure { report.problems.removeLast() }
      failure = error.description
      kept = .interrupted
    }
    let progress = session.recorder.progress
    let steps = progress.committedSteps
    var info = stat()
    let isThere = stat(session.file, &info) == 0
    // What could not be finished is in the journal; the failure says how to make a file of it.
    if !isThere { kept = nil }
    let bytes = kept != nil ? Int(info.st_size) : 0
    state.withLock {
      $0.recorder = nil
      $0.dropped = report.droppedSteps
      $0.last.steps = steps - $0.earlierSteps
      $0.last.rows = progress.committedRows
      $0.last.fileBytes = bytes
    }
    if steps == 0 { kept = nil }
    output.send(
      "closed",
      .object([
        "file": .string(session.file), "status": .string((kept ?? status).rawValue),
        "steps": .number(steps), "bytes": .number(bytes),
      ]))
    return RecordingServer.Outcome(
      file: session.file, rank: session.hello.rank, status: kept, steps: steps, bytes: bytes,
      report: report, failure: failure)
  }

  /// Why a peer is sent away, where it is not the wire's or the file's fault.
  private struct Refusal: Error {
    var code: String
    var message: String
  }

  /// Tells the peer why, and returns it in words.
  private func refuse(_ error: any Error) -> String {
    var (code, message, offset) = ("failed", "\(error)", JSONValue.null)
    switch error {
    case let error as WireError:
      (code, message) = (error.code.rawValue, error.description)
      offset = .number(error.offset)
    case let error as SnapshotError:
      (code, message) = (error.code.description, error.description)
    case let error as Refusal:
      (code, message) = (error.code, error.message)
    default: break
    }
    output.send(
      "refused",
      .object(["code": .string(code), "message": .string(message), "offset": offset]))
    return message
  }
}
