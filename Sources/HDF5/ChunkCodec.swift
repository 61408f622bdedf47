/// Runs a filter pipeline on whole chunks outside libhdf5, byte for byte as libhdf5 would, so that threads can
/// share the work and libhdf5's lock is held only for the write itself.
package struct ChunkCodec: Sendable {
  /// Filters in writing order.
  package let filters: [Filter]
  /// Bytes of one element, which shuffling needs.
  package let elementSize: Int

  /// A codec for these filters; nil if one of them is unknown.
  package init?(filters: [Filter], elementSize: Int) {
    for filter in filters {
      switch filter {
      case .shuffle, .deflate, .fletcher32, .zstd: continue
      case .unknown: return nil
      }
    }
    self.filters = filters
    self.elementSize = elementSize
  }

  /// The stored form of a chunk's bytes.
  package func encode(_ chunk: UnsafeRawBufferPointer) -> [UInt8] {
    var bytes: [UInt8]?
    for filter in filters {
      bytes = (bytes ?? []).withUnsafeBytes { current in
        let input = bytes == nil ? chunk : current
        switch filter {
        case .shuffle: return Shuffle.apply(input, elementSize: elementSize)
        case .fletcher32: return Fletcher32.appended(to: input)
        case .deflate(let level): return Deflate.compress(input, level: level)
        case .zstd(let level): return Zstd.compress(input, level: level)
        case .unknown: preconditionFailure("excluded by init")
        }
      }
    }
    return bytes ?? Array(chunk)
  }

  /// The bytes of a stored chunk; nil if a checksum or a length is wrong.
  ///
  /// - Parameters:
  ///   - stored: the chunk as the file holds it.
  ///   - size: bytes of a decoded chunk.
  ///   - mask: bit i set: filter i was skipped when this chunk was written.
  package func decode(_ stored: [UInt8], size: Int, mask: UInt32 = 0) -> [UInt8]? {
    // Lengths before each filter: only fletcher32 changes a length in a way known beforehand.
    var bytes = stored
    for (index, filter) in filters.enumerated().reversed() where mask & (1 << UInt32(index)) == 0 {
      switch filter {
      case .fletcher32:
        guard let checked = Fletcher32.removed(from: bytes) else { return nil }
        bytes = checked
      case .deflate, .zstd:
        let checksums = filters[..<index].enumerated().count {
          $0.element == .fletcher32 && mask & (1 << UInt32($0.offset)) == 0
        }
        let expected = size + 4 * checksums
        let isZstd = if case .zstd = filter { true } else { false }
        guard
          let plain = isZstd
            ? Zstd.decompress(bytes, size: expected) : Deflate.decompress(bytes, size: expected)
        else { return nil }
        bytes = plain
      case .shuffle:
        bytes = bytes.withUnsafeBytes { Shuffle.undo($0, elementSize: elementSize) }
      case .unknown: preconditionFailure("excluded by init")
      }
    }
    return bytes.count == size ? bytes : nil
  }
}

/// HDF5's byte shuffle: transposes [elements, bytes]; bytes past the last whole element stay at the end.
package enum Shuffle {
  package static func apply(_ input: UnsafeRawBufferPointer, elementSize: Int) -> [UInt8] {
    transpose(input, rows: input.count / max(elementSize, 1), columns: elementSize)
  }

  package static func undo(_ input: UnsafeRawBufferPointer, elementSize: Int) -> [UInt8] {
    transpose(input, rows: elementSize, columns: input.count / max(elementSize, 1))
  }

  private static func transpose(
    _ input: UnsafeRawBufferPointer, rows: Int, columns: Int
  ) -> [UInt8] {
    guard rows > 1, columns > 1 else { return Array(input) }
    return [UInt8](unsafeUninitializedCapacity: input.count) { output, count in
      for column in 0..<columns {
        let target = column &* rows
        for row in 0..<rows {
          output[target &+ row] = input[row &* columns &+ column]
        }
      }
      for index in (rows * columns)..<input.count { output[index] = input[index] }
      count = input.count
    }
  }
}

/// HDF5's variant of Fletcher-32: big-endian 16-bit words, sums folded every 360 words, stored little-endian.
package enum Fletcher32 {
  package static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    var sum1: UInt32 = 0
    var sum2: UInt32 = 0
    var position = 0
    var words = bytes.count / 2
    while words > 0 {
      let block = min(words, 360)
      words -= block
      for _ in 0..<block {
        sum1 &+= UInt32(bytes[position]) << 8 | UInt32(bytes[position &+ 1])
        sum2 &+= sum1
        position &+= 2
      }
      sum1 = (sum1 & 0xffff) + (sum1 >> 16)
      sum2 = (sum2 & 0xffff) + (sum2 >> 16)
    }
    if bytes.count % 2 == 1 {
      sum1 &+= UInt32(bytes[position]) << 8
      sum2 &+= sum1
      sum1 = (sum1 & 0xffff) + (sum1 >> 16)
      sum2 = (sum2 & 0xffff) + (sum2 >> 16)
    }
    sum1 = (sum1 & 0xffff) + (sum1 >> 16)
    sum2 = (sum2 & 0xffff) + (sum2 >> 16)
    return sum2 << 16 | sum1
  }

  static func appended(to input: UnsafeRawBufferPointer) -> [UInt8] {
    let sum = checksum(input)
    return Array(input) + (0..<4).map { UInt8(truncatingIfNeeded: sum >> (8 * $0)) }
  }

  static func removed(from bytes: [UInt8]) -> [UInt8]? {
    guard bytes.count >= 4 else { return nil }
    let content = bytes.dropLast(4)
    let stored = bytes.suffix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    guard content.withUnsafeBytes({ checksum($0) }) == stored else { return nil }
    return Array(content)
  }
}
