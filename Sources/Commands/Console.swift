private import Foundation
private import Synchronization

/// What people see while a command works: lines on stderr, a progress line that rewrites itself on a terminal.
final class Console: Sendable {
  private struct State {
    var lastShown: ContinuousClock.Instant?
    var isLineOpen = false
  }

  private let isQuiet: Bool
  private let isTerminal: Bool
  private let start = ContinuousClock.now
  private let state = Mutex(State())

  init(quiet: Bool) {
    isQuiet = quiet
    isTerminal = isatty(STDERR_FILENO) == 1
  }

  /// Writes a line to stderr, whatever the verbosity.
  static func line(_ text: String) {
    FileHandle.standardError.write(Data((text + "\n").utf8))
  }

  /// A remark, unless `--quiet`.
  func note(_ text: String) {
    guard !isQuiet else { return }
    endProgress()
    Self.line(text)
  }

  /// Shows how far a task is: often on a terminal, every few seconds elsewhere.
  func progress(_ done: Int, of total: Int, _ words: String) {
    guard !isQuiet, total > 0 else { return }
    let now = ContinuousClock.now
    state.withLock { state in
      let interval: Duration = isTerminal ? .milliseconds(100) : .seconds(5)
      if let last = state.lastShown, now - last < interval, done < total { return }
      if state.lastShown == nil, !isTerminal, done < total {
        state.lastShown = now
        return
      }
      state.lastShown = now
      let seconds = (now - start) / .seconds(1)
      let left = done > 0 ? seconds * Double(total - done) / Double(done) : .nan
      let percent = 100 * done / total
      let time = done < total && left.isFinite ? ", \(Self.duration(left)) left" : ""
      if isTerminal {
        let bar = String(repeating: "#", count: percent / 5)
          .padding(toLength: 20, withPad: "-", startingAt: 0)
        FileHandle.standardError.write(Data("\r\u{1b}[K[\(bar)] \(percent) % \(words)\(time)".utf8))
        state.isLineOpen = true
      } else {
        Self.line("\(percent) % \(words)\(time)")
      }
    }
  }

  /// Ends an open progress line.
  func endProgress() {
    state.withLock { state in
      if state.isLineOpen { Self.line("") }
      state.isLineOpen = false
    }
  }

  /// Seconds as people say them.
  static func duration(_ seconds: Double) -> String {
    seconds < 90 ? "\(Int(seconds.rounded())) s" : "\(Int((seconds / 60).rounded())) min"
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
