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

  @Option(help: .init("Compression: zstd, deflate or none.", valueName: "name"))
  var compression = "zstd"

  @Option(
    help: .init(
      "What a loss of power may cost: commit (nothing), interval (5 s), never (no promise).",
      valueName: "policy"))
  var sync = "interval"

  @Option(
    help: .init(
      "File of the key of record ids, made if missing; by default a key that nobody keeps.",
      valueName: "file"))
  var keyFile: String?

  @Flag(help: "Go on with a recording that was interrupted or killed.")
  var resume = false

  @Flag(help: "Replace the output if it exists, and discard an unfinished recording.")
  var force = false

  @Flag(name: .shortAndLong, help: "Say nothing but results and errors.")
  var quiet = false

  func validate() throws {
    _ = try Self.size(budget, "--budget")
    let bytes = try Self.size(queue, "--queue") ?? 0
    guard (1 << 20...1 << 36).contains(bytes) else {
      throw ValidationError("--queue: expected 1 MB to 64 GB, found '\(queue)'.")
    }
    guard RecordingServer.OnFull(rawValue: onFull) != nil else {
      throw ValidationError("--on-full: expected drop or block, found '\(onFull)'.")
    }
    guard blockSeconds >= 0, blockSeconds <= 3600 else {
      throw ValidationError("--block-seconds: expected 0 to 3600, found \(blockSeconds).")
    }
    guard Writer.Compression(rawValue: compression) != nil else {
      throw ValidationError(
        "--compression: expected zstd, deflate or none, found '\(compression)'.")
    }
    guard Writer.Synchronization(named: sync) != nil else {
      throw ValidationError("--sync: expected commit, interval or never, found '\(sync)'.")
    }
    guard !(resume && force) else {
      throw ValidationError("Expected one of --resume and --force, found both.")
    }
  }

  /// Bytes of a size such as `500kB`, `64MB`, `2GB` or `1000`.
  static func size(_ text: String?, _ option: String) throws(ValidationError) -> Int? {
    guard let text else { return nil }
    let units = ["": 1.0, "B": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12]
    let digits = text.prefix { $0.isNumber || $0 == "." }
    let unit = text.dropFirst(digits.count).trimmingCharacters(in: .whitespaces).uppercased()
    guard let number = Double(digits), let factor = units[unit], number * factor >= 1,
      number * factor < 0x1p62
    else {
      throw ValidationError("\(option): expected a size such as 500MB or 2GB, found '\(text)'.")
    }
    return Int(number * factor)
  }

  /// A server for a file.
  ///
  /// - Throws: `SnapshotError` where the name is taken, or the key cannot be read.
  func server(for path: String) throws -> RecordingServer {
    var options = RecordingServer.Options(key: try KeyFile.key(keyFile))
    options.recording.queueBytes = try Self.size(queue, "--queue")!
    options.recording.compression = Writer.Compression(rawValue: compression)!
    options.recording.synchronization = Writer.Synchronization(named: sync)!
    options.recording.force = force
    options.resumes = resume
    options.budget = try Self.size(budget, "--budget")
    options.onFull = RecordingServer.OnFull(rawValue: onFull)!
    options.blockSeconds = blockSeconds
    return try RecordingServer(
      path: path, producer: "ptoken-record \(Command.version)", options: options)
  }
}

extension Writer.Synchronization {
  /// A policy as options name it.
  init?(named name: String) {
    switch name {
    case "commit": self = .commit
    case "interval": self = .interval(seconds: 5)
    case "never": self = .never
    default: return nil
    }
  }
}

/// The key of record ids in a file of its own: whoever has it can tell whether a record took part.
enum KeyFile {
  /// The key of a file, which is made where it is missing; a fresh one without a file.
  static func key(_ path: String?) throws(SnapshotError) -> [UInt8] {
    var generator = SystemRandomNumberGenerator()
    let fresh = (0..<32).map { _ in UInt8.random(in: 0...255, using: &generator) }
    guard let path else { return fresh }
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL, 0o600)
    if descriptor >= 0 {
      defer { _ = close(descriptor) }
      if let failure = Files.write(Array((Hexadecimal.text(fresh) + "\n").utf8), to: descriptor) {
        unlink(path)
        throw SnapshotError(number: failure, "cannot write", path)
      }
      return fresh
    }
    guard errno == EEXIST else { throw SnapshotError(number: errno, "cannot write", path) }
    let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    guard let key = Hexadecimal.bytes(text.trimmingCharacters(in: .whitespacesAndNewlines)),
      key.count == 32
    else {
      throw SnapshotError(
        code: .invalid, file: path, message: "expected a key of 64 hexadecimal digits",
        remedy: "Name a file that ptoken-record made, or one that does not exist yet.")
    }
    return key
  }
}
