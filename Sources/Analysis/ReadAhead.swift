private import Dispatch
private import Foundation

/// Work on every core whose input is read meanwhile: who reads hands each piece over with its input, and waits only while
/// more input is unfinished than memory is for.
///
/// @unchecked: `condition` guards all mutable state; who hands work over must be able to wait, which a Mutex cannot.
package final class ReadAhead<Output: Sendable>: @unchecked Sendable {
  private static var cores: Int { ProcessInfo.processInfo.activeProcessorCount }
  private let capacity: Int
  private let condition = NSCondition()
  private var bytes = 0
  private var unfinished = 0
  private var running = 0
  private var waiting: [(place: Int, bytes: Int, work: @Sendable () throws -> Output)] = []
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
    while !hasFailed, unfinished > 0, bytes + size > capacity { condition.wait() }
    guard !hasFailed else { return }
    waiting.append((results.count, size, work))
    results.append(nil)
    bytes += size
    unfinished += 1
    begin()
  }

  /// Begins as much as there are cores for; with the lock held.
  private func begin() {
    while running < Self.cores, !waiting.isEmpty {
      let next = waiting.removeFirst()
      running += 1
      DispatchQueue.global().async { [self] in
        let isWanted = condition.withLock { !hasFailed }
        let result = isWanted ? Result { try next.work() } : nil
        condition.withLock {
          results[next.place] = result
          if case .failure = result { hasFailed = true }
          bytes -= next.bytes
          unfinished -= 1
          running -= 1
          begin()
          condition.broadcast()
        }
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
