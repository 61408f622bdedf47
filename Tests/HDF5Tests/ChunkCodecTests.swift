import HDF5
import TestSupport
import Testing

@Suite("ChunkCodec")
struct ChunkCodecTests {
  /// Bytes without pattern, the same on every machine.
  static func bytes(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
    var state = seed
    return (0..<count).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return UInt8(truncatingIfNeeded: state >> 56)
    }
  }

  static let pipelines: [[Filter]] = [
    [], [.shuffle], [.fletcher32], [.zstd(3)], [.shuffle, .zstd(1)], [.shuffle, .fletcher32],
    [.shuffle, .zstd(3), .fletcher32], [.fletcher32, .shuffle, .zstd(19)],
    [.fletcher32, .zstd(3), .fletcher32],
  ]

  /// Writes a chunk through libhdf5's own pipeline and returns what the file holds.
  private func storedByLibrary<T: Element>(
    _ values: [T], _ filters: [Filter]
  ) throws -> (stored: [UInt8], ours: [UInt8]) {
    try withTemporaryFolder { folder in
      let file = try File.create(at: folder.file("a.h5"))
      let dataset = try file.createDataset(
        "x", of: T.self, shape: [values.count], chunk: [values.count], filters: filters)
      try dataset.write(values, start: [0], count: [values.count])
      let chunk = try #require(try dataset.readChunk(at: [0]))
      #expect(chunk.mask == 0)
      let made = dataset.codec
      let codec = try #require(made)
      let plain = values.withUnsafeBytes { [UInt8]($0) }
      #expect(codec.decode(chunk.bytes, size: plain.count) == plain)
      return (chunk.bytes, plain.withUnsafeBytes { codec.encode($0) })
    }
  }

  @Test(
    "our chunks equal libhdf5's byte for byte, for every element size and odd lengths",
    arguments: pipelines, [1, 2, 3, 7, 16, 359, 360, 361, 719, 721, 1000, 4097])
  func equalsLibrary(filters: [Filter], count: Int) throws {
    func check<T: Element>(_ type: T.Type) throws {
      let raw = Self.bytes(count * MemoryLayout<T>.size, seed: UInt64(count))
      let values = raw.withUnsafeBytes { bytes in
        (0..<count).map {
          bytes.loadUnaligned(fromByteOffset: $0 * MemoryLayout<T>.size, as: T.self)
        }
      }
      let (stored, ours) = try storedByLibrary(values, filters)
      #expect(ours == stored, "\(T.elementType)")
    }
    try check(UInt8.self)
    try check(Int16.self)
    try check(UInt32.self)
    try check(Int64.self)
  }

  @Test("extreme bytes give libhdf5's checksum too", arguments: [0, 255] as [UInt8])
  func extremes(byte: UInt8) throws {
    for count in [2, 719, 721, 100_001] {
      let (stored, ours) = try storedByLibrary(
        [UInt8](repeating: byte, count: count), [.fletcher32])
      #expect(ours == stored, "\(count) bytes")
    }
  }

  @Test("shuffling puts first bytes first and leaves a remainder at the end")
  func shuffle() {
    let bytes: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    let shuffled = bytes.withUnsafeBytes { Shuffle.apply($0, elementSize: 4) }
    #expect(shuffled == [1, 5, 2, 6, 3, 7, 4, 8, 9, 10])
    #expect(shuffled.withUnsafeBytes { Shuffle.undo($0, elementSize: 4) } == bytes)
    let single = [1, 2, 3] as [UInt8]
    #expect(single.withUnsafeBytes { Shuffle.apply($0, elementSize: 2) } == single)
    #expect([UInt8]().withUnsafeBytes { Shuffle.apply($0, elementSize: 8) } == [])
  }

  // Sums by hand: one word 0x0102; words 0x0102, 0x0304; a lone byte counts as the upper half of a word.
  @Test(
    "the Fletcher-32 of short inputs is the sum done by hand",
    arguments: [
      ([1, 2], 0x0102_0102), ([1, 2, 3, 4], 0x0508_0406), ([1], 0x0100_0100), ([], 0),
    ] as [([UInt8], UInt32)])
  func fletcher(bytes: [UInt8], sum: UInt32) {
    #expect(bytes.withUnsafeBytes { Fletcher32.checksum($0) } == sum)
  }

  @Test("a flipped byte anywhere is noticed by the codec and by reading")
  func corrupted() throws {
    try withTemporaryFolder { folder in
      let path = folder.file("a.h5")
      let file = try File.create(at: path)
      let values = Self.bytes(64).map { Int32($0) }
      let dataset = try file.createDataset(
        "x", of: Int32.self, shape: [64], limit: [nil], chunk: [64],
        filters: [.shuffle, .zstd(3), .fletcher32])
      let made = dataset.codec
      let codec = try #require(made)
      let stored = values.withUnsafeBytes { codec.encode($0) }
      for position in stored.indices {
        var broken = stored
        broken[position] ^= 0x10
        #expect(codec.decode(broken, size: 256) == nil, "byte \(position)")
      }
      for length in [0, 3, 4, stored.count - 1] {
        #expect(codec.decode([UInt8](stored.prefix(length)), size: 256) == nil)
      }
      #expect(codec.decode(stored, size: 255) == nil)
      #expect(codec.decode(stored, size: 260) == nil)
      var broken = stored
      broken[stored.count / 2] ^= 1
      try dataset.writeChunk(broken, at: [0])
      let error = FileTests.error { () throws(HDF5Error) in _ = try dataset.readAll(Int32.self) }
      #expect(error?.code == .corrupt)
      #expect(error?.object == "/x")
    }
  }

  @Test("a deflated chunk that inflates to another length is corrupt")
  func corruptedDeflate() throws {
    let codec = try #require(ChunkCodec(filters: [.deflate(4)], elementSize: 1))
    let stored = Self.bytes(64).withUnsafeBytes { codec.encode($0) }
    #expect(codec.decode(stored, size: 64) == Self.bytes(64))
    #expect(codec.decode(stored, size: 63) == nil)
    #expect(codec.decode(stored, size: 65) == nil)
    #expect(codec.decode(Array(stored.dropLast(6)), size: 64) == nil)
  }

  @Test("a filter that was skipped when a chunk was written is skipped when it is read")
  func mask() throws {
    let codec = try #require(
      ChunkCodec(filters: [.shuffle, .zstd(3), .fletcher32], elementSize: 2))
    let plain: [UInt8] = [1, 2, 3, 4]
    #expect(codec.decode(plain, size: 4, mask: 0b111) == plain)
    #expect(codec.decode([1, 3, 2, 4], size: 4, mask: 0b110) == plain)
  }

  @Test("foreign filters are not run")
  func notOurs() {
    #expect(ChunkCodec(filters: [.shuffle, .unknown(32001)], elementSize: 4) == nil)
    #expect(ChunkCodec(filters: [], elementSize: 4) != nil)
  }

  @Test("a frame is decoded only to exactly its size")
  func zstdSize() throws {
    let plain = Self.bytes(1000)
    let frame = plain.withUnsafeBytes { Zstd.compress($0, level: 3) }
    #expect(Zstd.decompress(frame, size: 1000) == plain)
    #expect(Zstd.decompress(frame, size: 999) == nil)
    #expect(Zstd.decompress(frame, size: 1001) == nil)
    #expect(Zstd.decompress(frame.dropLast(), size: 1000) == nil)
    #expect(Zstd.decompress([] as [UInt8], size: 10) == nil)
  }
}
