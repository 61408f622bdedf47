import HDF5
import TestSupport
import Testing

@Suite("Attribute")
struct AttributeTests {
  @Test("numbers of every type, text and rows are read back as written")
  func roundTrip() throws {
    func check<T: Element & Equatable>(_ values: [T], in file: borrowing File) throws {
      let name = T.elementType.description
      try file.setAttribute("one-\(name)", values[0])
      try file.setAttribute("row-\(name)", values)
      #expect(try file.scalar("one-\(name)", as: T.self) == values[0])
      #expect(try file.attribute("row-\(name)").read(T.self) == values)
      #expect(try file.attribute("one-\(name)").shape == [])
      #expect(try file.attribute("row-\(name)").shape == [values.count])
      #expect(try file.attribute("row-\(name)").elementType == T.elementType)
    }
    try withTemporaryFolder { folder in
      let file = try File.create(at: folder.file("a.h5"))
      try check([.min, 0, .max] as [Int8], in: file)
      try check([.min, 1, .max] as [UInt8], in: file)
      try check([.min, 0, .max] as [Int16], in: file)
      try check([.min, 1, .max] as [UInt16], in: file)
      try check([.min, 0, .max] as [Int32], in: file)
      try check([.min, 1, .max] as [UInt32], in: file)
      try check([.min, 0, .max] as [Int64], in: file)
      try check([.min, 1, .max] as [UInt64], in: file)
      try check([-0.1, .infinity, .leastNonzeroMagnitude] as [Float], in: file)
      try check([-0.1, .infinity, .leastNonzeroMagnitude] as [Double], in: file)
    }
  }

  @Test(
    "text keeps every character and its length in bytes",
    arguments: ["", "a", "naïve Überraschung 梯度", String(repeating: "x", count: 60_000)])
  func text(_ text: String) throws {
    try withTemporaryFolder { folder in
      let path = folder.file("a.h5")
      let file = try File.create(at: path)
      try file.setAttribute("t", text)
      try file.close()
      let again = try File.open(at: path)
      #expect(try again.string("t") == text)
      #expect(try again.attribute("t").elementType == .string(max(1, text.utf8.count)))
    }
  }

  @Test("an empty row is read back as empty")
  func emptyRow() throws {
    try withTemporaryFolder { folder in
      let file = try File.create(at: folder.file("a.h5"))
      try file.setAttribute("shape", [] as [UInt64])
      #expect(try file.attribute("shape").read(UInt64.self) == [])
      let error = FileTests.error { () throws(HDF5Error) in
        _ = try file.scalar("shape", as: UInt64.self)
      }
      #expect(error?.code == .mismatch)
    }
  }

  @Test("setting again replaces value, type and length")
  func replaces() throws {
    try withTemporaryFolder { folder in
      let file = try File.create(at: folder.file("a.h5"))
      try file.setAttribute("a", "long text")
      try file.setAttribute("a", 3 as UInt16)
      #expect(try file.scalar("a", as: UInt16.self) == 3)
      #expect(file.hasAttribute("a") && !file.hasAttribute("b"))
    }
  }

  @Test("an absent attribute, another type and another count are told apart")
  func errors() throws {
    try withTemporaryFolder { folder in
      let path = folder.file("a.h5")
      let file = try File.create(at: path)
      let group = try file.createGroup("g")
      try group.setAttribute("n", [1, 2] as [Int32])
      let absent = FileTests.error { () throws(HDF5Error) in _ = try group.string("m") }
      #expect(absent?.code == .missingObject)
      #expect(absent?.description == "\(path):/g@m: expected an attribute, found nothing")
      let text = FileTests.error { () throws(HDF5Error) in _ = try group.string("n") }
      #expect(text?.code == .mismatch)
      #expect(text?.message == "expected fixed-length text, found int32 [2]")
      let type = FileTests.error { () throws(HDF5Error) in
        _ = try group.attribute("n").read(Float.self)
      }
      #expect(type?.message == "expected float32, found int32 [2]")
      let count = FileTests.error { () throws(HDF5Error) in
        _ = try group.scalar("n", as: Int32.self)
      }
      #expect(count?.message == "expected one int32, found 2")
    }
  }

  @Test("attributes of datasets are read back from an opened file")
  func ofDatasets() throws {
    try withTemporaryFolder { folder in
      let path = folder.file("a.h5")
      let file = try File.create(at: path)
      try file.createDataset("x", of: Float.self, shape: [2]).setAttribute("unit", "nats")
      try file.close()
      #expect(try File.open(at: path).dataset("x").string("unit") == "nats")
    }
  }
}
