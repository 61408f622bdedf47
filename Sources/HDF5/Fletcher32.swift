/// HDF5's variant of Fletcher-32: big-endian 16-bit words, sums folded every 360 words, stored little-endian.
package enum Fletcher32 {
  /// Bytes that a checksum adds.
  static let size = 4

  /// The checksum of `bytes`; an odd last byte is the upper half of a word.
  ///
  /// Of a block of n words w_i the first sum grows by sum(w_i), the second by n times the first sum plus
  /// sum((n - i) w_i). Eight lanes each keep both sums of every eighth word; all is modulo 2^32, so that the
  /// result is that of adding word by word.
  package static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    guard let base = bytes.baseAddress else { return 0 }
    var sum1: UInt32 = 0
    var sum2: UInt32 = 0
    var position = 0
    var words = bytes.count / 2
    while words > 0 {
      let block = min(words, 360)
      words &-= block
      // Words 0, 2, 4, 6 and words 1, 3, 5, 7 of each eight.
      var even1 = SIMD4<UInt32>()
      var even2 = SIMD4<UInt32>()
      var odd1 = SIMD4<UInt32>()
      var odd2 = SIMD4<UInt32>()
      let eights = block / 8
      for _ in 0..<eights {
        let raw = base.loadUnaligned(fromByteOffset: position, as: SIMD8<UInt16>.self)
        // Two neighbouring words as the halves of one lane: their sums differ in weight only. Same size, any bits valid.
        let pairs = unsafeBitCast(bigEndian(raw), to: SIMD4<UInt32>.self)
        even1 &+= pairs & 0xffff
        odd1 &+= pairs &>> 16
        even2 &+= even1
        odd2 &+= odd1
        position &+= 16
      }
      let lateness = even1 &* SIMD4(0, 2, 4, 6) &+ odd1 &* SIMD4(1, 3, 5, 7)
      sum2 &+= UInt32(eights &* 8) &* sum1
      sum2 &+= 8 &* (even2 &+ odd2).wrappedSum() &- lateness.wrappedSum()
      sum1 &+= (even1 &+ odd1).wrappedSum()
      for _ in (eights &* 8)..<block {
        let word = base.loadUnaligned(fromByteOffset: position, as: UInt16.self)
        sum1 &+= UInt32(UInt16(bigEndian: word))
        sum2 &+= sum1
        position &+= 2
      }
      sum1 = folded(sum1)
      sum2 = folded(sum2)
    }
    if bytes.count % 2 == 1 {
      sum1 &+= UInt32(bytes[position]) << 8
      sum2 &+= sum1
      sum1 = folded(sum1)
      sum2 = folded(sum2)
    }
    return folded(sum2) << 16 | folded(sum1)
  }

  private static func folded(_ sum: UInt32) -> UInt32 { (sum & 0xffff) + (sum >> 16) }

  private static func bigEndian(_ words: SIMD8<UInt16>) -> SIMD8<UInt16> {
    // The lanes above assume a little-endian machine, as everything that Swift runs on is.
    (words &<< 8) | (words &>> 8)
  }

  /// Writes the checksum of `length` bytes behind them.
  static func append(to bytes: UnsafeMutableRawPointer, length: Int) {
    let sum = checksum(UnsafeRawBufferPointer(start: bytes, count: length))
    bytes.storeBytes(of: sum.littleEndian, toByteOffset: length, as: UInt32.self)
  }

  /// The content before a checksum; nil if that is wrong or missing.
  static func content(of bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
    let length = bytes.count - size
    guard length >= 0 else { return nil }
    let content = UnsafeRawBufferPointer(rebasing: bytes[..<length])
    let stored = bytes.loadUnaligned(fromByteOffset: length, as: UInt32.self)
    return checksum(content) == UInt32(littleEndian: stored) ? content : nil
  }
}
