import HDF5
import TestSupport
import Testing

@Suite("Dataset")
struct DatasetTests {
  @Test("every element type is read back bit for bit, contiguous and chunked")
  func roundTrip() throws {
    func check<T: Element & Equatable>(_ values: [T], in file: borrowing File) throws {
      let name = T.elementType.description
      try file.write("plain-\(name)", values)
      #expect(try file.dataset("plain-\(name)").readAll(T.self) == values)
      let chunked = try file.createDataset(
        "chunked-\(name)", of: T.self, shape: [values.count], chunk: [2],
        filters: [.shuffle, .zstd(1), .fletcher32])
      try chunked.write(values, start: [0], count: [values.count])
      #expect(try chunked.readAll(T.self) == values)
      #expect(chunked.elementType == T.elementType)
      #expect(T.elementType.size == MemoryLayout<T>.size)
    }
    try withTemporaryFolder { folder in
      let file = try File.create(at: folder.file("a.h5"))
      try check([.min, -1, 0, 1, .max] as [Int8], in: file)
      try check([.min, 1, .max] as [UInt8], in: file)
      try check([.min, -1, 0, 1, .max] as [Int16], in: file)
      try check([.min, 1, .max] as [UInt16], in: file)
      try check([.min, -1, 0, 1, .max] as [Int32], in: file)
      try check([.min, 1, .max] as [UInt32], in: file)
      try check([.min, -1, 0, 1, .max] as [Int64], in: file)
      try check([.min, 1, .max] as [UInt64], in: file)
      try check([-0.1, .infinity, .leastNonzeroMagnitude, 0] as [Float], in: file)
      try check([-0.1, .infinity, .leastNonzeroMagnitude, 0] as [Double], in: file)
    }
  }

  @Test("NaN keeps its payload")
  func notANumber() throws {
    try withTemporaryFolder { folder in
      let file = try File.create(at: folder.file("a.h5"))
      let value = Float(nan: 0x1234, signaling: false)
      try file.write("x", [value])
      #expect(try file.dataset("x").readAll(Float.self)[0].bitPattern == value.bitPattern)
    }
  }

  @Test("a hyperslab is the block of rows and columns that was asked for")
  func hyperslab() throws {
    try withTemporaryFolder { folder in
      let file = try File.create(at: folder.file("a.h5"))
      try file.write("x", (0..<24).map { Int32($0) }, shape: [4, 6])
      let dataset = try file.dataset("x")
      #expect(
        try dataset.read(Int32.self, start: [1, 2], count: [2, 3]) == [8, 9, 10, 14, 15, 16])
      #expect(try dataset.read(Int32.self, start: [4, 0], count: [0, 6]) == [])
      try dataset.write([-1, -2] as [Int32], start: [2, 5], count: [2, 1])
      #expect(try dataset.read(Int32.self, start: [1, 5], count: [3, 1]) == [11, -1, -2])
      var buffer = [Int32](repeating: 0, count: 2)
      try buffer.withUnsafeMutableBufferPointer { part throws(HDF5Error) in
        try dataset.read(into: part, start: [3, 0], count: [1, 2])
      }
      #expect(buffer == [18, 19])
    }
  }

  @Test("a slab across filtered chunks is put together from them, unwritten ones too")
  func hyperslabOfChunks() throws {
    try withTemporaryFolder { folder in
      let file = try File.create(at: folder.file("a.h5"))
      let dataset = try file.createDataset(
        "x", of: Int16.self, shape: [5, 7, 3], chunk: [2, 3, 2], filters: [.shuffle, .zstd(1)])
      let values = (0..<105).map { Int16($0) }
      try dataset.write(values, start: [0, 0, 0], count: [5, 7, 3])
      #expect(try dataset.readAll(Int16.self) == values)
      let slab = try dataset.read(Int16.self, start: [1, 2, 1], count: [3, 4, 2])
      let expected = (1..<4).flatMap { plane in
        (2..<6).flatMap { row in (1..<3).map { values[plane * 21 + row * 3 + $0] } }
      }
      #expect(slab == expected)
      let sparse = try file.createDataset(
        "y", of: Int16.self, shape: [6], chunk: [2], filters: [.zstd(1)])
      try sparse.write([7, 8] as [Int16], start: [2], count: [2])
      #expect(try sparse.readAll(Int16.self) == [0, 0, 7, 8, 0, 0])
    }
  }

  @Test("an extensible dataset grows with zeros, shrinks, and remembers its shapes")
  func extensible() throws {
    try withTemporaryFolder { folder in
      let path = folder.file("a.h5")
      let file = try File.create(at: path)
      let dataset = try file.createDataset(
        "x", of: UInt16.self, shape: [0, 3], limit: [nil, 3], chunk: [4, 3], filters: [.zstd(3)])
      #expect(try dataset.readAll(UInt16.self) == [])
      try dataset.resize(to: [5, 3])
      try dataset.write([7, 8, 9] as [UInt16], start: [4, 0], count: [1, 3])
      #expect(try dataset.read(UInt16.self, start: [3, 0], count: [2, 3]) == [0, 0, 0, 7, 8, 9])
      try dataset.resize(to: [1, 3])
      try dataset.resize(to: [5, 3])
      #expect(try dataset.read(UInt16.self, start: [4, 0], count: [1, 3]) == [0, 0, 0])
      _ = consume dataset
      try file.close()

      let again = try File.open(at: path).dataset("x")
      #expect(try again.shape() == [5, 3])
      #expect(again.limit == [nil, 3])
      #expect(again.chunkShape == [4, 3])
      #expect(again.chunkBytes == 24)
      #expect(again.filters == [.zstd(3)])
    }
  }

  @Test("growing beyond the limit is refused")
  func limit() throws {
    try withTemporaryFolder { folder in
      let file = try File.create(at: folder.file("a.h5"))
      let dataset = try file.createDataset(
        "x", of: Int8.self, shape: [2], limit: [4], chunk: [2])
      try dataset.resize(to: [4])
      let error = FileTests.error { () throws(HDF5Error) in try dataset.resize(to: [5]) }
      #expect(error?.code == .failed)
      #expect(error?.object == "/x")
      #expect(error?.stack.isEmpty == false)
    }
  }

  @Test(
    "a slab that leaves the dataset is refused before anything is allocated",
    arguments: [
      ([0, 0], [3, 2]), ([2, 0], [1, 2]), ([0, 1], [1, 2]), ([-1, 0], [1, 1]), ([0, 0], [-1, 1]),
      ([0], [1]), ([0, 0], [.max, .max]), ([1, 0], [.max, 1]), ([0, 0, 0], [1, 1, 1]),
    ])
  func outOfRange(start: [Int], count: [Int]) throws {
    try withTemporaryFolder { folder in
      let file = try File.create(at: folder.file("a.h5"))
      try file.write("x", [1, 2, 3, 4] as [Float], shape: [2, 2])
      let dataset = try file.dataset("x")
      let error = FileTests.error { () throws(HDF5Error) in
        _ = try dataset.read(Float.self, start: start, count: count)
      }
      #expect(error?.code == .mismatch)
      #expect(error?.message == "expected elements \(start) + \(count), found shape [2, 2]")
      let write = FileTests.error { () throws(HDF5Error) in
        try dataset.write([0] as [Float], start: start, count: count)
      }
      #expect(write?.code == .mismatch)
    }
  }

  @Test("another element type is refused, for reading and for writing")
  func wrongType() throws {
    try withTemporaryFolder { folder in
      let path = folder.file("a.h5")
      let file = try File.create(at: path)
      try file.write("x", [1, 2] as [Float])
      let dataset = try file.dataset("x")
      let read = FileTests.error { () throws(HDF5Error) in _ = try dataset.readAll(Double.self) }
      #expect(read?.code == .mismatch)
      #expect(read?.description == "\(path):/x: expected float64, found float32")
      let write = FileTests.error { () throws(HDF5Error) in
        try dataset.write([1] as [Int32], start: [0], count: [1])
      }
      #expect(write?.code == .mismatch)
      #expect(try dataset.readAll(Float.self) == [1, 2])
    }
  }

  @Test("chunks written past the pipeline are read through it, and the other way round")
  func directChunks() throws {
    try withTemporaryFolder { folder in
      let file = try File.create(at: folder.file("a.h5"))
      let dataset = try file.createDataset(
        "x", of: Int32.self, shape: [6], chunk: [4], filters: [.shuffle, .zstd(3), .fletcher32])
      let made = dataset.codec
      let codec = try #require(made)
      #expect(try dataset.readChunk(at: [0]) == nil)
      let values: [Int32] = [1, -2, 3, -4]
      try dataset.writeChunk(values.withUnsafeBytes { codec.encode($0) }, at: [0])
      try dataset.write([5, 6] as [Int32], start: [4], count: [2])
      #expect(try dataset.readAll(Int32.self) == [1, -2, 3, -4, 5, 6])
      let stored = try #require(try dataset.readChunk(at: [4]))
      let plain = try #require(codec.decode(stored.bytes, size: 16, mask: stored.mask))
      #expect(plain == [5, 0, 0, 0, 6, 0, 0, 0] + [UInt8](repeating: 0, count: 8))
      #expect(dataset.storedBytes > 0)
    }
  }

  @Test("a chunk that does not begin on the grid is refused")
  func chunkOffTheGrid() throws {
    try withTemporaryFolder { folder in
      let file = try File.create(at: folder.file("a.h5"))
      let dataset = try file.createDataset("x", of: Int8.self, shape: [8], chunk: [4])
      for start in [[1], [8], [-4], [0, 0], []] {
        let error = FileTests.error { () throws(HDF5Error) in
          try dataset.writeChunk([1, 2, 3, 4], at: start)
        }
        #expect(error?.code == .mismatch)
        #expect(error?.object == "/x")
      }
    }
  }
}
