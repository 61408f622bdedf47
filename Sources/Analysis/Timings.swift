private import Synchronization

/// Where an analysis spends its time, summed over threads.
public final class Timings: Sendable {
  /// A part of the work.
  public enum Stage: String, Sendable, CaseIterable {
    case digest = "checksum of the file"
    case reading
    case features = "components of features"
    case tokens
    case gaussian = "Gaussian information"
    case critic = "critic, bound and re-identification"
    case neighbours = "nearest neighbours"
    case recovery = "recoverable variance"
    case labels
  }

  private let start = ContinuousClock.now
  private let spent = Mutex<[Stage: Duration]>([:])

  /// Starts.
  public init() {}

  /// Counts the time of some work for a stage.
  func measure<R, E: Error>(_ stage: Stage, _ work: () throws(E) -> R) throws(E) -> R {
    let start = ContinuousClock.now
    defer {
      let time = ContinuousClock.now - start
      spent.withLock { $0[stage, default: .zero] += time }
    }
    return try work()
  }

  /// Seconds of each stage, of all threads together, in the order of the work.
  public var stages: [(stage: Stage, seconds: Double)] {
    let spent = spent.withLock { $0 }
    return Stage.allCases.compactMap { stage in
      spent[stage].map { (stage, $0 / .seconds(1)) }
    }
  }

  /// Seconds since the start.
  public var elapsed: Double { (ContinuousClock.now - start) / .seconds(1) }
}
