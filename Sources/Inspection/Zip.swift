internal import HDF5

/// Heads of a zip archive whose entries are stored, with zip64 sizes.
enum Zip {
  /// A number, little-endian.
  static func bytes<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
  }

  /// Continues a CRC-32.
  static func checksum(_ content: [UInt8], from crc: UInt32) -> UInt32 {
    CyclicRedundancyCheck.crc32(content, from: crc)
  }

  private static let version: UInt16 = 45
  /// Bit 11: names are UTF-8.
  private static let flags: UInt16 = 1 << 11
  /// 1 January 1980: the same content gives the same bytes.
  private static let date: UInt16 = 0x21
  /// Stands for a number that is in the zip64 field.
  private static let elsewhere = UInt32.max

  /// Where a local head has the checksum.
  static let checksumOffset = 14

  static func localHead(name: [UInt8], size: Int, checksum: UInt32) -> [UInt8] {
    var head = bytes(UInt32(0x0403_4b50)) + bytes(version) + bytes(flags) + bytes(UInt16(0))
    head += bytes(UInt16(0)) + bytes(date) + bytes(checksum) + bytes(elsewhere) + bytes(elsewhere)
    head += bytes(UInt16(name.count)) + bytes(UInt16(20)) + name
    return head + bytes(UInt16(1)) + bytes(UInt16(16)) + bytes(UInt64(size)) + bytes(UInt64(size))
  }

  static func centralHead(name: [UInt8], size: Int, checksum: UInt32, offset: Int) -> [UInt8] {
    var head = bytes(UInt32(0x0201_4b50)) + bytes(version) + bytes(version) + bytes(flags)
    head += bytes(UInt16(0)) + bytes(UInt16(0)) + bytes(date) + bytes(checksum)
    head += bytes(elsewhere) + bytes(elsewhere) + bytes(UInt16(name.count)) + bytes(UInt16(28))
    // No comment; disk 0; no attributes.
    head += bytes(UInt16(0)) + bytes(UInt16(0)) + bytes(UInt16(0)) + bytes(UInt32(0))
    head += bytes(elsewhere) + name + bytes(UInt16(1)) + bytes(UInt16(24))
    return head + bytes(UInt64(size)) + bytes(UInt64(size)) + bytes(UInt64(offset))
  }

  static func end(entries: Int, start: Int, length: Int) -> [UInt8] {
    let count = bytes(UInt64(entries))
    var end = bytes(UInt32(0x0606_4b50)) + bytes(UInt64(44)) + bytes(version) + bytes(version)
    end += bytes(UInt32(0)) + bytes(UInt32(0)) + count + count
    end += bytes(UInt64(length)) + bytes(UInt64(start))
    end += bytes(UInt32(0x0706_4b50)) + bytes(UInt32(0)) + bytes(UInt64(start + length))
    end += bytes(UInt32(1)) + bytes(UInt32(0x0605_4b50)) + bytes(UInt32(0))
    end += bytes(UInt16.max) + bytes(UInt16.max) + bytes(elsewhere) + bytes(elsewhere)
    return end + bytes(UInt16(0))
  }
}
