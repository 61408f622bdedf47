private import Foundation

#if canImport(Darwin)
  private import Darwin
#else
  private import Glibc
#endif

/// Space set aside beside a growing file. Giving it back when the disk is full leaves the room to write what waits
/// in memory and libhdf5's indices, so that committed steps survive.
struct SpaceReserve: ~Copyable {
  /// For libhdf5's indices.
  private static let indexBytes = 1 << 20
  private let path: String

  /// - Parameter bytes: most bytes that wait in memory.
  init(beside file: String, for destination: String, bytes: Int) throws(SnapshotError) {
    let path = file + ".reserve"
    let descriptor = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0o600)
    defer { if descriptor >= 0 { _ = close(descriptor) } }
    // Zeros are written, not just promised: sparse blocks reserve nothing.
    let zeros = [UInt8](repeating: 0, count: 1 << 20)
    var missing = Self.indexBytes + bytes
    while descriptor >= 0, missing > 0 {
      let written = write(descriptor, zeros, min(missing, zeros.count))
      guard written > 0 else { break }
      missing -= written
    }
    guard missing == 0 else {
      unlink(path)
      let mebibytes = (Self.indexBytes + bytes + (1 << 20) - 1) >> 20
      throw SnapshotError(
        code: .noSpace, file: destination,
        message: "expected at least \(mebibytes) MiB of free space",
        remedy: "Free some space, or write elsewhere.")
    }
    self.path = path
  }

  deinit { unlink(path) }
}
