private import Dispatch
private import Synchronization

/// Independent work on every core.
public enum Parallel {
  /// Calls `body` with 0..<count, on as many threads as there are cores.
  ///
  /// - Returns: the results, in order.
  /// - Throws: the first error in that order; the rest of the work is done all the same.
  public static func map<R: Sendable>(
    _ count: Int, _ body: @Sendable (Int) throws -> R
  ) throws -> [R] {
    let results = Mutex([Result<R, any Error>?](repeating: nil, count: count))
    DispatchQueue.concurrentPerform(iterations: count) { index in
      let result = Result { try body(index) }
      results.withLock { $0[index] = result }
    }
    return try results.withLock { try $0.map { try $0!.get() } }
  }
}
