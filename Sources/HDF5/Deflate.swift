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

/// deflate without zlib's wrapping, as zip archives have it.
package enum RawDeflate {
  /// The first bytes of what was deflated; nil where there are fewer, or where it is damaged.
  package static func inflate(_ bytes: [UInt8], atMost count: Int) -> [UInt8]? {
    var stream = z_stream()
    guard
      inflateInit2_(
        &stream, -MAX_WBITS, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else { return nil }
    defer { inflateEnd(&stream) }
    var source = bytes
    let result = [UInt8](unsafeUninitializedCapacity: count) { target, written in
      source.withUnsafeMutableBufferPointer { source in
        stream.next_in = source.baseAddress
        stream.next_out = target.baseAddress
        // zlib counts in 32 bits.
        var (consumed, status) = (0, Z_OK)
        written = 0
        while status == Z_OK, written < count {
          stream.avail_in = uInt(min(source.count - consumed, 1 << 30))
          stream.avail_out = uInt(min(count - written, 1 << 30))
          let before = (stream.avail_in, stream.avail_out)
          status = CZlib.inflate(&stream, Z_NO_FLUSH)
          consumed += Int(before.0 - stream.avail_in)
          written += Int(before.1 - stream.avail_out)
        }
      }
    }
    return result.count == count ? result : nil
  }
}
