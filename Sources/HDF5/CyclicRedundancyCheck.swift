import CZlib

/// zlib's CRC-32, as zip archives have it.
package enum CyclicRedundancyCheck {
  /// Continues a checksum; begin with 0.
  package static func crc32(_ bytes: [UInt8], from crc: UInt32) -> UInt32 {
    bytes.withUnsafeBufferPointer {
      UInt32(truncatingIfNeeded: crc32_z(uLong(crc), $0.baseAddress, $0.count))
    }
  }
}
