import Foundation
import TestSupport
import Testing

@Suite("Outputs that cannot be written")
struct OutputTests {
  static let writers = [
    "ptoken-record demo OUT --epochs 0 --probe 60",
    "ptoken-analyze run.h5 --pairings 1 -o OUT", "ptoken-report --html run.h5 -o OUT",
    "ptoken-report --json run.h5 -o OUT",
  ]

  private static func line(_ writer: String, _ output: String) -> String {
    writer.replacing("OUT", with: output)
  }

  @Test("each is refused before the work, in one line, and what exists is left as it was")
  func refusals() throws {
    try Samples.withAnalysis { folder in
      try folder.write("old.out", Array("precious\n".utf8))
      try FileManager.default.createDirectory(
        atPath: folder.file("folder"), withIntermediateDirectories: true)
      try #require(mkfifo(folder.file("pipe"), 0o600) == 0)
      try FileManager.default.createSymbolicLink(
        atPath: folder.file("link.h5"), withDestinationPath: "run.h5")
      try FileManager.default.createSymbolicLink(
        atPath: folder.file("dangling"), withDestinationPath: "nothing")
      let outputs = [
        "old.out", "folder", "folder --force", "missing/new.out", "old.out/new.out",
        "/proc/new.out", "pipe --force", "/dev/null --force", "dangling",
      ]
      var commands = Self.writers.flatMap { writer in outputs.map { Self.line(writer, $0) } }
      // Inputs are not overwritten, whatever they are called and however often --force is said.
      for output in ["run.h5", "./run.h5", "link.h5"] {
        commands += Self.writers.dropFirst().map { Self.line($0, output + " --force") }
      }
      commands += [
        "ptoken-report --html run.h5 -o run.analysis.h5 --force",
        "ptoken-report --html run.analysis.h5 -o run.analysis.h5 --force",
        "ptoken-report --html run.analysis.h5 -o run.h5 --force",
        "ptoken-report --json run.analysis.h5 -o link.h5 --force",
        // Names that were not given can be taken, too.
        "ptoken-analyze run.h5",
      ]
      let text = try Golden.transcript(commands, in: folder)
      for part in text.split(separator: "\n\n") {
        let lines = part.split(separator: "\n")
        #expect(lines.count == 3, "\(part)")
        #expect(lines[1].hasPrefix("error: "), "\(part)")
        #expect(lines[2] == "[2]", "\(part)")
      }
      #if os(Linux)
        try Golden.expect(text, is: "output-errors")
      #endif
      #expect(try folder.bytes("run.h5") == Samples.run())
      #expect(try folder.bytes("run.analysis.h5") == Samples.analysis())
      #expect(
        try FileManager.default.destinationOfSymbolicLink(atPath: folder.file("dangling"))
          == "nothing")
    }
  }

  @Test("--force replaces an output", arguments: writers)
  func force(writer: String) throws {
    try Samples.withAnalysis { folder in
      try folder.write("old.out", Array("precious\n".utf8))
      let outcome = try Tool.run(Self.line(writer, "old.out --force"), in: folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(try folder.bytes("old.out").count > 1000)
      #expect(try folder.contents() == ["old.out", "run.analysis.h5", "run.h5"])
    }
  }

  @Test("a folder without permission to write is refused", arguments: writers)
  func permission(writer: String) throws {
    try Samples.withAnalysis { folder in
      try FileManager.default.createDirectory(
        atPath: folder.file("locked"), withIntermediateDirectories: true)
      try #require(chmod(folder.file("locked"), 0o555) == 0)
      expectError(
        try Tool.runUnprivileged(Self.line(writer, "locked/new.out"), in: folder),
        "locked/new.out: cannot write: permission denied", "Check the permissions")
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.file("locked")) == [])
    }
  }

  @Test("a result that standard output does not take is an error, not a silent success")
  func fullStandardOutput() throws {
    #if os(Linux)
      let lines = [
        ("ptoken-inspect", "info run.h5"), ("ptoken-inspect", "validate run.h5"),
        ("ptoken-report", "--json run.h5"), ("ptoken-analyze", "--help"),
        ("ptoken-analyze", "run.h5 --pairings 1 --force"),
      ]
      try Samples.withAnalysis { folder in
        for (program, arguments) in lines {
          let outcome = try Tool.shell(program, "$PROGRAM \(arguments) >/dev/full", in: folder)
          expectError(outcome, "standard output: cannot write: no space left on device")
        }
      }
    #endif
  }

  @Test("a standard output that was closed takes nothing from the files")
  func closedStandardOutput() throws {
    try Samples.withRun { folder in
      let outcome = try Tool.shell(
        "ptoken-analyze", "$PROGRAM run.h5 --pairings 19 -q >&-", in: folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(try folder.bytes("run.analysis.h5") == Samples.analysis())
    }
  }

  @Test("a reader that goes away early is no error")
  func closedPipe() throws {
    let lines = [
      ("ptoken-report", "--json run.h5", Int32(0)), ("ptoken-inspect", "info run.h5", 0),
      ("ptoken-analyze", "--help", 0),
    ]
    try Samples.withAnalysis { folder in
      for (program, arguments, status) in lines {
        // The reader has gone for certain before the program writes.
        let outcome = try Tool.shell(
          program,
          "mkfifo p; true <p & exec 3>p; wait; $PROGRAM \(arguments) >&3; s=$?; rm p; exit $s",
          in: folder)
        #expect(outcome.status == status)
        #expect(outcome.errors == "")
      }
    }
  }
}
