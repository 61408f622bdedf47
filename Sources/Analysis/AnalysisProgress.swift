private import Synchronization

extension Analyzer {
  /// How far an analysis is.
  public struct Progress: Sendable {
    /// Layers of windows that are analysed.
    public var done: Int
    /// All of them.
    public var total: Int
    /// Seconds until the last one is: as the cost model foretells, at the pace of those that are done.
    public var secondsLeft: Double
  }
}

/// Counts an analysis's cells by what they were foretold to take.
final class AnalysisProgress: Sendable {
  private struct State {
    var done = 0
    var total = 0
    /// Seconds of a thread: foretold of unfinished cells, foretold and taken of finished ones.
    var ahead = 0.0
    var foretold = 0.0
    var taken = 0.0
  }

  /// Foretold seconds of a thread for each stream of each window.
  private let costs: [[Double]]
  private let cores: Int
  private let report: @Sendable (Analyzer.Progress) -> Void
  private let state: Mutex<State>

  init(costs: [[Double]], cores: Int, report: @escaping @Sendable (Analyzer.Progress) -> Void) {
    (self.costs, self.cores, self.report) = (costs, cores, report)
    var state = State()
    state.total = costs.reduce(0) { $0 + $1.count }
    state.ahead = costs.reduce(0) { $0 + $1.reduce(0, +) }
    self.state = Mutex(state)
  }

  /// Takes a window's cells out of the count.
  func leaveOut(window: Int) {
    state.withLock {
      $0.total -= costs[window].count
      $0.ahead -= costs[window].reduce(0, +)
    }
  }

  /// Does a cell's work, and reports that it is done.
  func measure<R>(window: Int, stream: Int, _ work: () throws -> R) rethrows -> R {
    let start = ContinuousClock.now
    let result = try work()
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    let cost = costs[window][stream]
    report(
      state.withLock { state in
        state.done += 1
        state.ahead = max(0, state.ahead - cost)
        state.foretold += cost
        state.taken += seconds
        let left = state.total - state.done
        let pace = state.foretold > 0 ? state.taken / state.foretold : 1
        return Analyzer.Progress(
          done: state.done, total: state.total,
          secondsLeft: pace * state.ahead / Double(max(1, min(cores, left))))
      })
    return result
  }
}
