import ArgumentParser
import Foundation
import SnapshotFormat

/// Records until it is done or killed, and says after each step how many are committed.
struct Record: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Record; used by the trials.")

  @Argument(help: "File to write.") var path: String
  @Option(help: "Steps in all.") var steps = 1_000_000
  @Flag(help: "Go on with what is there.") var resume = false
  @Option(help: "Microseconds between steps.") var pause = 0
  @OptionGroup var workload: Workload

  func run() throws {
    signal(SIGXFSZ, SIG_IGN)
    do throws(SnapshotError) {
      let writer =
        resume
        ? try Writer(
          resuming: path, started: "2026-02-01T12:00:00Z",
          synchronization: workload.synchronization)
        : try Writer(
          path: path, run: workload.run, tables: workload.tables,
          compression: workload.writerCompression, synchronization: workload.synchronization)
      say("resumed \(writer.committedSteps)")
      var failure: SnapshotError?
      do throws(SnapshotError) {
        for number in writer.committedSteps..<max(steps, writer.committedSteps) {
          try writer.append(workload.step(number), rows: [workload.rows(of: number)])
          say("committed \(writer.committedSteps)")
          if pause > 0 { usleep(UInt32(pause)) }
        }
      } catch {
        failure = error
      }
      try writer.close(failure == nil ? .complete : .interrupted)
      if let failure { throw failure }
      say("closed")
    } catch {
      FileHandle.standardError.write(Data("error: \(error)\n".utf8))
      throw ExitCode(2)
    }
  }

  /// At once, so that a killed process has said what it promised.
  private func say(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    _ = bytes.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
  }
}
