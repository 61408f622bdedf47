import CZlib

/// zlib's deflate of whole byte arrays, as HDF5's filter 1 stores it.
enum Deflate {
  static func compress(_ bytes: UnsafeRawBufferPointer, level: Int) -> [UInt8] {
    let room = compressBound(uLong(bytes.count))
    return [UInt8](unsafeUninitializedCapacity: Int(room)) { target, count in
      var written = room
      let status = compress2(
        target.baseAddress, &written, bytes.baseAddress?.assumingMemoryBound(to: Bytef.self),
        uLong(bytes.count), Int32(clamping: level))
      count = status == Z_OK ? Int(written) : 0
    }
  }

  /// The content; nil unless it inflates to exactly `size` bytes.
  static func decompress(_ bytes: [UInt8], size: Int) -> [UInt8]? {
    var isWhole = false
    let result = [UInt8](unsafeUninitializedCapacity: size) { target, count in
      var written = uLongf(size)
      let status = uncompress(target.baseAddress, &written, bytes, uLong(bytes.count))
      isWhole = status == Z_OK && written == uLongf(size)
      count = isWhole ? size : 0
    }
    return isWhole ? result : nil
  }
}
