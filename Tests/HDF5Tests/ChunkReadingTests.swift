import Foundation
import HDF5
import TestSupport
import Testing

/// Slabs put together from chunks, on several threads.
@Suite("Reading chunks")
struct ChunkReadingTests {
  private static let pipelines: [[Filter]] = [
    [], [.fletcher32], [.shuffle, .zstd(1), .fletcher32], [.fletcher32, .shuffle, .deflate(1)],
  ]

  /// A dataset of consecutive numbers.
  private func withNumbers(
    _ shape: [Int], chunk: [Int], _ filters: [Filter],
    _ body: (borrowing Dataset, [Int32], String) throws -> Void
  ) throws {
    try withTemporaryFolder { folder in
      let path = folder.file("a.h5")
      let file = try File.create(at: path)
      let values = (0..<shape.reduce(1, *)).map { Int32($0) }
      let dataset = try file.createDataset(
        "x", of: Int32.self, shape: shape, chunk: chunk, filters: filters)
      try dataset.write(values, start: shape.map { _ in 0 }, count: shape)
      try file.flush()
      try body(dataset, values, path)
    }
  }

  @Test("any slab of a matrix is its rows and columns", arguments: pipelines)
  func slabs(filters: [Filter]) throws {
    for chunk in [[64, 100], [64, 33], [1, 100], [1, 7], [301, 100]] {
      try withNumbers([301, 100], chunk: chunk, filters) { dataset, values, _ in
        for (start, count) in [
          ([0, 0], [301, 100]), ([64, 0], [128, 100]), ([63, 0], [3, 100]), ([5, 33], [260, 33]),
          ([5, 32], [260, 35]), ([300, 99], [1, 1]), ([128, 0], [1, 100]), ([0, 7], [301, 7]),
        ] {
          let expected = (0..<count[0]).flatMap { row in
            values[((start[0] + row) * 100 + start[1])...].prefix(count[1])
          }
          let found = try dataset.read(Int32.self, start: start, count: count)
          #expect(found == expected, "chunk \(chunk), slab \(start) + \(count)")
        }
      }
    }
  }

  @Test("a slab of a cube is its planes, whatever part of the chunks it takes")
  func cubes() throws {
    for chunk in [[1, 30, 40], [1, 10, 40], [4, 30, 40], [3, 7, 11], [2, 1, 40], [1, 1, 8]] {
      try withNumbers([20, 30, 40], chunk: chunk, [.shuffle, .zstd(1)]) { dataset, values, _ in
        for (start, count) in [
          ([0, 0, 0], [20, 30, 40]), ([3, 0, 0], [9, 30, 40]), ([2, 10, 0], [5, 10, 40]),
          ([1, 1, 1], [18, 28, 38]), ([4, 3, 8], [2, 20, 16]), ([7, 0, 0], [1, 30, 40]),
        ] {
          var expected: [Int32] = []
          for plane in start[0]..<start[0] + count[0] {
            for row in start[1]..<start[1] + count[1] {
              expected += values[(plane * 1200 + row * 40 + start[2])...].prefix(count[2])
            }
          }
          let found = try dataset.read(Int32.self, start: start, count: count)
          #expect(found == expected, "chunk \(chunk), slab \(start) + \(count)")
        }
      }
    }
  }

  @Test("of several broken chunks the first is named, and slabs beside them are read")
  func firstBroken() throws {
    let filters: [Filter] = [.shuffle, .zstd(1), .fletcher32]
    try withNumbers([1 << 20], chunk: [1 << 14], filters) { dataset, values, _ in
      for chunk in [17, 18, 40, 63] {
        var stored = try #require(try dataset.readChunk(at: [chunk << 14])).bytes
        stored[stored.count / 2] ^= 1
        try dataset.writeChunk(stored, at: [chunk << 14])
      }
      for _ in 0..<20 {
        let error = FileTests.error { () throws(HDF5Error) in
          _ = try dataset.readAll(Int32.self)
        }
        #expect(error?.code == .corrupt)
        #expect(error?.message.contains("in the chunk at [\(17 << 14)]") == true)
      }
      let before = try dataset.read(Int32.self, start: [0], count: [17 << 14])
      #expect(before == Array(values[..<(17 << 14)]))
      let between = try dataset.read(Int32.self, start: [19 << 14], count: [21 << 14])
      #expect(between == Array(values[(19 << 14)..<(40 << 14)]))
    }
  }

  @Test("chunks that were never written are zero between those that were")
  func unwritten() throws {
    try withTemporaryFolder { folder in
      let file = try File.create(at: folder.file("a.h5"))
      let dataset = try file.createDataset(
        "x", of: Double.self, shape: [1 << 17], chunk: [1 << 13], filters: [.zstd(1)])
      try dataset.write([Double](repeating: 7, count: 1 << 13), start: [3 << 13], count: [1 << 13])
      let values = try dataset.readAll(Double.self)
      #expect(values.enumerated().allSatisfy { $1 == ($0 >> 13 == 3 ? 7 : 0) })
    }
  }

  @Test("a read inside the lock does not wait for itself, and reads from many threads agree")
  func threads() throws {
    let filters: [Filter] = [.shuffle, .zstd(1), .fletcher32]
    try withNumbers([1 << 19], chunk: [1 << 14], filters) { dataset, values, _ in
      let locked = try Library.locked { () throws(HDF5Error) in
        try dataset.readAll(Int32.self)
      }
      #expect(locked == values)
      let made = dataset.codec
      let codec = try #require(made)
      let reference = values[..<(1 << 14)].withUnsafeBytes { codec.encode($0) }
      DispatchQueue.concurrentPerform(iterations: 8) { index in
        let found = try? dataset.readAll(Int32.self)
        let isSame = found == values
        #expect(isSame, "read \(index)")
        let stored = values[..<(1 << 14)].withUnsafeBytes { codec.encode($0) }
        let isEqual = stored == reference
        #expect(isEqual, "chunk \(index)")
      }
    }
  }

  @Test("the stored chunk lies at its address in the file")
  func address() throws {
    let filters: [Filter] = [.shuffle, .zstd(1), .fletcher32]
    try withNumbers([40, 5], chunk: [16, 5], filters) { dataset, _, path in
      let bytes = try [UInt8](Data(contentsOf: URL(filePath: path)))
      for row in [0, 16, 32] {
        let place = try #require(try dataset.chunkAddress(at: [row, 0]))
        let stored = try #require(try dataset.readChunk(at: [row, 0]))
        #expect(place.size == stored.bytes.count)
        #expect(Array(bytes[Int(place.address)...].prefix(place.size)) == stored.bytes)
      }
      for start in [[0], [], [0, 0, 0], [-16, 0]] {
        let error = FileTests.error { () throws(HDF5Error) in
          _ = try dataset.chunkAddress(at: start)
        }
        #expect(error?.code == .mismatch)
        let read = FileTests.error { () throws(HDF5Error) in _ = try dataset.readChunk(at: start) }
        #expect(read?.code == .mismatch)
      }
    }
    try withTemporaryFolder { folder in
      let file = try File.create(at: folder.file("a.h5"))
      let empty = try file.createDataset("x", of: Int8.self, shape: [8], chunk: [4])
      #expect(try empty.chunkAddress(at: [0]) == nil)
      try empty.write([1, 2, 3, 4] as [Int8], start: [4], count: [4])
      #expect(try empty.chunkAddress(at: [0]) == nil)
      #expect(try empty.chunkAddress(at: [4])?.size == 4)
      try file.write("plain", [1, 2] as [Int8])
      let plain = try file.dataset("plain")
      let error = FileTests.error { () throws(HDF5Error) in _ = try plain.chunkAddress(at: [0]) }
      #expect(error?.code == .mismatch)
    }
  }
}
