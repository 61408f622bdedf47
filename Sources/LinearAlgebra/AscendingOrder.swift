extension [Double] {
  /// Indices of the values from the least to the largest, equal ones as they stand; none is NaN. O(n).
  package var ascendingOrder: [Int32] {
    // Below, comparisons cost less than counts of bytes.
    guard count > 256 else {
      return indices.sorted { self[$0] < self[$1] }.map(Int32.init)
    }
    let entries = enumerated().map { RadixEntry(key: $1.orderedBits, index: Int32($0)) }
    return RadixEntry.sorted(entries).map(\.index)
  }
}

extension Double {
  /// Unsigned numbers in the order of the values they come from; -0 is 0.
  fileprivate var orderedBits: UInt64 {
    let bits = (self + 0).bitPattern
    return bits >> 63 == 0 ? bits | 1 << 63 : ~bits
  }
}

private struct RadixEntry {
  let key: UInt64
  let index: Int32

  /// Byte by byte from the lowest, stably; bytes that all keys share cost nothing.
  static func sorted(_ entries: [RadixEntry]) -> [RadixEntry] {
    var counts = [Int](repeating: 0, count: 8 * 256)
    for entry in entries {
      for byte in 0..<8 { counts[byte &* 256 &+ entry.byte(byte)] &+= 1 }
    }
    var (source, target) = (entries, entries)
    for byte in 0..<8 where counts[byte * 256 + entries[0].byte(byte)] != entries.count {
      var place = 0
      for value in byte * 256..<(byte + 1) * 256 {
        (counts[value], place) = (place, place + counts[value])
      }
      for entry in source {
        let value = byte &* 256 &+ entry.byte(byte)
        target[counts[value]] = entry
        counts[value] &+= 1
      }
      swap(&source, &target)
    }
    return source
  }

  @inline(__always)
  private func byte(_ number: Int) -> Int {
    Int(truncatingIfNeeded: key &>> UInt64(8 &* number) & 255)
  }
}
