private import Dispatch
private import Synchronization

/// Independent work on every core.
public enum Parallel {
  /// Calls `body` with 0..<count, on as many threads as there are cores.
  ///
  /// - Returns: the results, in order.
  /// - Throws: the first error in that order; the rest of the work is done all the same.
  public static func map<R: Sendable, E: Error>(
    _ count: Int, _ body: @Sendable (Int) throws(E) -> R
  ) throws(E) -> [R] {
    let results = Mutex([Result<R, E>?](repeating: nil, count: count))
    DispatchQueue.concurrentPerform(iterations: count) { index in
      let result: Result<R, E>
      do throws(E) { result = .success(try body(index)) } catch { result = .failure(error) }
      results.withLock { $0[index] = result }
    }
    var values: [R] = []
    values.reserveCapacity(count)
    for result in results.withLock({ $0 }) { values.append(try result!.get()) }
    return values
  }
}
