import Analysis
import Demonstrations
import Foundation
import LinearAlgebra
import Results

/// Records and analyses synthetic runs in a temporary folder, several at a time.
enum Batch {
  /// The studies of the runs that `make` gives for each seed, in order of seeds.
  static func analyse(
    seeds: Range<Int>, settings: Study.Settings = .init(), batch: Int? = nil,
    _ make: @Sendable (UInt64) -> SyntheticRun
  ) throws -> [(run: SyntheticRun, study: Study)] {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "known-answers-\(ProcessInfo.processInfo.processIdentifier)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try Parallel.map(seeds.count) { index in
      let seed = UInt64(seeds.lowerBound + index)
      let run = make(seed)
      let path = folder.appending(path: "\(seed).h5").path
      try run.record(to: path, batch: batch, force: true)
      defer { try? FileManager.default.removeItem(atPath: path) }
      var seeded = settings
      seeded.seed = seed
      let study = try Analyzer(settings: seeded, version: "known-answers").run(path: path).study
      return (run: run, study: study)
    }
  }
}

extension Double {
  /// Fixed-point text.
  func text(_ digits: Int = 3) -> String { String(format: "%.\(digits)f", self) }
}
