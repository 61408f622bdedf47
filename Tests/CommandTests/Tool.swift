import Foundation
import TestSupport
import Testing

/// The built programs, run as people run them.
enum Tool {
  /// What a program wrote, and how it ended.
  struct Outcome {
    var output: String
    var errors: String
    /// Exit status; 128 + n after signal n.
    var status: Int32

    /// Lines on stderr.
    var errorLines: [Substring] { errors.split(separator: "\n") }

    /// The result as JSON.
    func json() throws -> [String: Any] {
      try #require(
        try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any])
    }
  }

  /// Where a program is. It lies beside the test bundle, whatever the build folder is called.
  static func path(_ name: String) throws -> String {
    let bundles = (Bundle.allBundles + [Bundle.main]).map(\.bundleURL)
    let argument = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
    for start in bundles + [argument] {
      var folder = start
      for _ in 0..<5 {
        let file = folder.appending(path: name).path(percentEncoded: false)
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: file, isDirectory: &isFolder),
          !isFolder.boolValue,
          FileManager.default.isExecutableFile(atPath: file)
        {
          return file
        }
        folder.deleteLastPathComponent()
      }
    }
    throw Missing(description: "\(name) is not beside the tests: build it first")
  }

  struct Missing: Error, CustomStringConvertible { let description: String }

  private static let spawning = NSRecursiveLock()

  /// Edits files while no program starts: it would inherit the open file, and with it libhdf5's lock.
  static func withoutSpawning(_ body: () throws -> Void) rethrows {
    spawning.lock()
    defer { spawning.unlock() }
    try body()
  }

  /// Starts a program in a folder; its streams go to files until `finish`.
  ///
  /// By posix_spawn: Foundation's Process waits on a run loop, which many tests at once starve.
  static func start(
    _ command: [String], in folder: TemporaryFolder, streams: TemporaryFolder
  ) throws -> pid_t {
    #if canImport(Darwin)
      var (actions, attributes): (posix_spawn_file_actions_t?, posix_spawnattr_t?) = (nil, nil)
    #else
      var (actions, attributes) = (posix_spawn_file_actions_t(), posix_spawnattr_t())
    #endif
    posix_spawn_file_actions_init(&actions)
    posix_spawnattr_init(&attributes)
    defer {
      posix_spawn_file_actions_destroy(&actions)
      posix_spawnattr_destroy(&attributes)
    }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    for (number, name) in [(1, "output"), (2, "errors")] {
      posix_spawn_file_actions_addopen(
        &actions, Int32(number), streams.file(name), O_WRONLY | O_CREAT | O_APPEND, 0o600)
    }
    // Whatever the test runner ignores or blocks, the program starts as from a shell.
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    for number in [SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGXFSZ] { sigaddset(&signals, number) }
    posix_spawnattr_setsigdefault(&attributes, &signals)
    posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETSIGDEF) | Int16(POSIX_SPAWN_SETSIGMASK))

    let environment = ProcessInfo.processInfo.environment.merging([
      // Help wraps at the width of the terminal; a crash must not take seconds to draw its trace.
      "COLUMNS": "80", "SWIFT_BACKTRACE": "enable=no", "LC_ALL": "C",
    ]) { $1 }
    let move = ["/bin/sh", "-c", #"cd "$0" && exec /usr/bin/env "$@""#, folder.path]
    let words = (move + command).map { strdup($0) } + [nil]
    let variables = environment.map { strdup("\($0)=\($1)") } + [nil]
    defer { for text in words + variables { free(text) } }
    var process = pid_t()
    var failure: Int32 = 0
    withoutSpawning {
      failure = posix_spawn(&process, "/bin/sh", &actions, &attributes, words, variables)
    }
    guard failure == 0 else { throw Missing(description: String(cString: strerror(failure))) }
    return process
  }

  /// Waits for a program and returns what it left.
  static func finish(_ process: pid_t, streams: TemporaryFolder) throws -> Outcome {
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0, errno == EINTR {}
    let number = status & 0x7f
    return Outcome(
      output: String(decoding: try streams.bytes("output"), as: UTF8.self),
      errors: String(decoding: try streams.bytes("errors"), as: UTF8.self),
      status: number == 0 ? status >> 8 & 0xff : 128 + number)
  }

  /// Runs `ptoken-record demo x.h5`, in words, in a folder.
  static func run(_ words: [String], in folder: TemporaryFolder) throws -> Outcome {
    try withTemporaryFolder { streams in
      let process = try start([path(words[0])] + words.dropFirst(), in: folder, streams: streams)
      return try finish(process, streams: streams)
    }
  }

  /// Runs `ptoken-record demo x.h5`, as one line without quotes, in a folder.
  static func run(_ line: String, in folder: TemporaryFolder) throws -> Outcome {
    try run(line.split(separator: " ").map(String.init), in: folder)
  }

  /// Runs a line of bash in which `$PROGRAM` stands for a program's path.
  static func shell(
    _ program: String, _ script: String, in folder: TemporaryFolder
  ) throws -> Outcome {
    try withTemporaryFolder { streams in
      // Rather an end than a test that hangs.
      let patience =
        "await() { for _ in {1..3000}; do [ -e $1 ] && return; sleep 0.02; done; echo $1 never came >&2; exit 99; }\n"
      let command = ["PROGRAM=\(try path(program))", "bash", "-c", patience + script]
      return try finish(start(command, in: folder, streams: streams), streams: streams)
    }
  }

  /// Runs a program as somebody whom file modes bind, as they do not bind root.
  static func runUnprivileged(_ line: String, in folder: TemporaryFolder) throws -> Outcome {
    let words = line.split(separator: " ").map(String.init)
    let prefix = getuid() == 0 ? ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] : []
    return try withTemporaryFolder { streams in
      let command = prefix + [try path(words[0])] + words.dropFirst()
      let outcome = try finish(start(command, in: folder, streams: streams), streams: streams)
      #expect(outcome.status != 127, "root needs setpriv (util-linux) for this test")
      return outcome
    }
  }
}

/// Expects an error as every program reports it: one line, `error: place: what. remedy.`, and nothing on stdout.
func expectError(
  _ outcome: Tool.Outcome, status: Int32 = 2, _ parts: String...,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(outcome.status == status, "\(outcome.errors)", sourceLocation: sourceLocation)
  let errors = outcome.errorLines.filter { $0.hasPrefix("error: ") }
  #expect(errors.count == 1, "\(outcome.errors)", sourceLocation: sourceLocation)
  let last = outcome.errorLines.last ?? ""
  #expect(last.hasPrefix("error: "), "\(outcome.errors)", sourceLocation: sourceLocation)
  #expect(
    last.hasSuffix(".") || last.hasSuffix("?"), "\(outcome.errors)", sourceLocation: sourceLocation)
  #expect(!last.contains(".."), "\(outcome.errors)", sourceLocation: sourceLocation)
  for part in parts {
    #expect(last.contains(part), "\(outcome.errors)", sourceLocation: sourceLocation)
  }
}
