private import Foundation
internal import SnapshotFormat

/// A thread that sketches and writes steps in order, behind a queue bounded in bytes.
final class WriteQueue: @unchecked Sendable {
  // @unchecked: `condition` guards all mutable state but `writer`, which only the thread uses until it has ended.
  private let condition = NSCondition()
  private let writer: Writer
  private let sketches: [[Sketch?]]
  private let capacity: Int
  private let path: String
  private var waiting: [(step: StepDescription, rows: [TableRows], bytes: Int)] = []
  private var waitingBytes = 0
  private var isClosing = false
  private var hasEnded = false
  private var failure: SnapshotError?
  private var committed = 0

  init(writer: Writer, sketches: [[Sketch?]], capacity: Int) {
    self.writer = writer
    self.sketches = sketches
    self.capacity = capacity
    path = writer.path
    let thread = Thread { [self] in run() }
    thread.name = "ptoken writer"
    thread.start()
  }

  var committedSteps: Int { condition.withLock { committed } }

  func mismatch(_ object: String, _ message: String) -> SnapshotError {
    SnapshotError(code: .rowMismatch, file: path, object: object, message: message)
  }

  func push(_ step: StepDescription, _ rows: [TableRows]) throws(SnapshotError) {
    let bytes = rows.reduce(0) { $0 + $1.values.reduce(0) { $0 + 4 * $1.count } }
    condition.lock()
    defer { condition.unlock() }
    while failure == nil, !waiting.isEmpty, waitingBytes + bytes > capacity { condition.wait() }
    if let failure { throw failure }
    guard !isClosing else {
      throw SnapshotError(code: .failed, file: path, message: "the recording is closed")
    }
    waiting.append((step, rows, bytes))
    waitingBytes += bytes
    condition.broadcast()
  }

  func close(_ status: RunStatus) throws(SnapshotError) {
    condition.lock()
    let isRepeated = isClosing
    isClosing = true
    condition.broadcast()
    while !hasEnded { condition.wait() }
    let failure = failure
    condition.unlock()
    guard !isRepeated else { return }
    guard let failure else {
      return try writer.close(status)
    }
    guard writer.committedSteps > 0 else {
      writer.discard()
      throw failure
    }
    do throws(SnapshotError) {
      try writer.close(.interrupted)
    } catch {
      // What stopped the recording first, and where its steps are now.
      var worst = failure
      worst.remedy = error.remedy
      throw worst
    }
    var kept = failure
    kept.remedy = "The \(writer.committedSteps) steps before it are kept. " + failure.remedy
    throw kept
  }

  /// Ends the thread without writing what waits; nothing happens after `close`.
  func abandon() {
    condition.withLock {
      isClosing = true
      waiting = []
      condition.broadcast()
    }
  }

  private func run() {
    while let next = take() {
      do throws(SnapshotError) {
        try writer.append(next.step, rows: next.rows.map(sketched))
        condition.withLock {
          committed = writer.committedSteps
          waitingBytes -= next.bytes
          condition.broadcast()
        }
      } catch {
        condition.withLock {
          failure = error
          waiting = []
          waitingBytes = 0
          condition.broadcast()
        }
      }
    }
    condition.withLock {
      hasEnded = true
      condition.broadcast()
    }
  }

  private func take() -> (step: StepDescription, rows: [TableRows], bytes: Int)? {
    condition.lock()
    defer { condition.unlock() }
    while waiting.isEmpty, !isClosing, failure == nil { condition.wait() }
    return failure == nil && !waiting.isEmpty ? waiting.removeFirst() : nil
  }

  private func sketched(_ rows: TableRows) -> TableRows {
    var result = rows
    for (position, sketch) in sketches[rows.table].enumerated() {
      if let sketch, case .float(let values) = rows.values[position] {
        result.values[position] = .float(sketch(values))
      }
    }
    return result
  }
}
