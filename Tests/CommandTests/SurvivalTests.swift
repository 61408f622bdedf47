import Foundation
import TestSupport
import Testing

@Suite("Recordings that end badly")
struct SurvivalTests {
  /// Starts a recording, kills it once some steps are committed, and waits for its end.
  private static func kill(_ line: String, in folder: TemporaryFolder) throws {
    try withTemporaryFolder { streams in
      let words = line.split(separator: " ").map(String.init)
      let process = try Tool.start(
        [Tool.path(words[0])] + words.dropFirst(), in: folder, streams: streams)
      let end = Date.now.addingTimeInterval(20)
      while Date.now < end {
        let info = try Tool.run("ptoken-inspect info run.h5 --json", in: folder)
        if info.status == 0, (try info.json()["steps"] as? Int ?? 0) > 2 { break }
        usleep(20_000)
      }
      #expect(Foundation.kill(process, SIGKILL) == 0)
      #expect(try Tool.finish(process, streams: streams).status == 128 + SIGKILL)
    }
  }

  @Test("killed: seen as crashed, refused to be overwritten, recovered, and then whole")
  func recover() throws {
    try withTemporaryFolder { folder in
      try Self.kill("ptoken-record demo run.h5 -q --epochs 9999 --probe 60", in: folder)
      let info = try Tool.run("ptoken-inspect info run.h5", in: folder)
      #expect(info.status == 0 && info.output.contains("crashed"), "\(info.errors)")
      expectError(
        try Tool.run("ptoken-record demo run.h5 --epochs 0", in: folder),
        "an unfinished recording", "ptoken-inspect recover run.h5")
      expectError(
        try Tool.run("ptoken-analyze run.h5", in: folder), "an unfinished recording",
        "ptoken-inspect recover run.h5")
      #expect(
        try Tool.run("ptoken-inspect validate run.h5", in: folder).output == "run.h5: valid.\n")
      let copy = try Tool.run("ptoken-inspect recover run.h5 -o copy.h5", in: folder)
      #expect(copy.status == 0 && copy.errors.contains("journal was left"), "\(copy.errors)")
      let recovered = try Tool.run("ptoken-inspect recover run.h5", in: folder)
      #expect(recovered.status == 0 && recovered.output.contains("steps kept"))
      #expect(try folder.contents() == ["copy.h5", "run.h5"])
      try expectSound("run.h5", "crashed", in: folder)
      let attributes = try FileManager.default.attributesOfItem(atPath: folder.file("run.h5"))
      #expect(attributes[.posixPermissions] as? Int == 0o600)
      #expect(
        try Tool.run("ptoken-inspect diff run.h5 copy.h5", in: folder).status == 0)
    }
  }

  @Test("killed and resumed: the same steps as of a run that was never killed")
  func resume() throws {
    try withTemporaryFolder { folder in
      let line = "ptoken-record demo run.h5 -q --repeatable --epochs 30 --probe 60"
      try Self.kill(line, in: folder)
      let resumed = try Tool.run("\(line) --resume", in: folder)
      #expect(resumed.status == 0, "\(resumed.errors)")
      try expectSound("run.h5", "complete", in: folder)
      try FileManager.default.moveItem(
        atPath: folder.file("run.h5"), toPath: folder.file("resumed.h5"))
      #expect(try Tool.run(line, in: folder).status == 0)
      let diff = try Tool.run("ptoken-inspect diff run.h5 resumed.h5", in: folder)
      #expect(diff.status == 1)
      // Only that it was resumed.
      #expect(
        diff.output.split(separator: "\n").allSatisfy { $0.contains("sessions") },
        "\(diff.output)")
    }
  }

  @Test("the files of two ranks are merged, and analysed as one")
  func merge() throws {
    try withTemporaryFolder { folder in
      let record = "ptoken-record demo r.h5 -q --ranks 2 --epochs 1 --probe 200"
      #expect(try Tool.run(record, in: folder).status == 0)
      let merged = try Tool.run("ptoken-inspect merge r.rank0.h5 r.rank1.h5 -o r.h5", in: folder)
      #expect(merged.status == 0 && merged.output.contains("ranks 0, 1"), "\(merged.errors)")
      try expectSound("r.h5", "complete", in: folder)
      #expect(try Tool.run("ptoken-analyze r.h5 -q --pairings 1", in: folder).status == 0)
      expectError(
        try Tool.run("ptoken-inspect merge r.rank0.h5 r.rank0.h5 -o s.h5", in: folder), "rank 0")
    }
  }
}
