internal import ArgumentParser
private import Foundation
internal import Recording
internal import SnapshotFormat

/// Options of every command that records what others send.
struct RecordingOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: .init("Most bytes of the file, such as 2GB; then recording stops.", valueName: "size"))
  var budget: String?

  @Option(
    parsing: .unconditional,
    help: .init(
      "Bytes that may wait here for the disk, for each process that trains.", valueName: "size"))
  var queue = "256MB"

  @Option(
    help: .init(
      "What training does when its own queue is full: drop the step, or block.", valueName: "policy"
    ))
  var onFull = "drop"

  @Option(
    parsing: .unconditional,
    help: .init("Seconds that --on-full block waits before it drops.", valueName: "seconds"))
  var blockSeconds = 1.0

  @Flag(help: "Go on with a recording that was interrupted or killed.")
  var resume = false

  @OptionGroup var file: FileOptions

  @OptionGroup var key: KeyOptions

  @Flag(name: .shortAndLong, help: "Say nothing but results and errors.")
  var quiet = false

  func validate() throws {
    _ = try ByteCount.parse(budget, "--budget")
    let bytes = try ByteCount.parse(queue, "--queue") ?? 0
    guard (1 << 20...1 << 36).contains(bytes) else {
      throw ValidationError("--queue: expected 1 MB to 64 GB, found '\(queue)'.")
    }
    guard RecordingServer.OnFull(rawValue: onFull) != nil else {
      throw ValidationError("--on-full: expected drop or block, found '\(onFull)'.")
    }
    guard blockSeconds >= 0, blockSeconds <= 3600 else {
      throw ValidationError("--block-seconds: expected 0 to 3600, found \(blockSeconds).")
    }
    guard !(resume && file.force) else {
      throw ValidationError("Expected one of --resume and --force, found both.")
    }
  }

  /// A server for a file.
  ///
  /// - Throws: `SnapshotError` where the name is taken, or the key cannot be read.
  func server(for path: String) throws -> RecordingServer {
    var options = RecordingServer.Options(key: try KeyFile.key(key.keyFile))
    options.recording.queueBytes = try ByteCount.parse(queue, "--queue")!
    file.apply(to: &options.recording)
    options.resumes = resume
    options.budget = try ByteCount.parse(budget, "--budget")
    options.onFull = RecordingServer.OnFull(rawValue: onFull)!
    options.blockSeconds = blockSeconds
    return try RecordingServer(
      path: path, producer: "ptoken-record \(Command.version)", options: options)
  }
}
