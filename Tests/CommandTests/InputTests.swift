import Foundation
import TestSupport
import Testing

@Suite("Inputs that cannot be read")
struct InputTests {
  static let readers = [
    "ptoken-inspect info", "ptoken-inspect validate", "ptoken-analyze", "ptoken-report --html",
    "ptoken-report --json",
  ]
  /// Others that open an input, and say the same of what is no file of ours.
  static let others = [
    "ptoken-inspect recover -o x.h5", "ptoken-inspect diff named.h5",
    "ptoken-inspect export -o x.npz",
  ]

  @Test("each is refused in one line, and nothing is left behind")
  func refusals() throws {
    try withTemporaryFolder { folder in
      try folder.write("empty.h5", [])
      try folder.write("text.h5", Array("Not HDF5, but words.\n".utf8))
      try folder.write("named.h5", Samples.run())
      try FileManager.default.createDirectory(
        atPath: folder.file("folder"), withIntermediateDirectories: true)
      try #require(mkfifo(folder.file("pipe"), 0o600) == 0)
      try Samples.writeForeign(folder.file("foreign.h5"))
      try folder.write("newer.h5", Samples.run())
      try Samples.reversion(folder.file("newer.h5")) { ($0 + 1, $1) }
      let run = try Samples.run()
      let cuts = [
        ("4", 4), ("100", 100), ("2000", 2000), ("half", run.count / 2), ("last", run.count - 1),
      ]
      for (name, length) in cuts { try folder.write("cut-\(name).h5", run.prefix(length)) }
      let inputs = [
        "missing.h5", "named", "folder", "pipe", "/dev/null", "empty.h5", "text.h5", "foreign.h5",
        "newer.h5", "cut-4.h5", "cut-100.h5", "cut-2000.h5", "cut-half.h5", "cut-last.h5",
        "text.h5/below.h5",
      ]
      let text = try Golden.transcript(
        (Self.readers + Self.others).flatMap { reader in inputs.map { "\(reader) \($0)" } },
        in: folder)
      for part in text.split(separator: "\n\n") {
        let lines = part.split(separator: "\n")
        #expect(lines.count == 3, "\(part)")
        #expect(lines[1].hasPrefix("error: "), "\(part)")
        #expect(lines[2] == "[2]", "\(part)")
      }
      try Golden.expect(text, is: "input-errors")
    }
  }

  @Test("an analysis is no snapshot, and a snapshot called an analysis is none")
  func mixedUp() throws {
    try Samples.withAnalysis { folder in
      expectError(
        try Tool.run("ptoken-analyze run.analysis.h5", in: folder), "expected 'ptoken-snapshot'",
        "It is an analysis: name the snapshot file")
      try folder.write("run.analysis.h5", Samples.run())
      expectError(
        try Tool.run("ptoken-report --json run.h5", in: folder), "run.analysis.h5",
        "expected 'ptoken-analysis'", "It is a snapshot")
    }
  }

  @Test("a newer minor version is read", arguments: readers)
  func newerMinor(reader: String) throws {
    try Samples.withAnalysis { folder in
      // The analysis names the digest of its snapshot, so it is remade where it is used.
      try FileManager.default.removeItem(atPath: folder.file("run.analysis.h5"))
      try Samples.reversion(folder.file("run.h5")) { ($0, $1 + 7) }
      let options = reader.contains("inspect") ? "" : " --pairings 1"
      let outcome = try Tool.run("\(reader) run.h5\(options)", in: folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
    }
  }

  @Test("an analysis of a newer minor version is reported, of a newer major version refused")
  func analysisVersions() throws {
    try Samples.withAnalysis { folder in
      try Samples.reversion(folder.file("run.analysis.h5")) { ($0, $1 + 7) }
      #expect(try Tool.run("ptoken-report --json run.analysis.h5", in: folder).status == 0)
      try Samples.reversion(folder.file("run.analysis.h5")) { ($0 + 1, $1) }
      for name in ["run.h5", "run.analysis.h5"] {
        expectError(
          try Tool.run("ptoken-report --json \(name)", in: folder), "run.analysis.h5:@version",
          "Update ptoken.")
      }
    }
  }

  @Test("a cut analysis is refused at any length", arguments: [10, 500, 5000, 20_000, -1])
  func cutAnalysis(length: Int) throws {
    try Samples.withAnalysis { folder in
      let bytes = try Samples.analysis()
      let kept = length < 0 ? bytes.count + length : length
      try folder.write("run.analysis.h5", bytes.prefix(kept))
      for name in ["run.h5", "run.analysis.h5"] {
        expectError(try Tool.run("ptoken-report --html \(name)", in: folder), "run.analysis.h5")
      }
      #expect(try folder.contents() == ["run.analysis.h5", "run.h5"])
    }
  }

  @Test("a file without permission to read is refused", arguments: readers)
  func permission(reader: String) throws {
    try Samples.withRun { folder in
      try #require(chmod(folder.file("run.h5"), 0) == 0)
      expectError(
        try Tool.runUnprivileged("\(reader) run.h5", in: folder),
        "run.h5: cannot read: permission denied")
      #expect(try folder.contents() == ["run.h5"])
    }
  }

  @Test("rows too few for an estimate: status 2 and what to do")
  func tooFewRows() throws {
    try withTemporaryFolder { folder in
      let recorded = try Tool.run(
        "ptoken-record demo few.h5 --epochs 1 --probe 20 --trace-every 100000", in: folder)
      #expect(recorded.status == 0)
      for command in ["ptoken-analyze", "ptoken-report --html", "ptoken-report --json"] {
        expectError(
          try Tool.run("\(command) few.h5", in: folder), "few.h5: expected a window of at least",
          "Record a larger probe set")
      }
      #expect(try folder.contents() == ["few.h5"])
    }
  }

  @Test("more folds than records to fill them: status 2, not a trap")
  func tooManyFolds() throws {
    try Samples.withRun { folder in
      let outcome = try Tool.run(
        "ptoken-analyze run.h5 --pairings 1 --folds 20 --neighbours 20", in: folder)
      expectError(outcome, "run.h5: expected at least 21 distinct records in every fold")
      #expect(try folder.contents() == ["run.h5"])
    }
  }

  @Test("nothing to analyse: status 2 and what to record")
  func nothingToAnalyse() throws {
    try Samples.withRun { folder in
      try Samples.makeBatches(folder.file("run.h5"))
      for command in ["ptoken-analyze", "ptoken-report --json"] {
        expectError(
          try Tool.run("\(command) run.h5", in: folder), "expected a table of examples",
          "Record inputs beside the gradients")
      }
      #expect(try folder.contents() == ["run.h5"])
    }
  }
}
