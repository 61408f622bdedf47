private import Foundation

/// Reads a stream socket in order, counting bytes; never waits longer than it was told to.
package final class ByteSource {
  private let descriptor: Int32
  private let buffer: UnsafeMutableRawBufferPointer
  private var start = 0
  private var end = 0
  /// Bytes handed out so far.
  package private(set) var offset: UInt64 = 0
  /// Seconds without a byte, within a frame, after which the peer counts as stuck.
  private let patience: Double

  /// - Parameter descriptor: a connected socket, which stays the caller's.
  package init(_ descriptor: Int32, patience: Double = 60) {
    self.descriptor = descriptor
    self.patience = patience
    buffer = .allocate(byteCount: 64 << 10, alignment: 64)
  }

  deinit { buffer.deallocate() }

  /// Waits for the first byte of a frame.
  ///
  /// - Parameter seconds: how long; nil for as long as it takes.
  /// - Throws: `timeout`. False where the peer has ended the connection.
  package func hasMore(within seconds: Double? = nil) throws(WireError) -> Bool {
    guard end == start else { return true }
    return try fill(within: seconds)
  }

  /// Fills a piece of memory.
  ///
  /// - Throws: `ended` or `timeout`.
  package func read(
    into target: UnsafeMutableRawBufferPointer, by deadline: ContinuousClock.Instant? = nil
  ) throws(WireError) {
    var done = 0
    while done < target.count {
      let rest = UnsafeMutableRawBufferPointer(rebasing: target[done...])
      if end > start {
        let count = min(rest.count, end - start)
        rest.copyMemory(from: .init(rebasing: buffer[start..<start + count]))
        start += count
        done += count
      } else if rest.count >= buffer.count {
        // Long pieces go where they belong at once.
        let count = try receive(into: rest, within: left(until: deadline))
        guard count > 0 else { throw ended() }
        done += count
      } else {
        guard try fill(within: left(until: deadline)) else { throw ended() }
      }
    }
    offset += UInt64(target.count)
  }

  /// As `read(into:)`, as bytes.
  package func bytes(
    _ count: Int, by deadline: ContinuousClock.Instant? = nil
  ) throws(WireError) -> [UInt8] {
    try array(count) { target throws(WireError) in try self.read(into: target, by: deadline) }
  }

  /// Numbers as they lie on the wire, which is little-endian as this machine is.
  package func array<T: BitwiseCopyable>(
    _ count: Int, _ type: T.Type = T.self
  ) throws(WireError) -> [T] {
    try array(count) { target throws(WireError) in try self.read(into: target) }
  }

  private func array<T: BitwiseCopyable>(
    _ count: Int, _ fill: (UnsafeMutableRawBufferPointer) throws(WireError) -> Void
  ) throws(WireError) -> [T] {
    var failure: WireError?
    let result = [T](unsafeUninitializedCapacity: count) { target, initialized in
      do throws(WireError) {
        try fill(UnsafeMutableRawBufferPointer(target))
        initialized = count
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return result
  }

  private func left(until deadline: ContinuousClock.Instant?) -> Double {
    guard let deadline else { return patience }
    return max(0, (deadline - .now) / .seconds(1))
  }

  private func fill(within seconds: Double?) throws(WireError) -> Bool {
    start = 0
    end = 0
    end = try receive(into: buffer, within: seconds)
    return end > 0
  }

  /// Some bytes; 0 where the peer has ended the connection.
  private func receive(
    into target: UnsafeMutableRawBufferPointer, within seconds: Double?
  ) throws(WireError) -> Int {
    while true {
      var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      let ready = poll(&waiting, 1, seconds.map { Int32(min($0, 1e6) * 1000) } ?? -1)
      if ready == 0 {
        throw WireError(.timeout, at: offset, "the peer has sent nothing for too long")
      }
      let count = ready > 0 ? recv(descriptor, target.baseAddress, target.count, 0) : -1
      if count >= 0 { return count }
      if errno != EINTR && errno != EAGAIN {
        // A connection that was reset has ended, for us.
        return 0
      }
    }
  }

  private func ended() -> WireError {
    WireError(.ended, at: offset, "the connection ended within a frame")
  }
}
