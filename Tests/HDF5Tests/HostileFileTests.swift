import HDF5
import TestSupport
import Testing

/// Files that h5py makes and that must be refused, or read with care.
@Suite("Hostile and foreign files")
struct HostileFileTests {
  private func withFile(_ name: String, _ body: (borrowing File) throws -> Void) throws {
    try withTemporaryFolder { folder in
      try Python.run("HDF5Tests/Python/make.py", folder.path)
      let file = try File.open(at: folder.file(name))
      try body(file)
    }
  }

  @Test("soft and external links are not followed")
  func links() throws {
    try withFile("refused.h5") { file throws in
      for name in ["soft", "soft-data", "external", "dangling"] {
        #expect(try file.kind(of: name) == .refusedLink)
        let dataset = FileTests.error { () throws(HDF5Error) in _ = try file.dataset(name) }
        #expect(dataset?.code == .refused)
        #expect(dataset?.object == "/\(name)")
        let group = FileTests.error { () throws(HDF5Error) in _ = try file.group(name) }
        #expect(group?.code == .refused)
      }
      #expect(try file.kind(of: "type") == .other)
    }
  }

  @Test("a path cannot pass through a link either")
  func linkOnTheWay() throws {
    try withFile("refused.h5") { file throws in
      let error = FileTests.error { () throws(HDF5Error) in _ = try file.dataset("soft/x") }
      #expect(error?.code == .refused)
    }
  }

  @Test("virtual and external layouts are refused")
  func layouts() throws {
    try withFile("refused.h5") { file throws in
      for name in ["virtual", "outside"] {
        let error = FileTests.error { () throws(HDF5Error) in _ = try file.dataset(name) }
        #expect(error?.code == .refused)
        #expect(error?.object == "/\(name)")
      }
    }
  }

  @Test("a filter that we do not know is named and never run")
  func unknownFilter() throws {
    try withFile("refused.h5") { file throws in
      let dataset = try file.dataset("lz4")
      #expect(dataset.filters == [.unknown(32004)])
      #expect(dataset.codec == nil)
      let error = FileTests.error { () throws(HDF5Error) in _ = try dataset.readAll(Float.self) }
      #expect(error?.code == .refused)
      #expect(error?.message.contains("found filter 32004") == true)
    }
  }

  @Test(
    "types that we do not read are named, never converted",
    arguments: [
      ("big-endian", "4-byte number"), ("half", "2-byte number"), ("bool", "enumeration"),
      ("compound", "compound"), ("text", "variable-length string"),
    ])
  func types(name: String, words: String) throws {
    try withFile("types.h5") { file throws in
      let dataset = try file.dataset(name)
      #expect(dataset.elementType.description.contains(words))
      let error = FileTests.error { () throws(HDF5Error) in _ = try dataset.readAll(Float.self) }
      #expect(error?.code == .mismatch)
    }
  }

  @Test("other software's attributes are read or refused by their type")
  func attributes() throws {
    try withFile("types.h5") { file throws in
      #expect(try file.string("fixed") == "fixed")
      #expect(try file.attribute("numbers").read(Int64.self) == [1, 2, 3])
      #expect(try file.attribute("empty").read(Int64.self) == [])
      #expect(try file.dataset("scalar").readAll(Float.self) == [2.5])
      #expect(try file.dataset("fixed").elementType == .string(3))
      let text = FileTests.error { () throws(HDF5Error) in _ = try file.string("text") }
      #expect(text?.code == .mismatch)
      let utf8 = FileTests.error { () throws(HDF5Error) in _ = try file.string("not-utf8") }
      #expect(utf8?.code == .corrupt)
      let null = FileTests.error { () throws(HDF5Error) in _ = try file.dataset("null") }
      #expect(null?.code == .mismatch)
    }
  }

  @Test(
    "a chunk that decodes to another length is an error, not memory from elsewhere",
    arguments: ["zstd-short", "zstd-long"])
  func lengths(name: String) throws {
    try withFile("lengths.h5") { file throws in
      let dataset = try file.dataset(name)
      let error = FileTests.error { () throws(HDF5Error) in _ = try dataset.readAll(Float.self) }
      #expect(error?.code == .corrupt)
      #expect(error?.object == "/\(name)")
    }
  }
}
