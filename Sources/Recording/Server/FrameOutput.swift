private import Foundation
internal import Results
private import Synchronization
internal import Wire

/// Sends a recorder's messages; nothing that is recorded ever waits for a client that does not read (W-06).
final class FrameOutput: Sendable {
  private let descriptor: Int32
  /// What is left of a message that was begun.
  private let pending = Mutex<[UInt8]>([])

  #if canImport(Darwin)
    private static let flags = Int32(MSG_DONTWAIT)
  #else
    private static let flags = Int32(MSG_DONTWAIT | MSG_NOSIGNAL)
  #endif

  init(_ descriptor: Int32) {
    self.descriptor = descriptor
    #if canImport(Darwin)
      var yes: Int32 = 1
      setsockopt(
        descriptor, SOL_SOCKET, SO_NOSIGPIPE, &yes, socklen_t(MemoryLayout<Int32>.size))
    #endif
  }

  /// Sends a message if it can be sent at once: one that a later one replaces.
  func offer(_ message: String, _ body: JSONValue) {
    // Who holds it waits for the client.
    pending.withLockIfAvailable { pending in
      flush(&pending)
      guard pending.isEmpty else { return }
      pending = Frame.encode(message, body)
      flush(&pending)
    }
  }

  /// Sends a message that must arrive, if the client reads it within some seconds.
  func send(_ message: String, _ body: JSONValue, within seconds: Double = 5) {
    pending.withLock { pending in
      pending += Frame.encode(message, body)
      let end = ContinuousClock.now + .seconds(seconds)
      flush(&pending)
      while !pending.isEmpty, ContinuousClock.now < end {
        var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        _ = poll(&waiting, 1, 100)
        flush(&pending)
      }
    }
  }

  private func flush(_ pending: inout [UInt8]) {
    while !pending.isEmpty {
      let sent = pending.withUnsafeBytes {
        Foundation.send(descriptor, $0.baseAddress, $0.count, Self.flags)
      }
      if sent > 0 {
        pending.removeFirst(sent)
      } else if errno != EINTR {
        // Nobody will read it.
        if errno != EAGAIN { pending = [] }
        return
      }
    }
  }
}
