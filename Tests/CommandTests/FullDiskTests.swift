import Foundation
import TestSupport
import Testing

@Suite("A full disk")
struct FullDiskTests {
  /// Runs a program that may not write files longer than a limit, in KiB.
  private static func limited(
    _ kibibytes: Int, _ program: String, _ arguments: String, in folder: TemporaryFolder
  ) throws -> Tool.Outcome {
    try Tool.shell(program, "ulimit -f \(kibibytes); exec $PROGRAM \(arguments)", in: folder)
  }

  @Test("a recording that does not fit from the start is refused and leaves nothing")
  func recordingFromStart() throws {
    try withTemporaryFolder { folder in
      let outcome = try Self.limited(
        200, "ptoken-record", "demo run.h5 --epochs 1 --probe 100", in: folder)
      expectError(outcome, "run.h5", "the device or its quota is full", "Free some space")
      #expect(try folder.contents() == [])
    }
  }

  @Test(
    "a recording that outgrows its disk keeps whole steps or nothing, and says which",
    arguments: [3500, 5000, 8000])
  func recording(limit: Int) throws {
    try withTemporaryFolder { folder in
      try folder.write("old.h5", Array("precious".utf8))
      let outcome = try Self.limited(
        limit, "ptoken-record", "demo old.h5 --force -q --epochs 40 --probe 60 --full", in: folder)
      expectError(outcome, "old.h5", "the device or its quota is full")
      if outcome.errors.contains("recover") {
        // What was there before is not given up for what is not finished.
        #expect(try folder.bytes("old.h5") == Array("precious".utf8))
        let recovered = try Tool.run("ptoken-inspect recover old.h5.journal -o new.h5", in: folder)
        #expect(recovered.status == 0, "\(recovered.errors)")
        try expectSound("new.h5", "crashed", in: folder)
      } else {
        #expect(outcome.errors.contains("are kept"))
        #expect(try folder.contents() == ["old.h5"])
        try expectSound("old.h5", "interrupted", in: folder)
      }
    }
  }

  @Test("an analysis that does not fit leaves nothing", arguments: [8, 64])
  func analysis(limit: Int) throws {
    try Samples.withRun { folder in
      let outcome = try Self.limited(
        limit, "ptoken-analyze", "run.h5 --pairings 1 -q", in: folder)
      expectError(outcome, "run.analysis.h5", "the device or its quota is full")
      #expect(try folder.contents() == ["run.h5"])
    }
  }

  @Test("a report that does not fit leaves nothing", arguments: ["--html", "--json"])
  func report(format: String) throws {
    try Samples.withAnalysis { folder in
      let outcome = try Self.limited(
        8, "ptoken-report", "\(format) run.h5 -o out", in: folder)
      expectError(outcome, "out: cannot write: the device or its quota is full")
      #expect(try folder.contents() == ["run.analysis.h5", "run.h5"])
    }
  }

  /// Whether this machine lets us have a small disk of our own: as root, or by sudo without a password.
  private static let mounting: [String]? = {
    for prefix in [[], ["sudo", "-n"]] {
      let isMounted = try? withTemporaryFolder { folder in
        guard try Command.run(prefix + ["mount", "-t", "tmpfs", "tmpfs", folder.path]).status == 0
        else { return false }
        return try Command.run(prefix + ["umount", folder.path]).status == 0
      }
      if isMounted == true { return prefix }
    }
    return nil
  }()

  @Test(
    "on a small disk of its own, a recording keeps every committed step",
    .enabled(if: mounting != nil, "needs the right to mount a small disk"))
  func smallDisk() throws {
    let prefix = try #require(Self.mounting)
    try withTemporaryFolder { folder in
      let mount = prefix + ["mount", "-t", "tmpfs", "-o", "size=80m,mode=1777", "tmpfs"]
      try #require(try Command.run(mount + [folder.path]).status == 0)
      defer { _ = try? Command.run(prefix + ["umount", folder.path]) }
      let outcome = try Tool.run(
        "ptoken-record demo run.h5 -q --epochs 30 --probe 1000 --full", in: folder)
      expectError(outcome, "run.h5", "the device or its quota is full", "steps before it are kept")
      #expect(try folder.contents() == ["run.h5"])
      try expectSound("run.h5", "interrupted", in: folder)
    }
  }
}

/// Expects a recording that ended early to be sound, with steps in it.
func expectSound(
  _ name: String, _ status: String, in folder: TemporaryFolder,
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let info = try Tool.run("ptoken-inspect info \(name) --json", in: folder)
  #expect(info.status == 0, "\(info.errors)", sourceLocation: sourceLocation)
  let json = try info.json()
  #expect(json["status"] as? String == status, sourceLocation: sourceLocation)
  #expect((json["steps"] as? Int ?? 0) > 0, sourceLocation: sourceLocation)
  let validation = try Tool.run("ptoken-inspect validate \(name)", in: folder)
  #expect(validation.status == 0, "\(validation.output)", sourceLocation: sourceLocation)
}
