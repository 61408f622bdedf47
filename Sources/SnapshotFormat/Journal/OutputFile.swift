private import Foundation

/// A file that is written at its end: whole pieces or nothing.
struct OutputFile: ~Copyable {
  let path: String
  let descriptor: Int32
  /// Bytes that were written whole.
  private(set) var length = 0

  /// Creates a file that must not exist yet, for its owner alone.
  init(creating path: String) throws(SnapshotError) {
    let descriptor = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw SnapshotError(number: errno, "cannot write", path) }
    self.path = path
    self.descriptor = descriptor
  }

  /// Whether nobody else holds the file's lock; it is ours then until the file is closed.
  func lock() -> Bool { flock(descriptor, LOCK_EX | LOCK_NB) == 0 }

  /// Appends pieces as one; on failure the file is as it was.
  mutating func append(_ pieces: [UnsafeRawBufferPointer]) throws(SnapshotError) {
    var vectors = pieces.filter { !$0.isEmpty }.map {
      iovec(iov_base: UnsafeMutableRawPointer(mutating: $0.baseAddress), iov_len: $0.count)
    }
    var offset = length
    var first = 0
    while first < vectors.count {
      let count = min(vectors.count - first, 1024)
      let written = vectors.withUnsafeMutableBufferPointer {
        pwritev(descriptor, $0.baseAddress! + first, Int32(count), off_t(offset))
      }
      guard written > 0 else {
        if written < 0, errno == EINTR { continue }
        // A device that takes nothing is full.
        let number = written == 0 ? ENOSPC : errno
        // What a torn piece left must not follow the next one.
        ftruncate(descriptor, off_t(length))
        throw SnapshotError(number: number, "cannot write", path)
      }
      offset += written
      var rest = written
      while rest > 0 {
        let step = min(rest, vectors[first].iov_len)
        vectors[first].iov_base += step
        vectors[first].iov_len -= step
        rest -= step
        if vectors[first].iov_len == 0 { first += 1 }
      }
    }
    length = offset
  }

  /// Waits until everything written is on stable storage.
  func synchronize() throws(SnapshotError) { try Self.synchronize(descriptor, path) }

  static func synchronize(_ descriptor: Int32, _ path: String) throws(SnapshotError) {
    #if canImport(Darwin)
      // fsync alone leaves data in the drive's cache.
      let status = fcntl(descriptor, F_FULLFSYNC)
    #else
      let status = fdatasync(descriptor)
    #endif
    guard status == 0 else { throw SnapshotError(number: errno, "cannot synchronize", path) }
  }

  /// Makes names in a folder durable.
  static func synchronizeFolder(of path: String) {
    let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
    let descriptor = open(folder, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    // Some file systems have no such notion, and say so.
    fsync(descriptor)
    _ = close(descriptor)
  }

  deinit { _ = close(descriptor) }
}
