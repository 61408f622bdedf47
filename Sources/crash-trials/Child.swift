import Foundation

/// A recorder in a process of its own.
struct Child {
  let process: pid_t
  let log: String

  /// Starts `crash-trials record`; what it says goes to `log`.
  init(_ arguments: [String], log: String, environment: [String: String] = [:]) throws {
    self.log = log
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    posix_spawn_file_actions_addopen(
      &actions, 2, log + ".errors", O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    let program = CommandLine.arguments[0]
    let words = ([program, "record"] + arguments).map { strdup($0) } + [nil]
    let all = ProcessInfo.processInfo.environment.merging(environment) { $1 }
      .merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 }
    let variables = all.map { strdup("\($0)=\($1)") } + [nil]
    defer { for text in words + variables { free(text) } }
    var process = pid_t()
    guard posix_spawn(&process, program, &actions, nil, words, variables) == 0 else {
      throw Broken("cannot start \(program)")
    }
    self.process = process
  }

  /// Steps that it has said are committed.
  var acknowledged: Int {
    let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
    // The last line may be cut off.
    return text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
      .compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }.max() ?? 0
  }

  /// What it said on stderr.
  var errors: String { (try? String(contentsOfFile: log + ".errors", encoding: .utf8)) ?? "" }

  func kill() { Foundation.kill(process, SIGKILL) }

  /// Waits for its end: exit status, or 128 + n after signal n.
  @discardableResult
  func wait() -> Int32 {
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0, errno == EINTR {}
    let number = status & 0x7f
    return number == 0 ? status >> 8 & 0xff : 128 + number
  }
}

/// Makes a folder, passes it on and removes it with everything in it.
func withFolder<R>(_ body: (String) throws -> R) throws -> R {
  let path = FileManager.default.temporaryDirectory
    .appending(path: "ptoken-trial-\(UUID().uuidString)").path(percentEncoded: false)
  try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: path) }
  return try body(path)
}
