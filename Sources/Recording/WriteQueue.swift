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
  private var current = Recorder.Progress()
  private let observer: Recorder.Observer

  init(
    writer: Writer, sketches: [[Sketch?]], capacity: Int,
    observer: Recorder.Observer
  ) {
    self.writer = writer
    self.sketches = sketches
    self.capacity = capacity
    self.observer = observer
    current.committedSteps = writer.committedSteps
    path = writer.path
    let thread = Thread { [self] in run() }
    thread.name = "ptoken writer"
    thread.start()
  }

  var progress: Recorder.Progress {
    condition.withLock {
      var progress = current
      progress.queuedBytes = waitingBytes
      return progress
    }
  }

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

  func close(_ status: RunStatus, captures: [CaptureReport]) throws(SnapshotError) {
    condition.lock()
    let isRepeated = isClosing
    isClosing = true
    condition.broadcast()
    while !hasEnded { condition.wait() }
    let failure = failure
    condition.unlock()
    guard !isRepeated else { return }
    guard let failure else {
      return try writer.close(status, captures: captures)
    }
    guard writer.committedSteps > 0 else {
      writer.discard()
      throw failure
    }
    do throws(SnapshotError) {
      try writer.close(status == .crashed ? .crashed : .interrupted, captures: captures)
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

  /// Ends the thread; nothing is left of the recording.
  func discard() {
    condition.lock()
    isClosing = true
    waiting = []
    condition.broadcast()
    while !hasEnded { condition.wait() }
    condition.unlock()
    writer.discard()
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
        let (steps, bytes) = (writer.committedSteps, writer.bytes)
        let progress = condition.withLock {
          current.committedSteps = steps
          current.committedRows += next.rows.reduce(0) { $0 + $1.records.count }
          current.fileBytes = bytes
          waitingBytes -= next.bytes
          condition.broadcast()
          var progress = current
          progress.queuedBytes = waitingBytes
          return progress
        }
        observer.committed(progress)
      } catch {
        condition.withLock {
          failure = error
          waiting = []
          waitingBytes = 0
          condition.broadcast()
        }
        observer.failed(error)
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

  /// Whether values are rows of a sketch already.
  func isSketched(_ values: TableRows.Values, rows: Int, stream: Int, table: Int) -> Bool {
    guard let sketch = sketches[table][stream] else { return false }
    return sketch.descriptor.width < sketch.inputs
      && values.count == rows * sketch.descriptor.width
  }

  private func sketched(_ rows: TableRows) -> TableRows {
    var result = rows
    for (position, sketch) in sketches[rows.table].enumerated() {
      if let sketch, case .float(let values) = rows.values[position],
        !isSketched(
          rows.values[position], rows: rows.records.count, stream: position, table: rows.table)
      {
        result.values[position] = .float(sketch(values))
      }
    }
    return result
  }
}
