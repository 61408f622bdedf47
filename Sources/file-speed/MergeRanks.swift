import ArgumentParser
import Foundation
import SnapshotFormat

/// Time of merging ranks whose steps alternate, against that of one recorder writing the same rows.
struct MergeRanks: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "merge")

  @Option var ranks = 2
  @Option var steps = 5000
  @Option(help: "Rows that a rank has of a step.") var rows = 1
  @Option var streams = 4
  @Option(help: "Numbers in a row.") var width = 64
  @Option(help: "Folder to write in.") var folder: String

  func run() throws {
    let paths = (0..<ranks).map { "\(folder)/rank-\($0).h5" }
    let merged = folder + "/merged.h5"
    defer { for path in paths + [merged] { unlink(path) } }
    for rank in 0..<ranks { try record(rows, rank: UInt16(rank), to: paths[rank]) }
    let one = try Setting.seconds { try record(rows * ranks, rank: 0, to: merged) }
    let merge = try Setting.seconds { _ = try Merge.merge(paths, to: merged, force: true) }
    print(
      "| \(ranks) x \(steps) x \(rows) | \(String(format: "%.2f", one)) | \(String(format: "%.2f", merge)) | **\(String(format: "%.1f", merge / one))** |"
    )
  }

  private func record(_ rows: Int, rank: UInt16, to path: String) throws {
    let writer = try Writer(
      path: path, run: Setting.run(layers: streams, width: width),
      tables: [Setting.table(streams: streams, width: width)], synchronization: .never,
      rank: rank, force: true)
    let key = RecordKey(bytes: [1])
    let records = (0..<rows).map { key.id(of: "\($0)".utf8) }
    for step in 0..<steps {
      let values = (0..<rows * width).map { Float(sin(Double(step * 31 + $0))) }
      try writer.append(
        StepDescription(index: step, mode: .trace),
        rows: [
          TableRows(
            table: 0, records: records, rank: rank,
            values: [TableRows.Values](repeating: .float(values), count: streams))
        ])
    }
    try writer.close()
  }
}
