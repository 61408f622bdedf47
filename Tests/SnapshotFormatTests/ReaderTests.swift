import Foundation
import HDF5
import SnapshotFormat
import TestSupport
import Testing

@Suite("Reader")
struct ReaderTests {
  /// Writes the sample run, changes it in place and returns its path.
  private func edited(
    _ folder: TemporaryFolder, _ change: (borrowing File) throws -> Void
  ) throws -> String {
    let path = folder.file("run.h5")
    try Sample.write(path)
    let file = try File.open(at: path, mode: .readWrite)
    try change(file)
    try file.close()
    return path
  }

  @Test("blocks cover a range of rows once and in order", arguments: [1, 7, 256, 5000])
  func blocks(blockRows: Int) throws {
    try withTemporaryFolder { folder in
      let path = folder.file("run.h5")
      try Sample.write(path)
      let reader = try Reader(path: path)
      let range = 3..<1390
      var values: [Float] = []
      var next = range.lowerBound
      try reader.forEachBlock(ofStream: 0, table: 0, rows: range, blockRows: blockRows) {
        rows, part in
        #expect(rows.lowerBound == next && rows.count <= blockRows)
        #expect(part.count == rows.count * 24)
        next = rows.upperBound
        values += part
      }
      #expect(next == range.upperBound)
      #expect(try values == reader.values(ofStream: 0, table: 0, rows: range))
    }
  }

  @Test("storage says where a stream lies, how it is compressed and what it would take")
  func storage() throws {
    try withTemporaryFolder { folder in
      let path = folder.file("run.h5")
      try Sample.write(path)
      let storage = try Reader(path: path).storage(ofStream: 1, table: 0)
      #expect(storage.object == "/tables/T0000/streams/L0001")
      #expect(storage.filters == ["shuffle", "zstd(3)", "fletcher32"])
      #expect(storage.payloadBytes == 1402 * 100 * 4)
      // 128 KiB of 400-byte rows, a power of two.
      #expect(storage.chunkRows == 256)
      #expect(storage.storedBytes > 0 && storage.storedBytes < storage.payloadBytes)
    }
  }

  @Test("rows beyond the end are an error")
  func outOfRange() throws {
    try withTemporaryFolder { folder in
      let path = folder.file("run.h5")
      try Sample.write(path)
      let reader = try Reader(path: path)
      let error = try Sample.error {
        _ = try reader.values(ofStream: 0, table: 0, rows: 1400..<1403)
      }
      #expect(error.object == "/tables/T0000/streams/L0000")
    }
  }

  @Test("an absent file, text, and a file that was cut off are told apart")
  func unreadable() throws {
    try withTemporaryFolder { folder in
      let path = folder.file("run.h5")
      #expect(try Sample.error { _ = try Reader(path: path) }.code == .notFound)
      try folder.write("run.h5", [UInt8](repeating: 32, count: 4096))
      #expect(try Sample.error { _ = try Reader(path: path) }.code == .notOurs)
      try FileManager.default.removeItem(atPath: path)
      try Sample.write(path)
      let bytes = try folder.bytes("run.h5")
      try folder.write("run.h5", bytes.prefix(bytes.count / 2))
      #expect(try Sample.error { _ = try Reader(path: path) }.code == .truncated)
      #expect(
        try Sample.error { _ = try Validator.violations(inFileAt: path) }.code == .truncated)
    }
  }

  @Test("HDF5 of another format is not ours, and an analysis is recognised")
  func notOurs() throws {
    try withTemporaryFolder { folder in
      let plain = folder.file("plain.h5")
      try File.create(at: plain).close()
      let error = try Sample.error { _ = try Reader(path: plain) }
      #expect(error.code == .notOurs)
      #expect(error.requirement == "R-001")
      let path = try edited(folder) { try $0.setAttribute("format", "ptoken-analysis") }
      let analysis = try Sample.error { _ = try Reader(path: path) }
      #expect(analysis.code == .notOurs)
      #expect(analysis.remedy.contains("snapshot file"))
    }
  }

  @Test("a newer minor version is read; a newer major version asks for an update")
  func versions() throws {
    try withTemporaryFolder { folder in
      let path = try edited(folder) { try $0.setAttribute("version", "1.999") }
      try Sample.expect(path, status: .complete)
    }
    try withTemporaryFolder { folder in
      let path = try edited(folder) { try $0.setAttribute("version", "999.0") }
      let error = try Sample.error { _ = try Reader(path: path) }
      #expect(error.code == .newerVersion)
      #expect(error.requirement == "R-002")
      #expect(error.remedy == "Update ptoken.")
    }
  }

  @Test("what is no version is invalid", arguments: ["", "1", "0.01", "0.1.2", "-0.1", "a.b"])
  func noVersion(text: String) throws {
    try withTemporaryFolder { folder in
      let path = try edited(folder) { try $0.setAttribute("version", text) }
      let error = try Sample.error { _ = try Reader(path: path) }
      #expect(error.code == .invalid)
      #expect(error.requirement == "R-002")
    }
  }

  @Test("an older major version says so")
  func older() throws {
    try withTemporaryFolder { folder in
      let path = try edited(folder) { try $0.setAttribute("version", "0.1") }
      let error = try Sample.error { _ = try Reader(path: path) }
      #expect(error.code == .olderVersion && error.requirement == "R-002")
      #expect(error.remedy.contains("Record again"))
    }
  }

  @Test("reading one stream's window needs only the chunks of that window")
  func onlyItsChunks() throws {
    try withTemporaryFolder { folder in
      let path = folder.file("run.h5")
      try Sample.write(path)
      let rows = 300..<500
      let expected = try Reader(path: path).values(ofStream: 1, table: 0, rows: rows)
      // Of all streams, only the window's chunk (rows 256 to 511) is left whole.
      try Python.run(
        "SnapshotFormatTests/Python/damage.py", path, "/tables/T0000/streams/L0001", "1")
      let reader = try Reader(path: path)
      #expect(try reader.values(ofStream: 1, table: 0, rows: rows) == expected)
      #expect(
        try Sample.error { _ = try reader.values(ofStream: 1, table: 0, rows: 0..<300) }.code
          == .invalid)
      #expect(
        try Sample.error { _ = try reader.values(ofStream: 0, table: 0, rows: 0..<1) }.code
          == .invalid)
    }
  }

  @Test("attributes and objects that we do not know are let be")
  func extensions() throws {
    try withTemporaryFolder { folder in
      let path = try edited(folder) { file throws in
        try file.setAttribute("note", "mine")
        _ = try file.createGroup("extra")
      }
      try Sample.expect(path, status: .complete)
    }
  }
}
