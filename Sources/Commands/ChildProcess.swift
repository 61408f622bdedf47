private import Foundation
private import Synchronization

/// A command that runs in place of ours would: same streams, same process group; signals sent to us reach it.
final class ChildProcess: Sendable {
  /// Why a command could not be started.
  struct Failure: Error {
    /// As a shell says it: 127 not found, 126 not executable.
    var status: Int32
    var message: String
  }

  private let identifier: pid_t
  /// The child that signals are passed on to; 0 for none.
  private static let target = Atomic<Int32>(0)
  /// A signal that came before there was a child to pass it on to; 0 for none.
  private static let early = Atomic<Int32>(0)
  private static let forwarded = [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2]

  /// Starts a command, found on the PATH.
  init(_ words: [String], environment: [String: String]) throws(Failure) {
    Self.forwardSignals()
    // A parent that ignores its children's ends has ours forgotten before their status is asked for.
    signal(SIGCHLD, SIG_DFL)
    #if canImport(Darwin)
      var attributes: posix_spawnattr_t?
    #else
      var attributes = posix_spawnattr_t()
    #endif
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // What we ignore for our own sake, the command must not.
    var signals = sigset_t()
    sigemptyset(&signals)
    for number in [SIGPIPE, SIGXFSZ] { sigaddset(&signals, number) }
    posix_spawnattr_setsigdefault(&attributes, &signals)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF))
    let arguments = words.map { strdup($0) } + [nil]
    let variables = environment.map { strdup("\($0)=\($1)") } + [nil]
    defer { for text in arguments + variables { free(text) } }
    var process = pid_t()
    let failure = posix_spawnp(&process, words[0], nil, &attributes, arguments, variables)
    guard failure == 0 else {
      throw Failure(
        status: failure == ENOENT ? 127 : 126,
        message: "\(words[0]): cannot run: \(Files.reason(failure))")
    }
    identifier = process
    Self.target.store(process, ordering: .sequentiallyConsistent)
    let missed = Self.early.exchange(0, ordering: .sequentiallyConsistent)
    if missed > 0 { kill(process, missed) }
  }

  /// The exit status, 128 + n after signal n; nil while it runs.
  func status() -> Int32? {
    var status: Int32 = 0
    guard waitpid(identifier, &status, WNOHANG) == identifier else { return nil }
    Self.target.store(0, ordering: .sequentiallyConsistent)
    let number = status & 0x7f
    return number == 0 ? status >> 8 & 0xff : 128 + number
  }

  private static func forwardSignals() {
    for number in forwarded {
      var old = sigaction()
      sigaction(number, nil, &old)
      // What our parent made us ignore, as nohup does, stays so for both.
      guard !Interruption.isIgnored(old) else { continue }
      var action = sigaction()
      let handler:
        @convention(c) (Int32, UnsafeMutablePointer<siginfo_t>?, UnsafeMutableRawPointer?) -> Void =
          {
            number, info, _ in
            // Only async-signal-safe work. A key pressed on the terminal reaches the command by itself.
            guard let info, info.pointee.si_code <= 0 else { return }
            let child = ChildProcess.target.load(ordering: .sequentiallyConsistent)
            if child > 0 {
              kill(child, number)
            } else {
              ChildProcess.early.store(number, ordering: .sequentiallyConsistent)
            }
          }
      #if canImport(Darwin)
        action.__sigaction_u.__sa_sigaction = handler
      #else
        action.__sigaction_handler.sa_sigaction = handler
      #endif
      action.sa_flags = SA_SIGINFO | SA_RESTART
      sigaction(number, &action, nil)
    }
  }
}
