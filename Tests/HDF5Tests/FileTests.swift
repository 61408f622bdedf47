import HDF5
import TestSupport
import Testing

@Suite("File")
struct FileTests {
  /// Runs `body`, which must throw, and returns its error.
  static func error(
    _ body: () throws(HDF5Error) -> Void, sourceLocation: SourceLocation = #_sourceLocation
  ) -> HDF5Error? {
    do throws(HDF5Error) { try body() } catch { return error }
    Issue.record("nothing was thrown", sourceLocation: sourceLocation)
    return nil
  }

  @Test("a group and a dataset are found again under their names")
  func roundTrip() throws {
    try withTemporaryFolder { folder in
      let path = folder.file("a.h5")
      let file = try File.create(at: path)
      let group = try file.createGroup("g")
      try group.write("x", [1.5, -2] as [Double])
      #expect(group.path == "/g")
      _ = consume group
      try file.close()

      let again = try File.open(at: path)
      #expect(try again.children() == ["g"])
      #expect(try again.group("g").children() == ["x"])
      #expect(try again.group("g").dataset("x").readAll(Double.self) == [1.5, -2])
      #expect(try again.kind(of: "g") == .group)
      #expect(try again.group("g").kind(of: "x") == .dataset)
      #expect(try again.kind(of: "h") == nil)
      #expect(again.hasChild("g") && !again.hasChild("h"))
    }
  }

  @Test("children are listed in alphabetical order, whatever the order of creation")
  func childrenAreSorted() throws {
    try withTemporaryFolder { folder in
      let file = try File.create(at: folder.file("a.h5"))
      for name in ["b", "é", "a", "B"] { _ = try file.createGroup(name) }
      #expect(try file.children() == ["B", "a", "b", "é"])
    }
  }

  @Test("the same writes give the same bytes")
  func deterministic() throws {
    try withTemporaryFolder { folder in
      for name in ["a", "b"] {
        let file = try File.create(at: folder.file(name))
        try file.setAttribute("n", 7 as Int32)
        try file.createGroup("g").write("x", Array(0..<1000) as [Int64])
        try file.close()
      }
      #expect(try folder.bytes("a") == folder.bytes("b"))
    }
  }

  @Test("an absent file is notFound")
  func notFound() throws {
    try withTemporaryFolder { folder in
      let path = folder.file("absent.h5")
      let error = Self.error { () throws(HDF5Error) in _ = try File.open(at: path) }
      #expect(error?.code == .notFound)
      #expect(error?.file == path)
      #expect(error?.stack.isEmpty == false)
      let creation = Self.error { () throws(HDF5Error) in
        _ = try File.create(at: folder.file("absent/a.h5"))
      }
      #expect(creation?.code == .notFound)
    }
  }

  @Test("text, an empty file and a folder are no HDF5 files")
  func notHDF5() throws {
    try withTemporaryFolder { folder in
      let text = try folder.write("a.txt", [UInt8](repeating: 65, count: 5000))
      let empty = try folder.write("empty", [])
      for path in [text, empty] {
        let error = Self.error { () throws(HDF5Error) in _ = try File.open(at: path) }
        #expect(error?.code == .notHDF5, "\(error.debugDescription)")
      }
      let error = Self.error { () throws(HDF5Error) in _ = try File.open(at: folder.path) }
      #expect(error != nil)
    }
  }

  @Test("a file that was cut off is truncated, and the error says what libhdf5 said")
  func truncated() throws {
    try withTemporaryFolder { folder in
      let path = folder.file("a.h5")
      let file = try File.create(at: path)
      try file.write("x", [Double](repeating: 1, count: 1000))
      try file.close()
      try folder.write("a.h5", folder.bytes("a.h5").dropLast(1000))
      let error = Self.error { () throws(HDF5Error) in _ = try File.open(at: path) }
      #expect(error?.code == .truncated)
      #expect(error?.stack.first?.hasPrefix("H5Fopen") == true)
      #expect(error?.stack.last?.contains("truncated file") == true)
    }
  }

  @Test("an existing file is replaced only if asked")
  func exists() throws {
    try withTemporaryFolder { folder in
      let path = try folder.write("a.h5", [1, 2, 3])
      let error = Self.error { () throws(HDF5Error) in _ = try File.create(at: path) }
      #expect(error?.code == .exists)
      #expect(try folder.bytes("a.h5") == [1, 2, 3])
      try File.create(at: path, overwrite: true).close()
      #expect(try File.open(at: path).children() == [])
    }
  }

  @Test("a file opened for reading cannot be written; one opened for both can")
  func modes() throws {
    try withTemporaryFolder { folder in
      let path = folder.file("a.h5")
      try File.create(at: path).close()
      let before = try folder.bytes("a.h5")
      let error = Self.error { () throws(HDF5Error) in
        _ = try File.open(at: path).createGroup("g")
      }
      #expect(error?.code == .failed)
      #expect(error?.object == "/g")
      #expect(try folder.bytes("a.h5") == before)
      let file = try File.open(at: path, mode: .readWrite)
      _ = try file.createGroup("g")
      try file.flush()
      try file.close()
      #expect(try File.open(at: path).children() == ["g"])
    }
  }

  @Test("closing while a dataset is open is an error, and says so")
  func closesLast() throws {
    try withTemporaryFolder { folder in
      let file = try File.create(at: folder.file("a.h5"))
      let dataset = try file.createDataset("x", of: Int8.self, shape: [1])
      let error: HDF5Error?
      do throws(HDF5Error) {
        try file.close()
        error = nil
      } catch let thrown {
        error = thrown
      }
      #expect(error?.message.hasPrefix("cannot finish writing") == true)
      #expect(error?.stack.last?.contains("objects still open") == true)
      #expect(try dataset.readAll(Int8.self) == [0])
    }
  }

  @Test("an absent object, and one of the other kind, are named in the error")
  func objects() throws {
    try withTemporaryFolder { folder in
      let path = folder.file("a.h5")
      let file = try File.create(at: path)
      let group = try file.createGroup("g")
      try group.write("x", [1] as [Int8])
      let absent = Self.error { () throws(HDF5Error) in _ = try group.dataset("y") }
      #expect(absent?.code == .missingObject)
      #expect(absent?.description == "\(path):/g/y: expected a dataset, found nothing")
      let group2 = Self.error { () throws(HDF5Error) in _ = try group.group("x") }
      #expect(group2?.code == .mismatch)
      #expect(group2?.object == "/g/x")
      #expect(group2?.stack.isEmpty == false)
      let dataset = Self.error { () throws(HDF5Error) in _ = try file.dataset("g") }
      #expect(dataset?.code == .mismatch)
      let twice = Self.error { () throws(HDF5Error) in _ = try file.createGroup("g") }
      #expect(twice?.code == .failed)
      #expect(twice?.stack.last?.contains("already exists") == true)
    }
  }
}
