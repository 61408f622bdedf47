import SnapshotFormat
import TestSupport
import Testing

@Suite("Merge")
struct MergeTests {
  /// Writes the steps of a rank; of 512 rows, so that they are whole chunks, or of 3.
  private static func write(
    _ path: String, rank: UInt16, steps: [Int], rows: Int, compression: Writer.Compression = .zstd
  ) throws {
    let writer = try Writer(
      path: path, run: Sample.run, tables: Sample.tables, compression: compression, rank: rank,
      recordsFrozenLayers: true)
    for index in steps {
      var part = Sample.rows(rows, step: index + 100 * Int(rank), table: 1)
      part.rank = rank
      var step = Sample.step(index, table: 1, loss: Double(rank))
      step.participants = 2
      try writer.append(step, rows: [part])
    }
    try writer.close()
  }

  @Test("steps are joined, rows keep their rank, members their rows", arguments: [3, 512])
  func joined(rows: Int) throws {
    try withTemporaryFolder { folder in
      let paths = (0..<2).map { folder.file("rank\($0).h5") }
      try Self.write(paths[0], rank: 0, steps: [0, 5, 5, 9], rows: rows)
      try Self.write(paths[1], rank: 1, steps: [0, 5, 9, 12], rows: rows)
      let output = folder.file("run.h5")
      let report = try Merge.merge([paths[1], paths[0]], to: output)
      #expect(report.steps == 5 && report.partialSteps == 2 && report.ranks == [0, 1])
      #expect(try Validator.violations(inFileAt: output) == [])
      let reader = try Reader(path: output)
      #expect(reader.steps.map(\.index) == [0, 5, 5, 9, 12])
      #expect(reader.steps.map(\.loss) == [0.5, 0.5, 0, 0.5, 1])
      let expected: [[(UInt16, Int)]] = [
        [(0, 0), (1, 0)], [(0, 5), (1, 5)], [(0, 5)], [(0, 9), (1, 9)], [(1, 12)],
      ]
      let members = try reader.members(ofTable: 1) ?? []
      for (range, parts) in zip(reader.stepRanges(ofTable: 1), expected) {
        #expect(range.rows.count == parts.count * rows)
        for (number, (rank, index)) in parts.enumerated() {
          let first = range.rows.lowerBound + number * rows
          let source = Sample.rows(rows, step: index + 100 * Int(rank), table: 1)
          let place = first..<first + rows
          #expect(
            try reader.ranks(ofTable: 1, rows: place) == [UInt16](repeating: rank, count: rows))
          #expect(try reader.records(ofTable: 1, rows: place) == source.records)
          guard case .float(let values) = source.values[0] else { continue }
          #expect(try reader.values(ofStream: 0, table: 1, rows: place) == values)
          let own = members.filter { place.contains($0.row) }
          #expect(own.map(\.record) == source.members.records)
          #expect(place.map { row in own.count { $0.row == row } } == source.members.counts)
        }
      }
      #expect(reader.sessions.map(\.rank) == [0, 1])
    }
  }

  @Test("files that do not belong together are refused, and nothing is written")
  func refused() throws {
    try withTemporaryFolder { folder in
      let (a, b, c) = (folder.file("a.h5"), folder.file("b.h5"), folder.file("c.h5"))
      try Self.write(a, rank: 0, steps: [0], rows: 1)
      try Self.write(b, rank: 0, steps: [1], rows: 1)
      var run = Sample.run
      run.id = "22222222-2222-4333-8444-555555555555"
      try Writer(
        path: c, run: run, tables: Sample.tables, rank: 1, recordsFrozenLayers: true
      ).close()
      for (paths, words) in [([a, b], "rank 0"), ([a, c], "the run")] {
        let error = try Sample.error { _ = try Merge.merge(paths, to: folder.file("o.h5")) }
        #expect(error.code == .mismatch && error.message.contains(words), "\(error)")
      }
      #expect(try folder.contents() == ["a.h5", "b.h5", "c.h5"])
    }
  }
}
