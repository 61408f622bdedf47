private import Dispatch
private import Foundation

/// Work on every core whose input is read meanwhile: who reads hands each piece over with its input, and waits only while
/// more input is unfinished than memory is for.
///
/// @unchecked: `condition` guards all mutable state.
package final class ReadAhead<Output: Sendable>: @unchecked Sendable {
  private let capacity: Int
  private let condition = NSCondition()
  private var bytes = 0
  private var unfinished = 0
  private var results: [Result<Output, any Error>?] = []
  private var hasFailed = false

  /// - Parameter capacity: bytes of input that may be unfinished; one piece of work is always admitted.
  package init(capacity: Int) { self.capacity = capacity }

  /// Whether some work failed, so that what follows is in vain.
  package var isFailed: Bool { condition.withLock { hasFailed } }

  /// Hands work over whose input takes so many bytes.
  ///
  /// After a failure nothing more is begun.
  package func add(bytes size: Int, _ work: @escaping @Sendable () throws -> Output) {
    condition.lock()
    defer { condition.unlock() }
    while unfinished > 0, bytes + size > capacity { condition.wait() }
    guard !hasFailed else { return }
    let place = results.count
    results.append(nil)
    bytes += size
    unfinished += 1
    // The system's queue begins as many as there are cores.
    DispatchQueue.global().async { [self] in
      let isWanted = condition.withLock { !hasFailed }
      let result = isWanted ? Result { try work() } : nil
      condition.withLock {
        results[place] = result
        if case .failure = result { hasFailed = true }
        bytes -= size
        unfinished -= 1
        condition.broadcast()
      }
    }
  }

  /// Waits until nothing is under way; work that was not begun is not.
  package func cancel() {
    condition.lock()
    defer { condition.unlock() }
    hasFailed = true
    while unfinished > 0 { condition.wait() }
  }

  /// Waits for everything.
  ///
  /// - Returns: the results in the order of the work.
  /// - Throws: the first failure in that order.
  package func finish() throws -> [Output] {
    condition.lock()
    defer { condition.unlock() }
    while unfinished > 0 { condition.wait() }
    return try results.compactMap { try $0?.get() }
  }
}
