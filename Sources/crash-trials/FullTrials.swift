import ArgumentParser
import Foundation
import SnapshotFormat

/// Records until a small disk is full, while its room is told late.
struct FullTrials: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "full", abstract: "Record until a small disk is full.",
    discussion: """
      A chunk is written behind the caller once there is room for it. The library holds the answer back until the
      caller has taken that room. The recorder must end in one line with a finished file of every acknowledged step.
      """)

  @Option(help: "The library that tells the room late.") var library: String
  @Option(help: "A folder that a disk of its own is mounted at.") var disk: String
  @Option(help: "Trials.") var trials = 4
  @OptionGroup var workload: Workload

  func run() throws {
    var fewest = Int.max
    for trial in 0..<trials {
      var workload = workload
      workload.seed += UInt64(trial)
      fewest = min(fewest, try self.trial(workload))
    }
    print(
      "a full disk whose room is told late, \(workload.compression): \(trials) of \(trials) recordings finished with every acknowledged step (\(fewest) or more)"
    )
  }

  /// - Returns: steps of the file.
  private func trial(_ workload: Workload) throws -> Int {
    try withFolder { folder in
      let path = disk + "/run.h5"
      defer { try? FileManager.default.removeItem(atPath: path) }
      let child = try Child(
        [path] + workload.arguments, log: folder + "/log",
        environment: [
          "LD_PRELOAD": library, "PTOKEN_FAIL_PATH": "run.h5", "PTOKEN_FAIL_ROOM": "1",
        ])
      let status = child.wait()
      let acknowledged = child.acknowledged
      guard status == 2, child.errors.contains("the device or its quota is full"),
        child.errors.split(separator: "\n").count == 1
      else { throw Broken("expected an end in one line, status \(status): \(child.errors)") }
      guard try FileManager.default.contentsOfDirectory(atPath: disk) == ["run.h5"] else {
        throw Broken("expected a finished file: \(child.errors)")
      }
      let reader = try Reader(path: path)
      guard reader.steps.count == acknowledged, acknowledged > 0 else {
        throw Broken("\(acknowledged) acknowledged, \(reader.steps.count) found")
      }
      try workload.check(reader)
      return acknowledged
    }
  }
}
