import ArgumentParser
import Foundation
import LinearAlgebra
import SnapshotFormat

/// Time of a commit against a plain append of the same bytes, in turn, and the size of the file.
struct Commit: ParsableCommand {
  @Option var streams = 200
  @Option(help: "Rows of a step.") var rows = 1
  @Option(help: "Numbers in a row.") var width = 64
  @Option var steps = 1100
  @Option var compression = "zstd"
  @Option(help: "Milliseconds of other work between commits.") var pause = 0.0
  @Option(help: "Folder to write in.") var folder: String

  func run() throws {
    let payload = streams * rows * width * 4
    // Two in five numbers are zero. Short steps are all different: a chunk holds many of them.
    var generator = SeededGenerator(seed: 1)
    let pool: [[[Float]]] = (0..<(payload < 1 << 18 ? steps : min(steps, 16))).map { _ in
      (0..<streams).map { _ in
        (0..<rows * width).map { _ in
          generator.uniform() < 0.4 ? 0 : Float(0.01 * generator.normal())
        }
      }
    }
    let key = RecordKey(bytes: [1])
    let records = (0..<rows).map { key.id(of: "\($0)".utf8) }
    let path = folder + "/commit.h5"
    let plain = open(folder + "/plain", O_CREAT | O_TRUNC | O_WRONLY, 0o600)
    defer {
      close(plain)
      unlink(folder + "/plain")
      unlink(path)
    }
    let joined: [[Float]] = pool.map { $0.flatMap { $0 } }
    let writer = try Writer(
      path: path, run: Setting.run(layers: streams, width: width),
      tables: [Setting.table(streams: streams, width: width)],
      compression: Writer.Compression(rawValue: compression)!, synchronization: .never, force: true)
    var commits: [Double] = []
    var appends: [Double] = []
    for step in 0..<steps {
      // Ours and the yardstick in turn, so that both meet the same moments of the machine.
      appends.append(
        Setting.seconds {
          joined[step % pool.count].withUnsafeBytes { _ = write(plain, $0.baseAddress, $0.count) }
        })
      let rows = TableRows(
        table: 0, records: records, values: pool[step % pool.count].map { .float($0) })
      commits.append(
        try Setting.seconds {
          try writer.append(StepDescription(index: step, mode: .trace), rows: [rows])
        })
      spin(pause / 1000)
    }
    let closing = try Setting.seconds { try writer.close() }
    let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
    func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
    func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
    func text(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }
    print(
      "| \(steps) | \(streams) x \(rows) x \(width) | \(compression) | \(text(pause, 0)) | \(text(1000 * median(appends), 3)) | \(text(1000 * median(commits), 3)) | **\(text(median(commits) / median(appends), 1))** | \(text(1000 * mean(appends), 3)) | \(text(1000 * mean(commits), 3)) | **\(text(mean(commits) / mean(appends), 1))** | \(text(1000 * closing, 0)) | \(text(Double(size) / Double(payload * steps), 2)) |"
    )
  }

  /// Works, as a trainer does between two steps.
  private func spin(_ seconds: Double) {
    let clock = ContinuousClock()
    let end = clock.now + .seconds(seconds)
    while clock.now < end {}
  }
}
