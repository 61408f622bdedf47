private import CHDF5
private import Foundation

/// The one door to libhdf5.
///
/// libhdf5 is not reentrant unless built so, and then serialises inside; one recursive lock around every
/// call makes both builds behave alike and lets a call made under the lock call again (iteration callbacks).
package enum Library {
  private final class RecursiveLock: @unchecked Sendable {
    // A pthread mutex must not move, hence the allocation; @unchecked because it guards itself.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    /// How many times the owner has locked it; read with the lock held.
    private(set) var depth = 0

    init() {
      var attributes = pthread_mutexattr_t()
      pthread_mutexattr_init(&attributes)
      #if canImport(Darwin)
        pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE)
      #else
        pthread_mutexattr_settype(&attributes, Int32(PTHREAD_MUTEX_RECURSIVE))
      #endif
      pthread_mutex_init(mutex, &attributes)
      pthread_mutexattr_destroy(&attributes)
    }

    func lock() {
      pthread_mutex_lock(mutex)
      depth += 1
    }

    func unlock() {
      depth -= 1
      pthread_mutex_unlock(mutex)
    }
  }

  private static let mutex: RecursiveLock = {
    // After a close that failed for want of space libhdf5 1.10 keeps a dangling file, and crashes on it at exit.
    H5dont_atexit()
    H5open()
    // Only our own filter may run: a file must not make the library load code.
    H5PLset_loading_state(0)
    ZstdFilter.register()
    return RecursiveLock()
  }()

  /// Runs `body` with the lock held and libhdf5's own error printing off on this thread.
  package static func locked<R: ~Copyable, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
    let mutex = mutex
    mutex.lock()
    defer { mutex.unlock() }
    // The setting is kept per thread; setting it each time is cheaper than knowing.
    ptk_silence()
    return try body()
  }

  /// Whether this thread is inside `locked`: then it must not wait for other threads that need the lock.
  static var isLockedHere: Bool {
    let mutex = mutex
    mutex.lock()
    defer { mutex.unlock() }
    return mutex.depth > 1
  }

  /// The version of libhdf5 in use, such as `1.10.8`.
  package static var version: String {
    var major: UInt32 = 0
    var minor: UInt32 = 0
    var release: UInt32 = 0
    locked { _ = H5get_libversion(&major, &minor, &release) }
    return "\(major).\(minor).\(release)"
  }

  /// Takes libhdf5's error stack of this thread, outermost call first, and clears it.
  static func takeErrorStack() -> [String] {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 8192) { buffer in
      let used = ptk_error_stack(buffer.baseAddress, buffer.count)
      let bytes = buffer.prefix(used).map { UInt8(bitPattern: $0) }
      return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }
  }
}
