import HDF5
import SnapshotFormat
import TestSupport
import Testing

@Suite("Damage")
struct DamageTests {
  private static let steps = 60
  private static let members = 250

  /// One batch a step, with enough members and numbers that every column has several chunks.
  private static func write(_ path: String) throws {
    let table = TableDescription(
      name: "t", unit: .batch, mode: .trace, columns: [.members],
      streams: [StreamDescription(name: "x", kind: .feature, shape: [4096])])
    let writer = try Writer(path: path, run: Sample.run, tables: [table])
    for step in 0..<steps {
      try writer.append(
        StepDescription(index: step, mode: .trace),
        rows: [
          TableRows(
            table: 0, records: [Sample.record(step)],
            members: .init(
              counts: [members], records: (0..<members).map { Sample.record(step + $0) },
              weights: (0..<members).map { Double(step + $0) }),
            values: [.float((0..<4096).map { Float(step * 4096 + $0) })])
        ])
    }
    try writer.close()
  }

  /// A chunk as it is stored.
  private static func chunk(
    _ path: String, _ dataset: String, row: Int, isWide: Bool
  ) throws -> [UInt8] {
    let names = dataset.split(separator: "/").map(String.init)
    let file = try File.open(at: path)
    let group = try file.group("tables").group("T0000").group(names[0])
    let chunk = try group.dataset(names[1]).readChunk(at: isWide ? [row, 0] : [row])
    return try #require(chunk).bytes
  }

  /// Changes a bit in the middle of a dataset's stored chunk.
  private static func damage(
    _ folder: TemporaryFolder, _ name: String, _ dataset: String, row: Int, isWide: Bool
  ) throws {
    let stored = try chunk(folder.file(name), dataset, row: row, isWide: isWide)
    var bytes = try folder.bytes(name)
    let place = try #require(bytes.firstRange(of: stored))
    bytes[place.lowerBound + stored.count / 2] ^= 1
    try folder.write(name, bytes)
  }

  @Test(
    "a damaged chunk of a finished file costs the steps that it has rows or members of",
    arguments: [
      ("members/observation", 4096, 16...32), ("members/record", 4096, 16...32),
      ("members/weight", 4096, 16...32), ("streams/F0000", 8, 8...15),
    ])
  func finished(dataset: String, row: Int, lost: ClosedRange<Int>) throws {
    try withTemporaryFolder { folder in
      try Self.write(folder.file("run.h5"))
      let isWide = dataset.hasPrefix("streams") || dataset.hasSuffix("record")
      try Self.damage(folder, "run.h5", dataset, row: row, isWide: isWide)
      let found = try Validator.violations(inFileAt: folder.file("run.h5"))
      #expect(found.map(\.requirement) == ["R-051"])
      let report = try Recovery.recover(folder.file("run.h5"), to: folder.file("ok.h5"))
      #expect(report.steps == Self.steps - lost.count && report.lostSteps == lost.count)
      #expect(try Validator.violations(inFileAt: folder.file("ok.h5")) == [])
      let reader = try Reader(path: folder.file("ok.h5"))
      let kept = (0..<Self.steps).filter { !lost.contains($0) }
      #expect(reader.steps.map(\.index) == kept)
      let members = try #require(try reader.members(ofTable: 0))
      #expect(members.count == kept.count * Self.members)
      for (row, step) in kept.enumerated() {
        #expect(
          try reader.values(ofStream: 0, table: 0, rows: row..<row + 1).first
            == Float(step * 4096))
        let own = members[row * Self.members..<(row + 1) * Self.members]
        #expect(own.allSatisfy { $0.row == row })
        #expect(own.map(\.record) == (0..<Self.members).map { Sample.record(step + $0) })
        #expect(own.map(\.weight) == (0..<Self.members).map { Double(step + $0) })
      }
    }
  }
}
