import ArgumentParser
import Foundation
import SnapshotFormat

/// Kills recorders at random moments, up to three times in the life of one file.
struct KillTrials: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kill", abstract: "Kill recorders with SIGKILL at random moments.",
    discussion: """
      After each kill every acknowledged step must be there, every row as it was; in every other trial the recording
      is resumed and killed again. At last a file is recovered, validated and compared.
      """)

  @Option(help: "Kills.") var trials = 200
  @Option(help: "Longest life of a recorder, milliseconds.") var longest = 250
  @OptionGroup var workload: Workload

  func run() throws {
    var generator = SystemRandomNumberGenerator()
    var kills = 0
    var extra = 0
    var torn = 0
    var resumed = 0
    var range = (least: Int.max, most: 0)
    while kills < trials {
      try withFolder { folder in
        let path = folder + "/run.h5"
        var sessions = [0]
        let lives = kills % 2 == 0 ? 1 : 3
        for life in 0..<lives where kills < trials || life == 0 {
          let child = try Child(
            [path, life > 0 ? "--resume" : "--steps", life > 0 ? "--steps" : "1000000"]
              + (life > 0 ? ["1000000"] : []) + workload.arguments, log: folder + "/log")
          usleep(UInt32.random(in: 0...UInt32(longest * 1000), using: &generator))
          child.kill()
          let status = child.wait()
          kills += 1
          guard status == 128 + SIGKILL else { throw Broken("ended by itself: \(child.errors)") }
          let acknowledged = child.acknowledged
          guard FileManager.default.fileExists(atPath: path + ".journal"),
            let reader = try? Reader(path: path)
          else {
            // Killed before the first promise.
            guard acknowledged == 0, life == 0 else { throw Broken("nothing is left") }
            return
          }
          guard reader.status == .crashed else { throw Broken("the recorder is taken for alive") }
          guard (acknowledged...acknowledged + 1).contains(reader.steps.count) || life > 0 else {
            throw Broken("\(acknowledged) acknowledged, \(reader.steps.count) found")
          }
          guard reader.steps.count >= acknowledged else {
            throw Broken("\(acknowledged) acknowledged, \(reader.steps.count) found")
          }
          try workload.check(reader)
          extra += reader.steps.count > acknowledged ? 1 : 0
          range = (min(range.least, reader.steps.count), max(range.most, reader.steps.count))
          if reader.sessions.count > 1 { resumed += 1 }
          sessions = reader.sessions.map(\.firstStep)
        }
        let report = try Recovery.recover(path, to: folder + "/ok.h5")
        torn += report.cutBytes > 0 ? 1 : 0
        let reader = try Reader(path: folder + "/ok.h5")
        try workload.check(reader)
        let violations = try Validator.violations(inFileAt: folder + "/ok.h5")
        guard violations.isEmpty, report.lostSteps == 0, reader.status == .crashed,
          reader.sessions.map(\.firstStep) == sessions
        else { throw Broken("the recovered file is unsound: \(violations)") }
      }
    }
    print(
      """
      \(workload.compression), \(workload.streams) streams, sync \(workload.sync): \(kills) kills, \(range.least) to \(range.most) steps; \
      every acknowledged step and row found; \(extra) times one step more; \(torn) torn tails cut; \(resumed) kills of resumed recordings
      """)
  }
}
