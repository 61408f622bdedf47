import CZlib

/// zlib's deflate of whole byte arrays, as HDF5's filter 1 stores it.
enum Deflate {
  /// Most bytes that `count` bytes deflate to.
  static func bound(_ count: Int) -> Int { Int(compressBound(uLong(count))) }

  /// Deflates into `target`, which has room for `bound(bytes.count)`; returns the bytes written.
  static func compress(
    _ bytes: UnsafeRawBufferPointer, into target: UnsafeMutableRawPointer, level: Int
  ) -> Int {
    var written = uLongf(bound(bytes.count))
    let status = compress2(
      target.assumingMemoryBound(to: Bytef.self), &written,
      bytes.baseAddress?.assumingMemoryBound(to: Bytef.self), uLong(bytes.count),
      Int32(min(max(level, 0), 9)))
    // Room and level are right, so that only memory can be short, and Swift's own allocations trap then too.
    precondition(status == Z_OK, "out of memory")
    return Int(written)
  }

  /// Whether `bytes` inflate to exactly all of `target`.
  static func decompress(
    _ bytes: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
  ) -> Bool {
    var written = uLongf(target.count)
    let status = uncompress(
      target.baseAddress?.assumingMemoryBound(to: Bytef.self), &written,
      bytes.baseAddress?.assumingMemoryBound(to: Bytef.self), uLong(bytes.count))
    return status == Z_OK && written == uLongf(target.count)
  }
}
