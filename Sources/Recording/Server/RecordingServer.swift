private import Foundation
internal import Results
public import SnapshotFormat
private import Synchronization
internal import Wire

/// Records what training processes send: one connection is one rank, and one file (spec/WIRE.md).
///
/// Memory is bounded by `Options.recording.queueBytes`, twice for each connection, however much is sent and however slowly. A
/// peer that breaks the protocol is refused; what it sent before is kept.
public final class RecordingServer: Sendable {
  /// What a client does when its own queue is full.
  public enum OnFull: String, Sendable, CaseIterable {
    /// Drop the step, and count it.
    case drop
    /// Wait, and then drop it.
    case block
  }

  /// Options of a server.
  public struct Options: Sendable {
    /// How files are written.
    public var recording = Recorder.Options(sketchWidth: nil)
    /// Go on with files that are there.
    public var resumes = false
    /// Most bytes of all files together; nil for no limit.
    public var budget: Int?
    /// What clients do when their queues are full.
    public var onFull = OnFull.drop
    /// How long they wait then.
    public var blockSeconds = 1.0
    /// Connections at a time.
    public var mostConnections = 64
    /// Seconds for a hello.
    package var helloSeconds = 10.0
    /// Seconds without a byte, within a frame, after which a client counts as stuck.
    package var patience = 60.0
    /// The key of record ids.
    public var key: [UInt8]

    /// The default options, with a key of 32 bytes.
    public init(key: [UInt8]) { self.key = key }
  }

  /// How far the recordings are, all together.
  public struct Progress: Sendable {
    /// Steps that are committed.
    public var steps = 0
    /// Rows that are committed, over all tables.
    public var rows = 0
    /// Bytes that came in.
    public var received = 0
    /// Bytes that wait to be written.
    public var queued = 0
    /// Bytes that may wait, over all connections.
    public var queueBytes = 0
    /// Steps that were due and could not be kept.
    public var dropped = 0
    /// Bytes of the files.
    public var fileBytes = 0
    /// Connections that are open.
    public var connections = 0
  }

  /// A recording that has ended.
  public struct Outcome: Sendable {
    /// Name of the file.
    public var file: String
    /// Rank of the process that was recorded.
    public var rank: Int
    /// Nil where no file was made: there was no step, or it could not be finished and is in its journal.
    public var status: RunStatus?
    /// Steps in the file.
    public var steps: Int
    /// Bytes of the file.
    public var bytes: Int
    /// What the file says about how it was recorded.
    public var report: CaptureReport
    /// What stopped it, if anything did.
    public var failure: String?
  }

  let path: String
  package let options: Options
  let producer: String
  let runID: String
  let created: String
  let start = ContinuousClock.now
  private let state = Mutex(State())
  private let ended = DispatchSemaphore(value: 0)

  private struct State {
    var connections: [ObjectIdentifier: Connection] = [:]
    var takenRanks: Set<Int> = []
    var ranks = 1
    var outcomes: [Outcome] = []
    /// Steps, rows, bytes of connections that have ended.
    var past = Progress()
    var isStopping = false
    var refusals: [String] = []
  }

  /// Checks that the recording can be made; nothing is written before a client says hello.
  ///
  /// - Parameter producer: name and version of the program.
  /// - Throws: `SnapshotError` where the name is taken.
  public init(path: String, producer: String, options: Options) throws(SnapshotError) {
    self.path = path
    self.producer = producer
    self.options = options
    runID = UUID().uuidString.lowercased()
    created = Date().formatted(.iso8601)
    if !options.resumes {
      try Writer.requireFree(path, force: options.recording.force)
    }
  }

  /// Tells a peer why there is no recorder.
  public static func refuse(_ descriptor: Int32, _ error: SnapshotError) {
    FrameOutput(descriptor).send(
      "refused",
      .object([
        "code": .string(error.code.description), "message": .string(error.description),
        "offset": .null,
      ]))
  }

  /// Takes connections until the socket is closed; returns at once.
  public func serve(_ socket: PrivateSocket) {
    let thread = Thread { [self] in
      while let peer = socket.accept() { take(peer) }
    }
    thread.name = "ptoken accept"
    thread.start()
  }

  /// Takes a connected socket, which is the server's from here on.
  public func take(_ descriptor: Int32) {
    let connection = Connection(descriptor, self)
    let isWelcome = state.withLock { state in
      guard !state.isStopping, state.connections.count < options.mostConnections else {
        return false
      }
      state.connections[ObjectIdentifier(connection)] = connection
      return true
    }
    guard isWelcome else {
      close(descriptor)
      return
    }
    let thread = Thread { [self] in
      let outcome = connection.run()
      state.withLock { state in
        state.connections[ObjectIdentifier(connection)] = nil
        let last = connection.progress
        state.past.steps += last.steps
        state.past.rows += last.rows
        state.past.received += last.received
        state.past.dropped += last.dropped
        state.past.fileBytes += outcome?.bytes ?? last.fileBytes
        if let outcome { state.outcomes.append(outcome) }
      }
      ended.signal()
    }
    thread.name = "ptoken connection"
    thread.start()
  }

  /// Gives a rank its file; the reason why not otherwise.
  func admit(rank: Int, of ranks: Int) -> String? {
    state.withLock { state in
      guard state.takenRanks.isEmpty || state.ranks == ranks else {
        return "expected \(state.ranks) ranks as the others say, found \(ranks)"
      }
      guard state.takenRanks.insert(rank).inserted else {
        return "rank \(rank) has a recording already, and a file is one recording. "
          + "Record once in a run, or give the other its own file and unset PTOKEN_ENDPOINT."
      }
      state.ranks = ranks
      return nil
    }
  }

  /// Takes a rank's file back, of which nothing was made.
  func release(rank: Int) { state.withLock { _ = $0.takenRanks.remove(rank) } }

  /// Notes why a peer was sent away.
  func noteRefusal(_ text: String) {
    state.withLock { if $0.refusals.count < 100 { $0.refusals.append(text) } }
  }

  /// Whether the files have all the bytes that they may.
  var isBudgetSpent: Bool {
    guard let budget = options.budget else { return false }
    let progress = progress
    return progress.fileBytes + progress.queued >= budget
  }

  /// Whether the recorder was asked to stop.
  var isStopping: Bool { state.withLock(\.isStopping) }

  /// How far the recordings are.
  public var progress: Progress {
    state.withLock { state in
      var sum = state.past
      for connection in state.connections.values {
        let part = connection.progress
        sum.steps += part.steps
        sum.rows += part.rows
        sum.received += part.received
        sum.queued += part.queued
        sum.queueBytes += options.recording.queueBytes
        sum.dropped += part.dropped
        sum.fileBytes += part.fileBytes
      }
      sum.connections = state.connections.count
      return sum
    }
  }

  /// The recordings that have ended, by rank.
  public var outcomes: [Outcome] {
    state.withLock { $0.outcomes.sorted { $0.rank < $1.rank } }
  }

  /// Why peers were sent away.
  public var refusals: [String] { state.withLock(\.refusals) }

  /// Whether every rank that the clients spoke of has ended.
  public var isDone: Bool {
    state.withLock { state in
      state.connections.isEmpty && !state.outcomes.isEmpty && state.outcomes.count >= state.ranks
    }
  }

  /// Waits until a connection ends, or so long.
  public func wait(seconds: Double) { _ = ended.wait(timeout: .now() + seconds) }

  /// Ends all connections: what has come is written, and the files are closed as `interrupted`.
  public func stop() {
    let connections = state.withLock { state in
      state.isStopping = true
      return Array(state.connections.values)
    }
    for connection in connections { connection.stop() }
  }

  /// Waits until all connections have ended; the training process is gone, so that no more is to come.
  ///
  /// - Parameter patience: seconds for a connection that somebody else holds open.
  public func finish(patience: Double = 2) {
    var last = -1
    var idleSince = ContinuousClock.now
    while true {
      let progress = progress
      guard progress.connections > 0 else { return }
      if progress.received != last || progress.queued > 0 {
        last = progress.received
        idleSince = .now
      } else if ContinuousClock.now - idleSince > .seconds(patience) {
        for connection in state.withLock({ Array($0.connections.values) }) { connection.hangUp() }
      }
      wait(seconds: 0.1)
    }
  }
}
