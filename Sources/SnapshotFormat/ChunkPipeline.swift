private import Foundation
internal import HDF5

/// Encodes chunks on all cores and writes them in the order in which they were handed over, so that the same rows give
/// the same bytes.
///
/// Bounded: handing over waits while too much is under way. A chunk that cannot be written stays first in the queue
/// and can be tried again. @unchecked: `condition` guards all mutable state.
final class ChunkPipeline: @unchecked Sendable {
  /// Bytes of a whole chunk that may be part of a longer array.
  enum Source: Sendable {
    case rows(RowBuffer)
    case values(TableRows.Values, offset: Int, count: Int)

    func withBytes<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
      switch self {
      case .rows(let rows): body(rows.bytes)
      case .values(.float(let values), let offset, let count):
        values.withUnsafeBytes {
          body(UnsafeRawBufferPointer(rebasing: $0[offset..<offset + count]))
        }
      case .values(.label(let values), let offset, let count):
        values.withUnsafeBytes {
          body(UnsafeRawBufferPointer(rebasing: $0[offset..<offset + count]))
        }
      }
    }

    var count: Int {
      switch self {
      case .rows(let rows): rows.count
      case .values(_, _, let count): count
      }
    }
  }

  /// A chunk to write.
  struct Task: Sendable {
    var column: Int
    /// First row.
    var row: Int
    var source: Source
  }

  private enum State {
    case waiting
    case encoded(RowBuffer)
    case written
  }

  private let condition = NSCondition()
  /// Asking the system opens a file each time.
  private static let cores = ProcessInfo.processInfo.activeProcessorCount
  private let capacity: Int
  private let encode: @Sendable (Task) -> RowBuffer
  private let write: @Sendable (Task, RowBuffer) throws(SnapshotError) -> Void
  private var queue: [(task: Task, state: State)] = []
  /// Tasks before this one in `queue` are done.
  private var head = 0
  /// Tasks before this one are being encoded, or have been.
  private var taken = 0
  /// Tasks that were in `queue` once, before those that are.
  private var removed = 0
  private var bytes = 0
  private var isWriting = false
  private var isEnding = false
  private var workers = 0
  private var idle = 0
  /// Whether the caller waits for chunks to be written; nobody is woken up otherwise.
  private var isAwaited = false
  private var error: SnapshotError?

  /// - Parameters:
  ///   - capacity: most bytes under way; at least one chunk is always admitted.
  ///   - encode: called from several threads at once.
  ///   - write: called from one thread at a time, in order.
  init(
    capacity: Int, encode: @escaping @Sendable (Task) -> RowBuffer,
    write: @escaping @Sendable (Task, RowBuffer) throws(SnapshotError) -> Void
  ) {
    self.capacity = capacity
    self.encode = encode
    self.write = write
  }

  /// What stopped the pipeline, if anything did.
  var failure: SnapshotError? { condition.withLock { error } }

  /// Hands a chunk over; waits while too much is under way.
  func submit(_ task: Task) {
    condition.lock()
    defer { condition.unlock() }
    // After a failure nothing moves on by itself: the queue grows by what one step brings.
    while error == nil, head < queue.count, bytes + task.source.count > capacity { awaitProgress() }
    queue.append((task, .waiting))
    bytes += task.source.count
    if idle == 0, workers < Self.cores {
      workers += 1
      let thread = Thread { [self] in run() }
      thread.name = "ptoken chunks"
      thread.start()
    }
    if idle > 0 { condition.signal() }
  }

  /// Waits until everything handed over is written; tries again what failed.
  func drain() throws(SnapshotError) {
    condition.lock()
    defer { condition.unlock() }
    if error != nil {
      error = nil
      condition.broadcast()
      writeReady()
    }
    while head < queue.count || isWriting, error == nil { awaitProgress() }
    if let error { throw error }
  }

  private func awaitProgress() {
    isAwaited = true
    condition.wait()
  }

  private func noteProgress() {
    guard isAwaited else { return }
    isAwaited = false
    condition.broadcast()
  }

  /// Ends the threads; what is under way is dropped.
  func end() {
    condition.lock()
    isEnding = true
    condition.broadcast()
    while workers > 0 { condition.wait() }
    condition.unlock()
  }

  private func run() {
    condition.lock()
    while !isEnding {
      guard error == nil, taken < queue.count else {
        idle += 1
        condition.wait()
        idle -= 1
        continue
      }
      let task = queue[taken].task
      let number = removed + taken
      taken += 1
      let encoded = unlocked { encode(task) }
      // Tasks before this one may have gone meanwhile.
      queue[number - removed].state = .encoded(encoded)
      writeReady()
    }
    workers -= 1
    condition.broadcast()
    condition.unlock()
  }

  /// Writes what is encoded at the front, unless another thread does; the lock is held on entry and on return.
  private func writeReady() {
    guard !isWriting else { return }
    isWriting = true
    while !isEnding, error == nil, head < queue.count, case .encoded(let stored) = queue[head].state
    {
      let task = queue[head].task
      let failure: SnapshotError? = unlocked {
        do throws(SnapshotError) { try write(task, stored) } catch { return error }
        return nil
      }
      if let failure {
        error = failure
      } else {
        bytes -= task.source.count
        queue[head].task.source = .values(.float([]), offset: 0, count: 0)
        queue[head].state = .written
        head += 1
        if head == queue.count || head > 1024 {
          queue.removeFirst(head)
          removed += head
          taken -= head
          head = 0
        }
      }
      noteProgress()
    }
    isWriting = false
    noteProgress()
  }

  private func unlocked<R>(_ body: () -> R) -> R {
    condition.unlock()
    defer { condition.lock() }
    return body()
  }
}
