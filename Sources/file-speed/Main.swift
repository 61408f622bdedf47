import ArgumentParser
import Foundation
import SnapshotFormat

/// Times of writing, reading and committing snapshots: our side of Benchmarks/files.
@main
struct FileSpeed: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "file-speed", abstract: "Time writing, reading and committing snapshot files.",
    subcommands: [Write.self, Read.self, Commit.self, MergeRanks.self, LargeRun.self])
}

enum Setting {
  static func run(layers: Int, width: Int) -> RunDescription {
    RunDescription(
      id: "11111111-2222-4333-8444-555555555555", created: "2026-01-31T12:00:00Z",
      producer: "file-speed",
      model: ModelDescription(
        name: "benchmark", layers: (0..<layers).map { .init("layer \($0)", parameters: width) }
      ).json)
  }

  static func table(streams: Int, width: Int) -> TableDescription {
    TableDescription(
      name: "trace", unit: .example, mode: .trace,
      streams: (0..<streams).map {
        StreamDescription(
          name: "layer \($0)", kind: .gradient(layer: "layer \($0)", stage: .raw), shape: [width])
      })
  }

  static func seconds(_ body: () throws -> Void) rethrows -> Double {
    let clock = ContinuousClock()
    let start = clock.now
    try body()
    return (clock.now - start) / .seconds(1)
  }
}

/// Writes the numbers of a file as the rows of one stream, in steps.
struct Write: ParsableCommand {
  @Argument(help: "Little-endian float32.") var data: String
  @Argument(help: "Snapshot to write.") var output: String
  @Option(help: "Numbers in a row.") var width = 256
  @Option(help: "Rows of a step.") var rows = 2048
  @Option(help: "Compression.") var compression = "zstd"

  func run() throws {
    let bytes = try Data(contentsOf: URL(filePath: data))
    let step = rows * width
    // Handed over as a trainer has them: one array a step.
    let steps: [[Float]] = stride(from: 0, to: bytes.count / 4, by: step).map { start in
      bytes.withUnsafeBytes {
        Array($0.bindMemory(to: Float.self)[start..<min(start + step, bytes.count / 4)])
      }
    }
    let key = RecordKey(bytes: [1])
    let records = (0..<rows).map { key.id(of: "\($0)".utf8) }
    let seconds = try Setting.seconds {
      let writer = try Writer(
        path: output, run: Setting.run(layers: 1, width: width),
        tables: [Setting.table(streams: 1, width: width)],
        compression: Writer.Compression(rawValue: compression)!, synchronization: .never,
        force: true)
      for (number, values) in steps.enumerated() {
        try writer.append(
          StepDescription(index: number, mode: .trace),
          rows: [
            TableRows(
              table: 0, records: Array(records.prefix(values.count / width)),
              values: [.float(values)])
          ])
      }
      try writer.close()
    }
    print(seconds)
  }
}

/// Reads every row of every stream.
struct Read: ParsableCommand {
  @Argument(help: "Snapshot.") var input: String

  func run() throws {
    var count = 0
    let seconds = try Setting.seconds {
      let reader = try Reader(path: input)
      for (number, table) in reader.tables.enumerated() {
        for stream in table.streams.indices where table.streams[stream].kind != .label {
          count += try reader.values(
            ofStream: stream, table: number, rows: 0..<reader.rowCount(ofTable: number)
          ).count
        }
      }
    }
    print(seconds, count)
  }
}
