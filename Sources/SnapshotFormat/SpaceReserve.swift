private import Foundation

/// Space set aside beside a growing file. Giving it back when the disk is full leaves the room to write what waits
/// in memory and libhdf5's indices, so that the file can be finished.
struct SpaceReserve: ~Copyable {
  /// For libhdf5's indices.
  private static let indexBytes = 1 << 20
  private let path: String

  /// - Parameter bytes: most bytes that wait in memory.
  /// - Throws: `noSpace` on a disk that is too small from the start.
  init(beside file: String, for destination: String, bytes: Int) throws(SnapshotError) {
    path = file + ".reserve"
    let descriptor = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { return }
    let failure = Self.allocate(Self.indexBytes + bytes, descriptor)
    _ = close(descriptor)
    guard failure == ENOSPC || failure == EDQUOT else {
      // A limit on the size of files has its own way of ending; a reserve is no help there.
      if failure != 0 { unlink(path) }
      return
    }
    unlink(path)
    let mebibytes = (Self.indexBytes + bytes + (1 << 20) - 1) >> 20
    throw SnapshotError(
      code: .noSpace, file: destination,
      message: "expected at least \(mebibytes) MiB of free space",
      remedy: "Free some space, or write elsewhere.")
  }

  /// Takes blocks, not just a promise of them; the error number, or 0.
  private static func allocate(_ bytes: Int, _ descriptor: Int32) -> Int32 {
    #if canImport(Darwin)
      var request = fstore_t(
        fst_flags: UInt32(F_ALLOCATEALL), fst_posmode: F_PEOFPOSMODE, fst_offset: 0,
        fst_length: off_t(bytes), fst_bytesalloc: 0)
      return fcntl(descriptor, F_PREALLOCATE, &request) < 0 ? errno : 0
    #else
      return posix_fallocate(descriptor, 0, off_t(bytes))
    #endif
  }

  deinit { unlink(path) }
}

/// What is left on a disk.
enum FreeSpace {
  /// Room for libhdf5's own pages.
  private static let margin = 256 << 10

  /// Whether so many bytes fit beside a file; true where the system does not say.
  static func isThere(for bytes: Int, beside path: String) -> Bool {
    var status = statvfs()
    guard statvfs(path, &status) == 0 else { return true }
    return UInt64(status.f_bavail) * UInt64(status.f_frsize) >= UInt64(bytes + margin)
  }
}
