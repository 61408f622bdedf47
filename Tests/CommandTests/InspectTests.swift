import Foundation
import TestSupport
import Testing

@Suite("Inspection")
struct InspectTests {
  @Test("info: run, tables and streams, in words and as JSON")
  func info() throws {
    try Samples.withRun { folder in
      let words = try Tool.run("ptoken-inspect info run.h5", in: folder)
      #expect(words.status == 0 && words.errors == "")
      for part in ["complete", "probe: probe, 450 rows (one per example) in 3 steps", "fc1"] {
        #expect(words.output.contains(part), "\(words.output)")
      }
      let json = try Tool.run("ptoken-inspect info run.h5 --json", in: folder).json()
      #expect(
        Set(json.keys) == [
          "bytes", "created", "file", "first_step", "last_step", "producer", "run_id", "status",
          "steps", "tables",
        ])
      #expect(json["last_step"] as? Int == 44)
      let table = try #require((json["tables"] as? [[String: Any]])?.first)
      #expect(Set(table.keys) == ["mode", "name", "rows", "steps", "streams", "unit"])
      let stream = try #require(
        (table["streams"] as? [[String: Any]])?.first { $0["stage"] != nil })
      #expect(
        Set(stream.keys) == [
          "chunk_rows", "filters", "kind", "name", "object", "payload_bytes", "shape", "sketch",
          "stage", "stored_bytes", "width",
        ])
    }
  }

  @Test("validate: violations are results on stdout, and the exit status is 1")
  func violations() throws {
    try Samples.withRun { folder in
      try Samples.makeInvalid(folder.file("run.h5"))
      let words = try Tool.run("ptoken-inspect validate run.h5", in: folder)
      #expect(words.status == 1 && words.errors == "")
      let lines = words.output.split(separator: "\n")
      #expect(lines.count >= 2)
      #expect(lines.allSatisfy { $0.hasPrefix("run.h5:") && $0.hasSuffix("]") }, "\(lines)")
      expectHarmless(words)
      let json = try Tool.run("ptoken-inspect validate run.h5 --json", in: folder)
      #expect(json.status == 1)
      expectHarmless(json)
      #expect(try json.json()["is_valid"] as? Bool == false)
      #expect((try json.json()["violations"] as? [[String: String]])?.count == lines.count)
      expectError(try Tool.run("ptoken-inspect info run.h5", in: folder), "run.h5:", "[R-")
    }
  }

  @Test("validate: a sound file is valid in words and as JSON")
  func valid() throws {
    try Samples.withRun { folder in
      #expect(
        try Tool.run("ptoken-inspect validate run.h5", in: folder).output == "run.h5: valid.\n")
      let json = try Tool.run("ptoken-inspect validate run.h5 --json", in: folder).json()
      #expect(json["is_valid"] as? Bool == true)
      #expect((json["violations"] as? [Any])?.isEmpty == true)
    }
  }

  @Test(
    "hostile names reach no terminal, and JSON keeps them escaped",
    arguments: [
      "ptoken-inspect info run.h5", "ptoken-inspect info run.h5 --json",
      "ptoken-inspect validate run.h5", "ptoken-analyze run.h5 --pairings 1",
      "ptoken-analyze run.h5 --pairings 1 --json", "ptoken-report --json run.h5 --pairings 1",
    ])
  func hostileNames(line: String) throws {
    try Samples.withRun { folder in
      try Samples.poison(folder.file("run.h5"))
      let outcome = try Tool.run(line, in: folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
      expectHarmless(outcome)
      if line.contains("--json") {
        #expect("\(try outcome.json())".unicodeScalars.contains("\u{202e}"))
      }
    }
  }

  @Test("a hostile name of a file cannot forge a line, either")
  func hostilePath() throws {
    try withTemporaryFolder { folder in
      let outcome = try Tool.run(["ptoken-inspect", "info", Samples.hostileName], in: folder)
      expectHarmless(outcome)
      #expect(outcome.errorLines.count == 1)
      #expect(outcome.status == 2)
    }
  }

  /// Expects text that no terminal acts on, and no line that its source forged.
  private func expectHarmless(
    _ outcome: Tool.Outcome, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    for scalar in (outcome.output + outcome.errors).unicodeScalars where scalar != "\n" {
      let category = scalar.properties.generalCategory
      #expect(
        category != .control && category != .format, "U+\(String(scalar.value, radix: 16))",
        sourceLocation: sourceLocation)
    }
    #expect(!outcome.output.contains("\nerror: forged"), sourceLocation: sourceLocation)
    #expect(!outcome.errors.contains("\nerror: forged"), sourceLocation: sourceLocation)
  }
}
