import ArgumentParser
import Foundation
import SnapshotFormat

/// Follows recorders while they write.
struct FollowTrials: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "follow", abstract: "Follow live recordings: only committed steps, in order.")

  @Option(help: "Recordings.") var trials = 10
  @Option(help: "Steps of each.") var steps = 300
  @OptionGroup var workload: Workload

  func run() throws {
    var looks = 0
    var growing = 0
    for trial in 0..<trials {
      try withFolder { folder in
        let path = folder + "/run.h5"
        let child = try Child(
          [path, "--steps", "\(steps)", "--pause", trial % 2 == 0 ? "0" : "1500"]
            + workload.arguments, log: folder + "/log")
        var reader: Reader?
        while reader == nil {
          // Until the journal has its head there is nothing to open.
          reader = try? Reader(path: path)
          usleep(1000)
        }
        guard let reader else { return }
        var seen = 0
        while true {
          let promised = child.acknowledged
          _ = try reader.refresh()
          looks += 1
          guard reader.steps.count >= seen, reader.steps.count >= promised else {
            throw Broken("\(promised) promised, \(seen) seen, \(reader.steps.count) found")
          }
          try workload.check(reader, steps: seen..<reader.steps.count)
          if reader.status == .recording, reader.steps.count > seen { growing += 1 }
          seen = reader.steps.count
          guard reader.status == .recording else { break }
        }
        guard child.wait() == 0, reader.status == .complete, seen == steps else {
          throw Broken("\(seen) of \(steps) steps, \(reader.status): \(child.errors)")
        }
        try workload.check(reader)
      }
    }
    print(
      "\(workload.compression): followed \(trials) recordings of \(steps) steps: \(looks) looks, \(growing) of them met new steps while recording; all in order, every row as recorded"
    )
  }
}
