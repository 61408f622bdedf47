private import Foundation
private import Synchronization

/// Ctrl-C and termination signals: noted once, asked for by long loops; a second one ends the process at once.
enum Interruption {
  private static let flag = Atomic<Bool>(false)

  /// Whether a signal has come.
  static var isRequested: Bool { flag.load(ordering: .relaxed) }

  static func install() {
    for number in [SIGINT, SIGTERM, SIGHUP] {
      signal(number) { number in
        // Only async-signal-safe work: an atomic store, and the default action for the next signal.
        Interruption.flag.store(true, ordering: .relaxed)
        signal(number, SIG_DFL)
      }
    }
  }
}
