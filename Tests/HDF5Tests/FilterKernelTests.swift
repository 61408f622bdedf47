import HDF5
import Testing

/// The vector code against the definitions, byte by byte.
@Suite("Filter kernels")
struct FilterKernelTests {
  /// HDF5's H5_checksum_fletcher32, word by word.
  private static func fletcher(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    var sum1: UInt32 = 0
    var sum2: UInt32 = 0
    var position = 0
    func fold() {
      sum1 = (sum1 & 0xffff) &+ (sum1 >> 16)
      sum2 = (sum2 & 0xffff) &+ (sum2 >> 16)
    }
    while position + 1 < bytes.count {
      for _ in 0..<min((bytes.count - position) / 2, 360) {
        sum1 &+= UInt32(bytes[position]) << 8 | UInt32(bytes[position + 1])
        sum2 &+= sum1
        position += 2
      }
      fold()
    }
    if position < bytes.count {
      sum1 &+= UInt32(bytes[position]) << 8
      sum2 &+= sum1
      fold()
    }
    fold()
    return sum2 << 16 | sum1
  }

  private static func transposed(_ bytes: [UInt8], _ size: Int) -> [UInt8] {
    let elements = bytes.count / size
    return (0..<size).flatMap { byte in (0..<elements).map { bytes[$0 * size + byte] } }
      + bytes[(elements * size)...]
  }

  @Test("Fletcher-32 is that of adding word by word, for every length, alignment and content")
  func fletcherAgrees() {
    let contents: [[UInt8]] = [
      ChunkCodecTests.bytes(3000), .init(repeating: 255, count: 3000),
      .init(repeating: 0, count: 3000), (0..<3000).map { $0 % 2 == 0 ? 255 : 0 },
      (0..<3000).map { $0 % 16 == 15 ? 254 : 255 },
    ]
    for bytes in contents {
      bytes.withUnsafeBytes { all in
        for length in 0..<2990 {
          let part = UnsafeRawBufferPointer(rebasing: all[(length % 7)...].prefix(length))
          if Fletcher32.checksum(part) != Self.fletcher(part) {
            Issue.record("\(length) bytes of \(bytes[0]) \(bytes[1])")
          }
        }
      }
    }
    let large = [UInt8](repeating: 255, count: 1 << 20) + ChunkCodecTests.bytes(99_999)
    large.withUnsafeBytes { #expect(Fletcher32.checksum($0) == Self.fletcher($0)) }
  }

  @Test(
    "shuffling is the transpose, for every element size and length, and is undone",
    arguments: [1, 2, 3, 4, 5, 7, 8, 12, 16])
  func shuffleAgrees(size: Int) {
    for length in Array(0...300) + [4095, 4096, 4097, 16_387, 131_072, 131_079] {
      let bytes = ChunkCodecTests.bytes(length, seed: UInt64(length))
      let shuffled = bytes.withUnsafeBytes { Shuffle.apply($0, elementSize: size) }
      if shuffled != Self.transposed(bytes, size) { Issue.record("\(length) bytes") }
      if shuffled.withUnsafeBytes({ Shuffle.undo($0, elementSize: size) }) != bytes {
        Issue.record("\(length) bytes back")
      }
    }
  }

  @Test("elements larger than the bytes there are change nothing")
  func hugeElements() {
    let bytes: [UInt8] = [1, 2, 3]
    for size in [4, 8, 100, 1 << 40, .max] {
      #expect(bytes.withUnsafeBytes { Shuffle.apply($0, elementSize: size) } == bytes)
      #expect(bytes.withUnsafeBytes { Shuffle.undo($0, elementSize: size) } == bytes)
    }
  }
}
