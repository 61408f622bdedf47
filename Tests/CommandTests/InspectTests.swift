import Foundation
import HDF5
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
          "bytes", "captures", "compression", "created", "file", "first_epoch", "first_step",
          "format",
          "frozen_layers", "last_epoch", "last_step", "model", "modes", "observer",
          "payload_bytes", "producer", "records_frozen_layers", "run_id", "sessions", "status",
          "steps", "stored_bytes", "tables", "training", "version",
        ])
      #expect(json["last_step"] as? Int == 44)
      #expect((json["modes"] as? [String: Int])?["probe"] == 3)
      #expect((json["training"] as? [String: Any])?["batch_size"] as? Int == 32)
      let table = try #require((json["tables"] as? [[String: Any]])?.first)
      #expect(
        Set(table.keys) == [
          "first_step", "has_local_steps", "has_weights", "last_step", "mode", "name",
          "parameter_share", "payload_bytes", "rows", "schedule", "steps", "stored_bytes",
          "streams", "unit",
        ])
      let stream = try #require(
        (table["streams"] as? [[String: Any]])?.first { $0["stage"] != nil })
      #expect(
        Set(stream.keys) == [
          "chunk_rows", "filters", "kind", "layer", "name", "object", "payload_bytes", "shape",
          "sketch", "sketch_nonzeros", "sketch_seed", "stage", "stored_bytes", "width",
        ])
      #expect(words.output.split(separator: "\n").allSatisfy { $0.count <= 100 })
    }
  }

  @Test("info: an analysis, in words and as JSON")
  func analysisInfo() throws {
    try Samples.withAnalysis { folder in
      let words = try Tool.run("ptoken-inspect info run.analysis.h5", in: folder)
      #expect(words.status == 0 && words.errors == "")
      for part in ["analysis 1.0", "snapshot    run.h5", "pairings 19", "gaussian", "W0000", "fc1"]
      {
        #expect(words.output.contains(part), "\(words.output)")
      }
      #expect(words.output.split(separator: "\n").allSatisfy { $0.count <= 100 })
      let json = try Tool.run("ptoken-inspect info run.analysis.h5 --json", in: folder).json()
      #expect((json["settings"] as? [String: Any])?["pairings"] as? Int == 19)
      let measures = try #require(json["measures"] as? [[String: Any]])
      #expect(measures.reduce(0) { $0 + ($1["count"] as? Int ?? 0) } == json["figures"] as? Int)
    }
  }

  @Test("info: a snapshot whose recorder died is read from its journal")
  func growingInfo() throws {
    try withTemporaryFolder { folder in
      let outcome = try Tool.shell(
        "ptoken-record",
        """
        "$PROGRAM" demo run.h5 --epochs 10000 --quiet & recorder=$!
        for i in $(seq 200); do [ -s run.h5.journal ] && break; sleep 0.05; done
        kill -9 $recorder; wait $recorder 2>/dev/null; true
        """, in: folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
      let json = try Tool.run("ptoken-inspect info run.h5 --json", in: folder).json()
      #expect(json["status"] as? String == "crashed")
      let words = try Tool.run("ptoken-inspect info run.h5", in: folder)
      #expect(words.output.hasPrefix("run.h5  snapshot 1.0, crashed"))
    }
  }

  @Test("reading: the same for every copy, and the broken requirements of a broken file")
  func reading() throws {
    try Samples.withRun { folder in
      let outcome = try Tool.run("ptoken-inspect reading run.h5", in: folder)
      #expect(outcome.status == 0 && outcome.errors == "")
      let json = try outcome.json()
      #expect(json["format"] as? String == "ptoken-snapshot")
      #expect((json["tables"] as? [Any])?.count == 3)
      try Samples.makeInvalid(folder.file("run.h5"))
      let refused = try Tool.run("ptoken-inspect reading run.h5", in: folder)
      #expect(refused.status == 1 && refused.errors == "")
      #expect(try refused.json()["refused"] as? [String] == ["R-007", "R-032"])
      try folder.write("empty.h5", [])
      let empty = try Tool.run("ptoken-inspect reading empty.h5", in: folder)
      #expect(empty.status == 1)
      #expect(try empty.json()["refused"] as? [String] == ["R-001"])
      expectError(try Tool.run("ptoken-inspect reading absent.h5", in: folder), "absent.h5:")
    }
  }

  @Test("diff: equal is status 0 and said in words, a difference is status 1 and a line each")
  func diff() throws {
    try Samples.withAnalysis { folder in
      try folder.write("copy.h5", Samples.run())
      let equal = try Tool.run("ptoken-inspect diff run.h5 copy.h5", in: folder)
      #expect(equal.status == 0 && equal.output == "run.h5 and copy.h5 are equal.\n")
      try Tool.withoutSpawning {
        let file = try File.open(at: folder.file("copy.h5"), mode: .readWrite)
        try file.setAttribute("producer", Samples.hostileName)
        try file.close()
      }
      let other = try Tool.run("ptoken-inspect diff run.h5 copy.h5", in: folder)
      #expect(other.status == 1 && other.errors == "")
      #expect(other.output.hasPrefix("@producer: '"))
      expectHarmless(other)
      let json = try Tool.run("ptoken-inspect diff run.h5 copy.h5 --json", in: folder)
      #expect(json.status == 1)
      expectHarmless(json)
      #expect(try json.json()["is_equal"] as? Bool == false)
      let found = try #require(try json.json()["differences"] as? [[String: Any]])
      #expect(found.map { $0["place"] as? String } == ["@producer"])
      expectError(
        try Tool.run("ptoken-inspect diff run.h5 run.analysis.h5", in: folder),
        "run.analysis.h5:", "found an analysis")
      expectError(try Tool.run("ptoken-inspect diff run.h5 absent.h5", in: folder), "absent.h5:")
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
