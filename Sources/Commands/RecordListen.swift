internal import ArgumentParser
private import CAllocator
private import Foundation
private import Recording
private import SnapshotFormat

/// `ptoken-record listen`.
struct RecordListen: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "listen",
    abstract: "Record what training processes send that were started by others.",
    discussion: """
      Prints the endpoint, waits for one training process (or all its ranks), and ends when each has said that it is \
      done, or on Ctrl-C: then what has come is kept.

      EXAMPLE
        ptoken-record listen run.h5
        PTOKEN_ENDPOINT=unix:/run/user/1000/ptoken-x1Y2z3/socket python train.py     (elsewhere)

      \(Command.statuses)
      """)

  @Argument(help: "Snapshot file to write, such as run.h5.")
  var output: String

  @Option(
    help: .init(
      "Path of the socket, in a folder that only you can enter; by default in a fresh one.",
      valueName: "path"))
  var socket: String?

  @Option(
    parsing: .unconditional,
    help: .init(
      "A connected socket that was inherited, in place of listening.", valueName: "number"))
  var fd: Int32?

  @OptionGroup var recording: RecordingOptions

  @Flag(help: "Print the result as JSON.")
  var json = false

  func validate() throws {
    try Files.requireName(output, "<output>")
    guard socket == nil || fd == nil else {
      throw ValidationError("Expected one of --socket and --fd, found both.")
    }
    if let fd, fcntl(fd, F_GETFD) == -1 || fd < 3 {
      throw ValidationError("--fd: expected an open socket from 3 up, found \(fd).")
    }
  }

  func run() throws {
    ptoken_reuse_large_blocks()
    let console = Console(quiet: recording.quiet)
    let server: RecordingServer
    do {
      server = try recording.server(for: output)
    } catch let error as SnapshotError {
      // Whoever started us hears it on the line that they listen to.
      if let fd { RecordingServer.refuse(fd, error) }
      throw error
    }
    let listener =
      try fd == nil ? socket.map { try PrivateSocket(path: $0) } ?? PrivateSocket() : nil
    if let fd {
      _ = fcntl(fd, F_SETFD, FD_CLOEXEC)
      server.take(fd)
    } else if let listener {
      server.serve(listener)
      if !json { try Console.result("PTOKEN_ENDPOINT=\(listener.endpoint)") }
    }
    let report = RecordingReport(
      output, server, budget: try ByteCount.parse(recording.budget, "--budget"))
    while !Interruption.isRequested {
      server.wait(seconds: 0.25)
      if server.isDone || (fd != nil && server.progress.connections == 0) { break }
      if fd == nil { console.status(report.line) }
    }
    listener?.close()
    if Interruption.isRequested { server.stop() }
    server.finish()
    Console.endProgress()
    try conclude(report, console)
  }

  private func conclude(_ report: RecordingReport, _ console: Console) throws {
    let outcomes = report.server.outcomes
    if json {
      try Console.result(
        try Files.json(
          outcomes.map {
            Summary(
              file: $0.file, rank: $0.rank, status: $0.status?.rawValue, steps: $0.steps,
              bytes: $0.bytes, droppedSteps: $0.report.droppedSteps,
              blockedSeconds: $0.report.blockedSeconds)
          }), isJSON: true)
    } else if fd == nil {
      for line in report.results { try Console.result(line) }
    }
    // A client that started us by itself says what went wrong in its own words.
    if fd == nil { for line in report.problems { Console.line("error: " + line) } }
    if Interruption.isRequested {
      throw Interrupted(message: "\(output): interrupted; kept what had come.")
    }
    if fd == nil, let next = report.next, !json { console.note(next) }
    if outcomes.isEmpty || outcomes.contains(where: { $0.failure != nil }) { throw ExitCode(2) }
  }

  private struct Summary: Encodable {
    var file: String
    var rank: Int
    var status: String?
    var steps: Int
    var bytes: Int
    var droppedSteps: Int
    var blockedSeconds: Double
  }
}
