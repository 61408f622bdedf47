internal import ArgumentParser
internal import Recording
internal import SnapshotFormat

/// Options of every command that writes snapshots.
struct FileOptions: ParsableArguments {
  @Option(help: .init("Compression: zstd, deflate or none.", valueName: "name"))
  var compression = "zstd"

  @Option(
    help: .init(
      "What a loss of power may cost: commit (nothing), interval (5 s), never (no promise).",
      valueName: "policy"))
  var sync = "interval"

  @Flag(help: "Replace the output if it exists, and discard an unfinished recording.")
  var force = false

  func validate() throws {
    guard Writer.Compression(rawValue: compression) != nil else {
      throw ValidationError(
        "--compression: expected zstd, deflate or none, found '\(compression)'.")
    }
    guard Self.synchronization(sync) != nil else {
      throw ValidationError("--sync: expected commit, interval or never, found '\(sync)'.")
    }
  }

  /// Puts the options in their places.
  func apply(to options: inout Recorder.Options) {
    options.compression = Writer.Compression(rawValue: compression)!
    options.synchronization = Self.synchronization(sync)!
    options.force = force
  }

  private static func synchronization(_ name: String) -> Writer.Synchronization? {
    switch name {
    case "commit": .commit
    case "interval": .interval(seconds: 5)
    case "never": .never
    default: nil
    }
  }
}

/// Options of commands that record wide gradients themselves.
struct SketchOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: .init("Numbers that a wider gradient is sketched to.", valueName: "count"))
  var sketch = 256

  @Flag(help: "Record gradients in full, without a sketch.")
  var full = false

  func validate() throws { try StudyOptions.require(sketch, "--sketch", in: 1...65_536) }

  /// Width of the sketch; nil for none.
  var width: Int? { full ? nil : sketch }
}

/// The option for the key of record ids.
struct KeyOptions: ParsableArguments {
  @Option(
    help: .init(
      "File of the key of record ids, made if missing; by default a key that nobody keeps.",
      valueName: "file"))
  var keyFile: String?
}
