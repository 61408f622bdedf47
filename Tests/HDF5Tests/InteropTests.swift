import HDF5
import TestSupport
import Testing

/// Against h5py with hdf5plugin, which is another libhdf5 and another Zstandard filter.
@Suite("Interoperation with h5py")
struct InteropTests {
  private static let values = (0..<1000).map { Float($0) * 0.5 - 3 }

  @Test(
    "h5py reads what we write, through libhdf5's pipeline and past it",
    arguments: [
      [], [.deflate(4)], [.zstd(3)], [.shuffle, .deflate(4), .fletcher32],
      [.shuffle, .zstd(3), .fletcher32], [.fletcher32], [.fletcher32, .zstd(1)],
    ] as [[Filter]])
  func theyReadOurs(filters: [Filter]) throws {
    try withTemporaryFolder { folder in
      let path = folder.file("a.h5")
      let file = try File.create(at: path)
      let slow = try file.createDataset(
        "pipeline", of: Float.self, shape: [100, 10], chunk: [32, 10], filters: filters)
      try slow.write(Self.values, start: [0, 0], count: [100, 10])
      if let codec = slow.codec {
        let fast = try file.createDataset(
          "direct", of: Float.self, shape: [100, 10], chunk: [32, 10], filters: filters)
        for row in stride(from: 0, to: 100, by: 32) {
          let rows = Self.values[row * 10..<min(row + 32, 100) * 10]
          let whole = Array(rows) + [Float](repeating: 0, count: 320 - rows.count)
          try fast.writeChunk(whole.withUnsafeBytes { codec.encode($0) }, at: [row, 0])
        }
        _ = consume fast
      }
      let hasDirect = slow.codec != nil
      _ = consume slow
      try file.close()

      let dump = try H5Dump.ofFile(at: path)
      for name in hasDirect ? ["/pipeline", "/direct"] : ["/pipeline"] {
        let found = try #require(dump.datasets[name])
        #expect(found.dtype == "<f4")
        #expect(found.shape == [100, 10])
        #expect(found.values(Float.self) == Self.values)
      }
      let ids = filters.map { filter in
        switch filter {
        case .deflate: 1
        case .shuffle: 2
        case .fletcher32: 3
        case .zstd: 32015
        case .unknown(let id): id
        }
      }
      #expect(dump.filters["/pipeline"] == ids)
    }
  }

  @Test("we read what h5py writes, whatever the order of its filters")
  func weReadTheirs() throws {
    try withTemporaryFolder { folder in
      try Python.run("HDF5Tests/Python/make.py", folder.path)
      let file = try File.open(at: folder.file("filters.h5"))
      let names = try file.children()
      #expect(names.count == 13)
      for name in names where name != "empty" {
        let dataset = try file.dataset(name)
        #expect(try dataset.readAll(Float.self) == Self.values, "\(name)")
        guard let codec = dataset.codec else { continue }
        let chunk = try #require(try dataset.readChunk(at: [32, 0]))
        let plain = codec.decode(chunk.bytes, size: dataset.chunkBytes, mask: chunk.mask)
        #expect(plain == Self.values[320..<640].withUnsafeBytes { [UInt8]($0) }, "\(name)")
      }
      #expect(try file.dataset("empty").readAll(Float.self) == [])
      #expect(try file.dataset("plugin").filters == [.zstd(7)])
      #expect(
        try file.dataset("fletcher-zstd-fletcher").filters == [.fletcher32, .zstd(5), .fletcher32])
    }
  }

  @Test("attributes and every element type reach h5py with type, shape and value")
  func attributesAndTypes() throws {
    try withTemporaryFolder { folder in
      let path = folder.file("a.h5")
      let file = try File.create(at: path)
      try file.setAttribute("text", "naïve")
      try file.setAttribute("none", [] as [UInt64])
      let group = try file.createGroup("g")
      try group.setAttribute("seed", UInt64.max)
      try group.write("i1", [Int8.min, 1])
      try group.write("u2", [UInt16.max, 1])
      try group.write("i8", [Int64.min, 1])
      try group.write("f8", [Double.leastNonzeroMagnitude, .nan])
      _ = consume group
      try file.close()

      let dump = try H5Dump.ofFile(at: path)
      #expect(dump.groups == ["", "/g"])
      #expect(dump.attributes["@text"]?.text == "naïve")
      #expect(dump.attributes["@none"]?.shape == [0])
      #expect(dump.attributes["/g@seed"]?.dtype == "<u8")
      #expect(dump.attributes["/g@seed"]?.values(UInt64.self) == [.max])
      #expect(dump.datasets["/g/i1"]?.values(Int8.self) == [.min, 1])
      #expect(dump.datasets["/g/i1"]?.dtype == "|i1")
      #expect(dump.datasets["/g/u2"]?.values(UInt16.self) == [.max, 1])
      #expect(dump.datasets["/g/i8"]?.values(Int64.self) == [.min, 1])
      let doubles = try #require(dump.datasets["/g/f8"]?.values(Double.self))
      #expect(doubles.map(\.bitPattern) == [1, Double.nan.bitPattern])
    }
  }
}
