import Foundation
import TestSupport
import Testing

@Suite("Interruption")
struct InterruptionTests {
  /// Starts a program, waits until it catches signals and `isReady`, sends a signal and returns how it ended.
  private static func interrupt(
    _ line: String, with number: Int32, in folder: TemporaryFolder,
    isReady: (TemporaryFolder) throws -> Bool
  ) throws -> Tool.Outcome {
    try withTemporaryFolder { streams in
      let words = line.split(separator: " ").map(String.init)
      let process = try Tool.start(
        [Tool.path(words[0])] + words.dropFirst(), in: folder, streams: streams)
      let end = Date.now.addingTimeInterval(60)
      var isUp = false
      while !isUp, Date.now < end {
        isUp = try catches(number, process) && isReady(folder)
        usleep(10_000)
      }
      #expect(isUp, "never ready")
      // In the middle of the work, not at its first instruction.
      usleep(200_000)
      #expect(kill(process, number) == 0)
      return try Tool.finish(process, streams: streams)
    }
  }

  /// Whether a process has installed a handler.
  private static func catches(_ number: Int32, _ process: pid_t) -> Bool {
    #if os(Linux)
      guard let status = try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8),
        let mask = status.firstMatch(of: /SigCgt:\s*([0-9a-f]+)/).flatMap({
          UInt64($0.1, radix: 16)
        })
      else { return false }
      return mask & 1 << UInt64(number - 1) != 0
    #else
      usleep(500_000)
      return true
    #endif
  }

  @Test("an estimate of two arrays ends at once with 130", arguments: [SIGINT, SIGTERM])
  func pair(number: Int32) throws {
    try withTemporaryFolder { folder in
      // Twenty repetitions of some seconds each: it does not end by itself in the time of a test.
      let values = (0..<5000).map { sin(Double($0 * $0)) }
      let bytes = values.withUnsafeBytes { Array($0) }
      for name in ["x.npy", "y.npy"] {
        try NumPyBytes.save(bytes, "<f8", shape: "1000, 5", to: name, in: folder)
      }
      let outcome = try Self.interrupt(
        "ptoken-analyze pair x.npy y.npy --estimator mine --seeds 100", with: number, in: folder
      ) { _ in true }
      #expect(outcome.status == 130 && outcome.output == "")
      #expect(outcome.errors == "error: interrupted; nothing was written.\n")
    }
  }

  @Test("a recording keeps its steps, says so, and ends with 130", arguments: [SIGINT, SIGTERM])
  func recording(number: Int32) throws {
    try withTemporaryFolder { folder in
      let outcome = try Self.interrupt(
        "ptoken-record demo run.h5 --epochs 9999 --probe 60", with: number, in: folder
      ) { try $0.contents().contains { $0.hasSuffix(".partial") } }
      #expect(outcome.status == 130)
      #expect(outcome.errorLines.count == 1)
      #expect(
        outcome.errors.wholeMatch(
          of: /error: run.h5: interrupted; kept the \d+ steps recorded so far\.\n/) != nil,
        "\(outcome.errors)")
      #expect(outcome.output.hasPrefix("run.h5: "))
      #expect(try folder.contents() == ["run.h5"])
      try expectSound("run.h5", "interrupted", in: folder)
    }
  }

  @Test("an interrupted recording replaces an older one only as a whole file")
  func replacing() throws {
    try Samples.withRun { folder in
      let outcome = try Self.interrupt(
        "ptoken-record demo run.h5 --force --json --epochs 9999 --probe 60", with: SIGINT,
        in: folder
      ) { try $0.contents().contains { $0.hasSuffix(".partial") } }
      #expect(outcome.status == 130)
      #expect(try outcome.json()["status"] as? String == "interrupted")
      #expect(try folder.contents() == ["run.h5"])
    }
  }

  @Test("an analysis leaves nothing and ends with 130", arguments: [SIGINT, SIGTERM])
  func analysis(number: Int32) throws {
    try Samples.withRun { folder in
      let outcome = try Self.interrupt(
        "ptoken-analyze run.h5 --pairings 20000", with: number, in: folder
      ) { _ in true }
      #expect(outcome.status == 130)
      #expect(outcome.output == "")
      #expect(outcome.errors == "error: interrupted; nothing was written.\n")
      #expect(try folder.contents() == ["run.h5"])
    }
  }

  @Test("a report that analyses first leaves nothing and ends with 130")
  func report() throws {
    try Samples.withRun { folder in
      let outcome = try Self.interrupt(
        "ptoken-report --html run.h5 --pairings 20000", with: SIGINT, in: folder
      ) { _ in true }
      #expect(outcome.status == 130)
      #expect(outcome.output == "")
      #expect(outcome.errorLines.last == "error: interrupted; nothing was written.")
      #expect(try folder.contents() == ["run.h5"])
    }
  }

  @Test("nohup holds: the end of the terminal does not end a recording")
  func hangup() throws {
    try withTemporaryFolder { folder in
      let outcome = try Tool.shell(
        "ptoken-record",
        """
        trap '' HUP
        $PROGRAM demo run.h5 -q --epochs 200 --probe 60 &
        await run.h5.partial; kill -HUP $! || exit 98; wait $!
        """, in: folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(outcome.output.contains("8800 steps trained"))
    }
  }
}
