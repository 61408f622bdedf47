internal import Foundation
private import Synchronization

/// Ctrl-C and termination signals: noted once, asked for by long loops; a second one ends the process at once.
enum Interruption {
  private static let flag = Atomic<Bool>(false)

  private static let endsAtOnce = Atomic<Bool>(false)
  private static let farewell: StaticString = "error: interrupted; nothing was written.\n"
  /// Over a line of progress.
  private static let erasing: StaticString = "\r\u{1B}[K"

  /// Does work that leaves nothing behind: a signal ends the process at once, with status 130.
  static func endingAtOnce<R>(_ work: () throws -> R) rethrows -> R {
    endsAtOnce.store(true, ordering: .sequentiallyConsistent)
    if isRequested { leave() }
    defer { endsAtOnce.store(false, ordering: .relaxed) }
    return try work()
  }

  /// Whether a signal has come.
  static var isRequested: Bool { flag.load(ordering: .relaxed) }

  /// Only async-signal-safe work.
  private static func leave() -> Never {
    if isatty(STDERR_FILENO) != 0 {
      _ = write(STDERR_FILENO, erasing.utf8Start, erasing.utf8CodeUnitCount)
    }
    _ = write(STDERR_FILENO, farewell.utf8Start, farewell.utf8CodeUnitCount)
    _exit(130)
  }

  static func install() {
    // A parent may have started us with signals blocked, as a thread pool's threads have them.
    var signals = sigset_t()
    sigemptyset(&signals)
    for number in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&signals, number) }
    pthread_sigmask(Int32(SIG_UNBLOCK), &signals, nil)
    for number in [SIGINT, SIGTERM] { catchSignal(number) }
    // Under nohup the end of the terminal does not concern us.
    var old = sigaction()
    sigaction(SIGHUP, nil, &old)
    if !isIgnored(old) { catchSignal(SIGHUP) }
    // Reported as errors of the write, in words, instead of killing the process with its outputs half-written.
    signal(SIGPIPE, SIG_IGN)
    signal(SIGXFSZ, SIG_IGN)
  }

  private static func catchSignal(_ number: Int32) {
    signal(number) { number in
      // Only async-signal-safe work: a line and the end; or an atomic store, and the default action for the next signal.
      Interruption.flag.store(true, ordering: .sequentiallyConsistent)
      if Interruption.endsAtOnce.load(ordering: .sequentiallyConsistent) { Interruption.leave() }
      signal(number, SIG_DFL)
    }
  }

  /// Whether a signal is ignored, as nohup has it.
  static func isIgnored(_ action: sigaction) -> Bool {
    #if canImport(Darwin)
      let handler = action.__sigaction_u.__sa_handler
    #else
      let handler = action.__sigaction_handler.sa_handler
    #endif
    // Function pointers have no ==; as integers they compare as C compares them.
    return unsafeBitCast(handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
  }
}
