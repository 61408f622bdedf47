import ArgumentParser
import Foundation
import SnapshotFormat

/// Rows that can be told from their place: what a trial records, and what must be found.
struct Workload: ParsableArguments {
  @Option(help: "Gradient streams.") var streams = 56
  @Option(help: "Seed of the rows.") var seed: UInt64 = 1
  @Option(help: "Compression: zstd, deflate or none.") var compression = "zstd"
  @Option(help: "Synchronization: commit, interval or never.") var sync = "never"
  @Flag(help: "Seven rows in every step.") var steady = false

  /// Numbers in a row: small ones, so that the partly filled chunks of many streams go with full ones of few.
  func width(_ stream: Int) -> Int { [16, 24, 700][stream % 16 == 0 ? 2 : stream % 2] }

  /// Rows of a step: mostly one, now and then 512, and numbers that never meet the edge of a chunk.
  func rows(_ step: Int) -> Int { steady ? 7 : step % 16 == 7 ? 512 : step % 5 == 3 ? 37 : 1 }

  var layers: [String] { (0..<streams).map { "layer \($0)" } }

  var run: RunDescription {
    RunDescription(
      id: "11111111-2222-4333-8444-555555555555", created: "2026-01-31T12:00:00Z",
      producer: "crash-trials",
      model: ModelDescription(
        name: "trial",
        layers: layers.enumerated().map { .init($0.element, parameters: width($0.offset)) }
      ).json)
  }

  var tables: [TableDescription] {
    [
      TableDescription(
        name: "trace", unit: .batch, mode: .trace, columns: [.members],
        streams: [StreamDescription(name: "label", kind: .label, shape: [1])]
          + layers.enumerated().map { number, name in
            StreamDescription(
              name: name, kind: .gradient(layer: name, stage: .raw), shape: [width(number)])
          })
    ]
  }

  /// Bits that are those of no other place.
  private func bits(_ step: Int, _ stream: Int) -> UInt64 {
    var z = seed &+ UInt64(step) << 20 &+ UInt64(stream) &* 0x9e37_79b9_7f4a_7c15
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  /// Values of a stream: two in five are zero, as in gradients behind a ReLU.
  func values(_ step: Int, _ stream: Int) -> [Float] {
    var state = bits(step, stream) | 1
    return (0..<rows(step) * width(stream)).map { _ in
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return state % 5 < 2 ? 0 : Float(Int64(bitPattern: state) >> 20) * 0x1p-44
    }
  }

  func record(_ step: Int, _ row: Int) -> RecordID {
    RecordKey(bytes: [1]).id(of: "\(step) \(row)".utf8)
  }

  func labels(_ step: Int) -> [Int32] { (0..<rows(step)).map { Int32(step + $0) } }

  func step(_ number: Int) -> StepDescription {
    StepDescription(index: number * 3, loss: 1 / Double(number + 1), mode: .trace)
  }

  func rows(of step: Int) -> TableRows {
    let count = rows(step)
    return TableRows(
      table: 0, records: (0..<count).map { record(step, $0) },
      members: .init(
        counts: (0..<count).map { $0 % 3 }, records: members(step).map(\.record),
        weights: members(step).map(\.weight)),
      values: [.label(labels(step))] + (0..<streams).map { .float(values(step, $0)) })
  }

  private func members(_ step: Int) -> [(row: Int, record: RecordID, weight: Double)] {
    (0..<rows(step)).flatMap { row in
      (0..<row % 3).map { (row, record(step, row + $0), Double(step) + Double($0) / 4) }
    }
  }

  /// Compares every row of a snapshot with what was recorded.
  ///
  /// - Parameter steps: the steps to compare; nil: all.
  func check(_ reader: Reader, steps: Range<Int>? = nil) throws {
    guard reader.tables == tables, reader.run == run else { throw Broken("descriptions differ") }
    let ranges = reader.stepRanges(ofTable: 0)
    guard ranges.count == reader.steps.count else { throw Broken("a step lacks rows") }
    let allMembers = try reader.members(ofTable: 0) ?? []
    var nextMember = 0
    for (number, range) in ranges.enumerated() {
      let expected = members(number)
      let end = nextMember + expected.count
      defer { nextMember = end }
      guard steps?.contains(number) ?? true else { continue }
      guard range.step == number, range.rows.count == rows(number),
        reader.steps[number].index == number * 3,
        reader.steps[number].loss == 1 / Double(number + 1)
      else { throw Broken("step \(number) is another one") }
      guard
        try reader.records(ofTable: 0, rows: range.rows)
          == range.rows.indices.map({ record(number, $0 - range.rows.lowerBound) }),
        try reader.labels(ofStream: 0, table: 0, rows: range.rows) == labels(number)
      else { throw Broken("records or labels of step \(number) differ") }
      for stream in 0..<streams {
        let found = try reader.values(ofStream: stream + 1, table: 0, rows: range.rows)
        guard found == values(number, stream) else {
          throw Broken("stream \(stream) of step \(number) differs")
        }
      }
      guard end <= allMembers.count else { throw Broken("members of step \(number) are missing") }
      for (found, expected) in zip(allMembers[nextMember..<end], expected) {
        guard found.row == expected.row + range.rows.lowerBound, found.record == expected.record,
          found.weight == expected.weight
        else { throw Broken("members of step \(number) differ") }
      }
    }
    guard allMembers.count == nextMember else { throw Broken("members of no step") }
  }

  var writerCompression: Writer.Compression { Writer.Compression(rawValue: compression) ?? .zstd }

  var synchronization: Writer.Synchronization {
    switch sync {
    case "commit": .commit
    case "interval": .interval(seconds: 0.05)
    default: .never
    }
  }

  var arguments: [String] {
    [
      "--streams", "\(streams)", "--seed", "\(seed)", "--compression", compression, "--sync", sync,
    ] + (steady ? ["--steady"] : [])
  }
}
