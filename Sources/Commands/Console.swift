private import Foundation
internal import SnapshotFormat
private import Synchronization

/// What people see while a command works: lines on stderr, a progress line that rewrites itself on a terminal;
/// and the result on stdout.
final class Console: Sendable {
  private let isQuiet: Bool
  private let isTerminal: Bool
  private let start = ContinuousClock.now
  private let lastShown = Mutex<ContinuousClock.Instant?>(nil)
  /// Whether stderr ends in a progress line without its line break; there is one stderr, however many consoles.
  private static let isLineOpen = Mutex(false)

  init(quiet: Bool) {
    isQuiet = quiet
    isTerminal = isatty(STDERR_FILENO) == 1
  }

  /// Writes a line to stderr, whatever the verbosity.
  static func line(_ text: String) {
    isLineOpen.withLock {
      let end = $0 ? "\n" : ""
      $0 = false
      // Whoever closed stderr does not want to know.
      _ = write(end + Printable.line(text) + "\n", to: STDERR_FILENO)
    }
  }

  /// Writes a result to stdout, ended by a line break.
  ///
  /// - Throws: `noSpace` or `failed` if it cannot be written. A reader that went away, as `head` does, has what it
  ///   wanted: that is no error.
  static func result(_ text: String, isJSON: Bool = false) throws(SnapshotError) {
    endProgress()
    let safe = isJSON ? Printable.json(text) : Printable.text(text)
    let failure = write(safe.hasSuffix("\n") ? safe : safe + "\n", to: STDOUT_FILENO)
    guard let failure, failure != EPIPE else { return }
    throw SnapshotError(
      code: failure == ENOSPC || failure == EFBIG ? .noSpace : .failed, file: "standard output",
      message: "cannot write: \(Files.reason(failure))", remedy: "Send it elsewhere.")
  }

  /// Writes everything; the error number that stopped it, or nil.
  private static func write(_ text: String, to descriptor: Int32) -> Int32? {
    Files.write(Array(text.utf8), to: descriptor)
  }

  /// A remark, unless `--quiet`.
  func note(_ text: String) {
    if !isQuiet { Self.line(text) }
  }

  /// Shows how far a task is: often on a terminal, every few seconds elsewhere.
  ///
  /// - Parameter secondsLeft: nil: as long for each that is left as for those that are done.
  func progress(_ done: Int, of total: Int, _ words: String, secondsLeft: Double? = nil) {
    guard !isQuiet, total > 0, isDue(done, total) else { return }
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    let left = secondsLeft ?? (done > 0 ? seconds * Double(total - done) / Double(done) : .nan)
    let percent = 100 * done / total
    let time = done < total && left.isFinite ? ", \(Self.duration(left)) left" : ""
    guard isTerminal else { return Self.line("\(percent) % \(words)\(time)") }
    let bar = String(repeating: "#", count: percent / 5)
      .padding(toLength: 20, withPad: "-", startingAt: 0)
    Self.isLineOpen.withLock {
      $0 = true
      _ = Self.write("\r\u{1b}[K[\(bar)] \(percent) % \(words)\(time)", to: STDERR_FILENO)
    }
  }

  /// Shows a state that has no end: rewritten every second on a terminal, a line now and then elsewhere.
  func status(_ words: String) {
    guard !isQuiet else { return }
    let now = ContinuousClock.now
    let interval: Duration = isTerminal ? .seconds(1) : .seconds(10)
    let isDue = lastShown.withLock { last in
      if let last, now - last < interval { return false }
      defer { last = now }
      return last != nil || isTerminal
    }
    guard isDue else { return }
    guard isTerminal else { return Self.line(words) }
    Self.isLineOpen.withLock {
      $0 = true
      _ = Self.write("\r\u{1b}[K" + Printable.line(words), to: STDERR_FILENO)
    }
  }

  private func isDue(_ done: Int, _ total: Int) -> Bool {
    let now = ContinuousClock.now
    return lastShown.withLock { last in
      let interval: Duration = isTerminal ? .milliseconds(100) : .seconds(5)
      if let last, now - last < interval, done < total { return false }
      let isFirst = last == nil
      last = now
      // Elsewhere than on a terminal the first line comes after a while: short work needs none.
      return !isFirst || isTerminal || done >= total
    }
  }

  /// Ends an open progress line.
  static func endProgress() {
    isLineOpen.withLock {
      if $0 { _ = write("\n", to: STDERR_FILENO) }
      $0 = false
    }
  }

  /// Seconds as people say them.
  static func duration(_ seconds: Double) -> String {
    seconds < 90 ? "\(Int(seconds.rounded())) s" : "\(Int((seconds / 60).rounded())) min"
  }

  /// A number of things: `1 step`, `2 steps`.
  static func count(_ number: Int, _ noun: String) -> String {
    "\(number) \(noun)\(number == 1 ? "" : "s")"
  }

  /// Bytes as people say them.
  static func bytes(_ count: Int) -> String {
    let units = ["B", "kB", "MB", "GB", "TB"]
    var (value, unit) = (Double(count), 0)
    while value >= 999.5, unit < units.count - 1 {
      value /= 1000
      unit += 1
    }
    return (value < 10 && unit > 0 ? String(format: "%.1f", value) : String(format: "%.0f", value))
      + " " + units[unit]
  }
}
