internal import ArgumentParser
private import CAllocator
private import Foundation
private import Recording

/// `ptoken-record run.h5 -- python train.py`.
struct RecordRun: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Run a training command and record it (the default).",
    discussion: """
      The command finds the recorder through PTOKEN_ENDPOINT, a private socket; in Python, ptoken.Recorder does so by \
      itself. Signals are passed on to the command, and its exit status is ours, whatever becomes of the recording. \
      Several processes (ranks) may record: each has a file, run.rank0.h5 and so on. Options of capture are handed to \
      the command as PTOKEN_EVERY, PTOKEN_CONFIG and so on, and go before what the script says.

      EXAMPLES
        ptoken-record run.h5 -- python train.py
        ptoken-record run.h5 --every 50 --budget 2GB -- python train.py --epochs 3

      EXIT STATUS
        that of the command (128 + n after signal n), or
        2    the recording could not be started; the command was not run
        64   wrong usage
        126  the command cannot be executed
        127  the command was not found
      """)

  @Argument(help: "Snapshot file to write, such as run.h5.")
  var output: String

  @Option(
    parsing: .unconditional,
    help: .init("Record every n-th optimizer step (PTOKEN_EVERY).", valueName: "n"))
  var every: Int?

  @Option(help: .init("What to capture, as JSON (PTOKEN_CONFIG).", valueName: "file"))
  var config: String?

  @Flag(help: "Print what would be recorded and how many bytes; record nothing.")
  var dryRun = false

  @Option(
    parsing: .unconditional,
    help: .init("Seconds between two lines of progress; 0 for none.", valueName: "seconds"))
  var progress = 10.0

  @OptionGroup var recording: RecordingOptions

  @Argument(parsing: .postTerminator, help: "The command, after --.")
  var command: [String] = []

  func validate() throws {
    try Files.requireName(output, "<output>")
    guard !command.isEmpty else {
      throw ValidationError(
        "Expected a command after --, as in ptoken-record \(output) -- python train.py, found none."
      )
    }
    try StudyOptions.require(every, "--every", in: 1...1_000_000_000)
    guard progress >= 0, progress.isFinite else {
      throw ValidationError("--progress: expected at least 0 seconds, found \(progress).")
    }
  }

  func run() throws {
    if let config { try Files.requireReadable(config) }
    ptoken_reuse_large_blocks()
    let console = Console(quiet: recording.quiet)
    let server = try recording.server(for: output)
    let socket = try PrivateSocket()
    server.serve(socket)
    var environment = ProcessInfo.processInfo.environment
    environment["PTOKEN_ENDPOINT"] = socket.endpoint
    if let every { environment["PTOKEN_EVERY"] = "\(every)" }
    if let config {
      environment["PTOKEN_CONFIG"] = URL(filePath: config).path(percentEncoded: false)
    }
    if dryRun { environment["PTOKEN_DRY_RUN"] = "1" }
    let child: ChildProcess
    do throws(ChildProcess.Failure) {
      child = try ChildProcess(command, environment: environment)
    } catch {
      socket.close()
      Console.line("error: \(error.message).")
      throw ExitCode(error.status)
    }
    let budget = try ByteCount.parse(recording.budget, "--budget")
    let report = RecordingReport(output, server, budget: budget)
    let status = watch(child, report, console)
    socket.close()
    server.finish()
    if !dryRun {
      for line in report.results { console.note(line) }
      for line in report.problems { Console.line("error: " + line) }
      if status == 0, let next = report.next { console.note(next) }
    }
    throw ExitCode(status)
  }

  /// Waits for the command, saying now and then how far the recording is. On a terminal too these are whole lines: the
  /// command writes there as well.
  private func watch(
    _ child: ChildProcess, _ report: RecordingReport, _ console: Console
  ) -> Int32 {
    var last = ContinuousClock.now
    while true {
      if let status = child.status() { return status }
      usleep(20_000)
      if progress > 0, ContinuousClock.now - last >= .seconds(progress) {
        last = .now
        if report.server.progress.steps > 0 { console.note(report.line) }
      }
    }
  }
}
