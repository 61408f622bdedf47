import Crypto
import Foundation
import HDF5
import Inspection
import Results
import SnapshotFormat
import TestSupport
import Testing

@Suite("The reading of a file")
struct FileReadingTests {
  /// The members of an accepted reading.
  private func reading(_ path: String) throws -> [String: Any] {
    guard case .accepted(let json) = try FileReading.of(path) else {
      Issue.record("refused: \(try FileReading.of(path).json.rendered)")
      return [:]
    }
    let value = try JSONSerialization.jsonObject(with: Data(json.rendered.utf8))
    return try #require(value as? [String: Any])
  }

  private func digest<T>(_ values: [T]) -> String {
    let bytes = values.withUnsafeBytes { Array($0) }
    return "sha256:" + SHA256.hash(data: bytes).map { String(format: "%02x", $0) }.joined()
  }

  @Test("texts are as written, datasets are digests of their elements")
  func contents() throws {
    try withTemporaryFolder { folder in
      let run = SmallRun()
      try run.write(folder.file("run.h5"))
      let reading = try reading(folder.file("run.h5"))
      #expect(reading["run_id"] as? String == run.run.id)
      #expect(reading["status"] as? String == "complete")
      #expect(
        (reading["json"] as? [String: String])?["model"] == digest(Array(run.run.model.utf8)))
      let steps = try #require(reading["steps"] as? [String: Any])
      #expect(steps["count"] as? Int == run.steps.count)
      #expect(steps["index"] as? String == digest(run.steps.map { Int64($0.index) }))
      let sessions = try #require(reading["sessions"] as? [String: Any])
      #expect(sessions["started"] as? String == digest(Array(run.run.created.utf8)))
      #expect(sessions["first_step"] as? String == digest([UInt64(0)]))
      let tables = try #require(reading["tables"] as? [[String: Any]])
      #expect(tables[0]["members"] is NSNull && tables[1]["schedule"] is NSNull)
      #expect((tables[1]["members"] as? [String: Any])?["count"] as? Int == 12)
      let stream = try #require((tables[0]["streams"] as? [[String: Any]])?[1])
      #expect(stream["object"] as? String == "L0001")
      #expect((stream["sketch"] as? [String: Any])?["seed"] as? String == "18446744073709551615")
      let values = run.steps.enumerated().filter { $0.element.table == 0 }.flatMap { step in
        (0..<step.element.rows * 100).map {
          SmallRun.value(step: step.offset, stream: 1, element: $0)
        }
      }
      #expect(stream["values"] as? String == digest(values))
    }
  }

  @Test("storage makes no difference, and neither does that the file is not finished")
  func storage() throws {
    try withTemporaryFolder { folder in
      var run = SmallRun()
      try run.write(folder.file("a.h5"))
      run.compression = .none
      try run.write(folder.file("b.h5"))
      #expect(
        try FileReading.of(folder.file("a.h5")).json == FileReading.of(folder.file("b.h5")).json)
      let writer = try run.begin(folder.file("c.h5"))
      guard case .accepted(.object(var growing)) = try FileReading.of(folder.file("c.h5")),
        case .accepted(.object(var finished)) = try FileReading.of(folder.file("a.h5"))
      else {
        Issue.record("refused")
        return
      }
      #expect(growing.first { $0.key == "status" }?.value == .string("recording"))
      growing.removeAll { $0.key == "status" }
      finished.removeAll { $0.key == "status" }
      #expect(growing == finished)
      writer.discard()
    }
  }

  @Test("a file that breaks the specification is refused by the numbers of what it breaks")
  func refusals() throws {
    try withTemporaryFolder { folder in
      func refused(_ name: String) throws -> String {
        try FileReading.of(folder.file(name)).json.rendered.filter { !$0.isWhitespace }
      }
      try folder.write("words", Array("no HDF5".utf8))
      try folder.write("empty", [])
      let foreign = try File.create(at: folder.file("foreign"))
      try foreign.close()
      for name in ["words", "empty", "foreign"] {
        #expect(try refused(name) == #"{"refused":["R-001"]}"#)
      }
      try SmallRun().write(folder.file("run.h5"))
      let file = try File.open(at: folder.file("run.h5"), mode: .readWrite)
      try file.setAttribute("status", "odd")
      try file.group("tables").group("T0000").setAttribute("unit", "thing")
      try file.close()
      #expect(try refused("run.h5") == #"{"refused":["R-007","R-032"]}"#)
      let newer = try File.open(at: folder.file("run.h5"), mode: .readWrite)
      try newer.setAttribute("version", "2.0")
      try newer.close()
      #expect(try refused("run.h5") == #"{"refused":["R-002"]}"#)
      #expect(throws: SnapshotError.self) { try FileReading.of(folder.file("absent")) }
    }
  }

  @Test("JSON has sorted keys and nothing but ASCII")
  func rendering() {
    let value = JSONValue.object([
      "b": .array([.null, .number(-3), .number(1e300)]), "a": .string("\"é\u{1b}\\😀"),
      "c": .object([:]), "d": .number(Double.nan),
    ])
    #expect(
      value.rendered == """
        {
         "a": "\\"\\u00e9\\u001b\\\\\\ud83d\\ude00",
         "b": [
          null,
          -3,
          1e+300
         ],
         "c": {},
         "d": null
        }
        """)
  }
}
