import ArgumentParser
import Foundation
import SnapshotFormat

/// Fails the n-th write of a recorder, for every n.
struct FaultTrials: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "faults", abstract: "Fail the n-th write, for every n.",
    discussion: """
      Kinds: ENOSPC and EIO once, and from then on (with +), and writes that take half. After each run the recorder
      must have ended by itself, with one line of error where it failed; every acknowledged step must be there.
      """)

  @Option(help: "The library that makes writes fail.") var library: String
  @Option(help: "Steps.") var steps = 24
  @Option(help: "Try only every so many calls.") var stride = 1
  @OptionGroup var workload: Workload

  func run() throws {
    for kind in ["ENOSPC", "EIO", "ENOSPC+", "EIO+", "SHORT"] {
      let calls = try trial(kind: kind, at: .max).calls
      var failures = 0
      var finished = 0
      for number in Swift.stride(from: 1, through: calls, by: stride) {
        let outcome = try trial(kind: kind, at: number)
        failures += outcome.hasFailed ? 1 : 0
        finished += outcome.isFinished ? 1 : 0
      }
      print(
        "\(kind) at each of \(calls) calls\(stride > 1 ? " (every \(stride)th)" : ""), \(workload.compression), sync \(workload.sync): \(failures) recordings ended with an error, \(finished) with a finished file; every acknowledged step found"
      )
    }
  }

  private func trial(
    kind: String, at number: Int
  ) throws -> (calls: Int, hasFailed: Bool, isFinished: Bool) {
    try withFolder { folder in
      let path = folder + "/run.h5"
      let child = try Child(
        [path, "--steps", "\(steps)"] + workload.arguments, log: folder + "/log",
        environment: [
          "LD_PRELOAD": library, "PTOKEN_FAIL_PATH": "run.h5", "PTOKEN_FAIL_AT": "\(number)",
          "PTOKEN_FAIL_KIND": kind, "PTOKEN_FAIL_COUNT": folder + "/count",
        ])
      let status = child.wait()
      func fail(_ words: String) -> Broken {
        Broken("\(kind) at call \(number): \(words), status \(status): \(child.errors)")
      }
      let errors = child.errors.split(separator: "\n")
      guard status == 0 && errors.isEmpty || status == 2 && errors.count == 1 else {
        throw fail("expected an end in one line")
      }
      guard kind != "SHORT" || status == 0 else { throw fail("a short write is no failure") }
      let acknowledged = child.acknowledged
      let isFinished = FileManager.default.fileExists(atPath: path)
      if !isFinished, FileManager.default.fileExists(atPath: path + ".journal") {
        _ = try Recovery.recover(path, to: path, removesJournal: true)
      }
      if FileManager.default.fileExists(atPath: path) {
        let reader = try Reader(path: path)
        guard reader.steps.count >= acknowledged, status == 2 || reader.steps.count == steps else {
          throw fail("\(acknowledged) acknowledged, \(reader.steps.count) found")
        }
        try workload.check(reader)
        let violations = try Validator.violations(inFileAt: path)
        guard violations.isEmpty else { throw fail("\(violations)") }
      } else {
        guard acknowledged == 0, status == 2 else { throw fail("nothing is left") }
      }
      let left = try FileManager.default.contentsOfDirectory(atPath: folder)
        .filter { $0.hasPrefix("run.h5.") }
      guard left.isEmpty else { throw fail("left behind: \(left)") }
      let count = try? String(contentsOfFile: folder + "/count", encoding: .utf8)
      let calls = count.flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) } ?? 0
      return (calls, status != 0, isFinished)
    }
  }
}
