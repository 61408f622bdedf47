import Foundation
import TestSupport
import Testing

@Suite("Results")
struct ResultTests {
  @Test("record: what was done in words or JSON, and what to do next")
  func record() throws {
    try withTemporaryFolder { folder in
      let words = try Tool.run("ptoken-record demo a.h5 --epochs 1 --probe 100", in: folder)
      #expect(words.status == 0)
      #expect(
        words.output.wholeMatch(
          of: /a\.h5: 44 steps trained, \d+ recorded, \d\.\d MB; held-out accuracy \d+\.\d %\.\n/)
          != nil, "\(words.output)")
      #expect(words.errorLines.last == "Next: ptoken-analyze a.h5")
      let json = try Tool.run("ptoken-record demo b.h5 --epochs 1 --probe 100 --json", in: folder)
        .json()
      #expect(
        Set(json.keys) == [
          "bytes", "file", "held_out_accuracy", "recorded_steps", "status", "steps",
        ])
      #expect(json["status"] as? String == "complete")
      #expect(json["bytes"] as? Int == (try folder.bytes("b.h5").count))
      #expect(try folder.contents() == ["a.h5", "b.h5"])
    }
  }

  @Test(
    "record: every kind of run records, validates and can be analysed",
    arguments: [
      "--model cnn", "--full", "--compression none", "--compression deflate", "--sketch 1",
      "--dp-clip 1 --dp-noise 1", "--probe-clip 1 --probe-noise 0.5", "--batch-size 1",
      "--learning-rate 1e9", "--epochs 0", "--batch-size 1438",
    ])
  func kinds(options: String) throws {
    try withTemporaryFolder { folder in
      let recorded = try Tool.run(
        "ptoken-record demo run.h5 --probe 100 -q --epochs 1 \(options)", in: folder)
      #expect(recorded.status == 0, "\(recorded.errors)")
      let valid = try Tool.run("ptoken-inspect validate run.h5", in: folder)
      #expect(valid.output == "run.h5: valid.\n")
      let analysed = try Tool.run("ptoken-analyze run.h5 -q --pairings 1", in: folder)
      #expect(analysed.status == 0, "\(analysed.errors)")
      #expect(try folder.contents() == ["run.analysis.h5", "run.h5"])
    }
  }

  @Test("analyze --dry-run: says what it would take and leaves nothing; more work takes longer")
  func dryRun() throws {
    try Samples.withRun { folder in
      func forecast(_ options: String) throws -> (cells: Double, seconds: Double, memory: Double) {
        let outcome = try Tool.run("ptoken-analyze run.h5 --dry-run --json \(options)", in: folder)
        try #require(outcome.status == 0 && outcome.errors == "", "\(outcome.errors)")
        let json = try #require(
          try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
        return (
          try #require(json["cells"] as? Double), try #require(json["seconds"] as? Double),
          try #require(json["memory_bytes"] as? Double)
        )
      }
      let (quick, thorough) = (
        try forecast("--profile quick"), try forecast("--profile thorough")
      )
      #expect(quick.cells == thorough.cells && quick.cells > 0)
      // Threefold networks and 25 times the pairings: far beyond what a busy machine's measured speed differs by.
      #expect(thorough.seconds > 3 * quick.seconds && quick.seconds > 0)
      #expect(quick.memory > 50e6 && quick.memory < 1e9)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["run.h5"])
    }
  }

  @Test("analyze --timings: the stages, on stderr; --memory changes no result")
  func timings() throws {
    try Samples.withRun { folder in
      let one = try Tool.run(
        "ptoken-analyze run.h5 -o one.h5 --profile quick --timings", in: folder)
      let two = try Tool.run(
        "ptoken-analyze run.h5 -o two.h5 --profile quick --memory 300MB", in: folder)
      #expect(one.status == 0 && two.status == 0 && one.output == two.output)
      for stage in ["reading", "tokens", "nearest neighbours", "threads in"] {
        #expect(one.errors.contains(stage))
      }
      #expect(try folder.bytes("one.h5") == folder.bytes("two.h5"))
    }
  }

  @Test("analyze: the same seed gives the same bytes, another seed others")
  func determinism() throws {
    try Samples.withAnalysis { folder in
      for (name, seed) in [("same", 1), ("other", 2)] {
        let outcome = try Tool.run(
          "ptoken-analyze run.h5 --pairings 19 --seed \(seed) -o \(name).h5", in: folder)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.errors.contains("Next: ptoken-report --html \(name).h5"))
      }
      #expect(try folder.bytes("same.h5") == Samples.analysis())
      #expect(try folder.bytes("other.h5") != Samples.analysis())
    }
  }

  @Test("analyze: a summary of one screen, or the report as JSON")
  func analyze() throws {
    try Samples.withRun { folder in
      let words = try Tool.run("ptoken-analyze run.h5 --pairings 19", in: folder)
      #expect(words.status == 0)
      #expect(words.output.hasPrefix("run.h5, 3 layers"))
      #expect(words.output.split(separator: "\n").count <= 24)
      #expect(
        words.errorLines.last == "Written to run.analysis.h5. Next: ptoken-report --html run.h5")
      let json = try Tool.run("ptoken-analyze run.h5 --pairings 19 --force --json", in: folder)
      let report = try Tool.run("ptoken-report --json run.h5", in: folder)
      #expect(json.output == report.output)
    }
  }

  @Test("report: JSON holds the promised keys; HTML is one page")
  func report() throws {
    try Samples.withAnalysis { folder in
      let json = try Tool.run("ptoken-report --json run.h5", in: folder).json()
      #expect(
        Set(json.keys) == [
          "schema", "verdict", "warnings", "notes", "run", "provenance", "layers", "windows",
          "cells",
        ])
      let verdict = try #require(json["verdict"] as? [String: Any])
      #expect(verdict["outcome"] is String && verdict["headline"] is String)
      #expect((json["cells"] as? [Any])?.isEmpty == false)

      let page = try Tool.run("ptoken-report --html run.h5", in: folder)
      #expect(page.status == 0)
      #expect(page.output == "run.report.html\n" && page.errors == "")
      let text = String(decoding: try folder.bytes("run.report.html"), as: UTF8.self)
      #expect(text.lowercased().hasPrefix("<!doctype html>") && text.contains("</html>"))
      expectError(
        try Tool.run("ptoken-report --html run.h5", in: folder), "run.report.html: already exists")
      #expect(
        try Tool.run("ptoken-report --json run.h5 -o r.json", in: folder).output == "r.json\n")
    }
  }

  @Test("report: without an analysis it analyses first and says so")
  func reportAnalyses() throws {
    try Samples.withRun { folder in
      let outcome = try Tool.run("ptoken-report --json run.h5 --pairings 19", in: folder)
      #expect(outcome.status == 0)
      #expect(
        outcome.errorLines.first
          == "run.h5 has no analysis yet; analysing it first, into run.analysis.h5.")
      #expect((try outcome.json()["notes"] as? [String])?.count == 1)
      #expect(try folder.bytes("run.analysis.h5") == Samples.analysis())
      // The second time there is one.
      let again = try Tool.run("ptoken-report --json run.h5", in: folder)
      #expect(again.errors == "")
      #expect(try again.json()["notes"] as? [String] == [])
    }
  }

  @Test("report: the analysis of another file is refused, and remade with --force")
  func staleAnalysis() throws {
    try Samples.withAnalysis { folder in
      let recorded = try Tool.run(
        "ptoken-record demo run.h5 --force --seed 2 --epochs 1 --probe 100", in: folder)
      #expect(recorded.status == 0)
      expectError(
        try Tool.run("ptoken-report --html run.h5", in: folder),
        "run.analysis.h5: expected the analysis of run.h5, found that of another file", "--force")
      #expect(try folder.bytes("run.analysis.h5") == Samples.analysis())
      // Named itself, it can be reported as it is.
      #expect(try Tool.run("ptoken-report --json run.analysis.h5", in: folder).status == 0)
      let forced = try Tool.run("ptoken-report --html run.h5 --force --pairings 1", in: folder)
      #expect(forced.status == 0)
      #expect(
        forced.errors.hasPrefix("run.analysis.h5 belongs to another file; run.h5 is analysed"))
      #expect(try Tool.run("ptoken-report --json run.h5", in: folder).status == 0)
    }
  }

  @Test("report: of an analysis alone, when the recording is gone")
  func analysisAlone() throws {
    try Samples.withAnalysis { folder in
      let before = try Tool.run("ptoken-report --json run.h5", in: folder)
      try FileManager.default.removeItem(atPath: folder.file("run.h5"))
      let after = try Tool.run("ptoken-report --json run.analysis.h5", in: folder)
      #expect(after.status == 0 && after.output == before.output)
      let page = try Tool.run("ptoken-report --html run.analysis.h5", in: folder)
      #expect(page.output == "run.report.html\n")
    }
  }

  @Test("report: options that an existing analysis was not made with are refused, not ignored")
  func otherOptions() throws {
    try Samples.withAnalysis { folder in
      for name in ["run.h5", "run.analysis.h5"] {
        expectError(
          try Tool.run("ptoken-report --json \(name) --sigma 0.5", in: folder),
          "expected an analysis with the options given")
        let same = try Tool.run("ptoken-report --json \(name) --pairings 19", in: folder)
        #expect(same.status == 0)
      }
    }
  }

  @Test("--quiet says nothing on stderr")
  func quiet() throws {
    try withTemporaryFolder { folder in
      for line in [
        "ptoken-record demo run.h5 --epochs 1 --probe 100 --quiet",
        "ptoken-report --json run.h5 --pairings 1 -q",
        "ptoken-analyze run.h5 --force --pairings 1 -q",
        "ptoken-report --html run.h5 -q", "ptoken-inspect info run.h5 -q",
        "ptoken-inspect validate run.h5 -q",
      ] {
        let outcome = try Tool.run(line, in: folder)
        #expect(outcome.status == 0)
        #expect(outcome.errors == "", "\(line)")
        #expect(!outcome.output.isEmpty, "\(line)")
      }
    }
  }
}
