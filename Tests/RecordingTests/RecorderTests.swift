import Foundation
import Recording
import SnapshotFormat
import TestSupport
import Testing

@Suite("Recorder")
struct RecorderTests {
  static let run = RunDescription(
    id: "0b8f4f0e-3f43-4d6b-9c2a-5a2f7f0f1e11", created: "2026-01-31T12:00:00Z",
    producer: "tests 1",
    model: ModelDescription(
      name: "m", layers: [.init("fc1", parameters: 30), .init("fc2", parameters: 3)]
    ).json)

  static let table = Recorder.Table(
    name: "probe", mode: .probe,
    streams: [
      .feature("image", shape: [1, 2, 2]), .label("digit"),
      .gradient(layer: "fc1", shape: [5, 6]), .gradient(layer: "fc2", stage: .clipped, shape: [3]),
      .scalar("loss"),
    ])

  /// Rows of `table`, told apart by step and row.
  static func rows(_ step: Int, count: Int = 2) -> TableRows {
    func values(_ width: Int, _ base: Float) -> TableRows.Values {
      .float((0..<count * width).map { base + Float(step) + Float($0) / 64 })
    }
    let key = RecordKey(bytes: [1, 2, 3])
    return TableRows(
      table: 0, records: (0..<count).map { key.id(of: "\($0)".utf8) },
      values: [
        values(4, 0), .label((0..<count).map { Int32(step + $0) }), values(30, 100), values(3, 200),
        values(1, 300),
      ])
  }

  private func floats(_ values: TableRows.Values) -> [Float]? {
    if case .float(let floats) = values { floats } else { nil }
  }

  /// Records steps 0 and 2 of `table` and reads them back.
  private func roundTrip(_ options: Recorder.Options, _ body: (Reader) throws -> Void) throws {
    try withTemporaryFolder { folder in
      let recorder = try Recorder(
        path: folder.file("a.h5"), run: Self.run, tables: [Self.table], options: options)
      for step in [0, 2] {
        let description = StepDescription(
          index: step, epoch: 0.5, time: 2, loss: 3, learningRate: 4, mode: .probe)
        try recorder.record(description, rows: [Self.rows(step)])
      }
      try recorder.close()
      #expect(recorder.committedSteps == 2)
      #expect(try folder.contents() == ["a.h5"])
      let reader = try Reader(path: folder.file("a.h5"))
      #expect(reader.status == .complete && reader.run == Self.run)
      #expect(reader.steps.map(\.index) == [0, 2])
      #expect(reader.steps[1].loss == 3 && reader.steps[1].mode == .probe)
      #expect(reader.stepRanges(ofTable: 0).map(\.rows) == [0..<2, 2..<4])
      #expect(
        try reader.records(ofTable: 0, rows: 0..<4)
          == Self.rows(0).records + Self.rows(2).records)
      for stream in [0, 3, 4] {
        let expected = [0, 2].flatMap { floats(Self.rows($0).values[stream])! }
        #expect(try reader.values(ofStream: stream, table: 0, rows: 0..<4) == expected)
      }
      #expect(try reader.labels(ofStream: 1, table: 0, rows: 0..<4) == [0, 1, 2, 3])
      try body(reader)
    }
  }

  @Test("what is recorded in full is read back as it was", arguments: Writer.Compression.allCases)
  func full(compression: Writer.Compression) throws {
    try roundTrip(Recorder.Options(sketchWidth: nil, compression: compression)) { reader in
      #expect(reader.tables[0].streams.allSatisfy { $0.sketch == nil })
      let expected = [0, 2].flatMap { floats(Self.rows($0).values[2])! }
      let found = try reader.values(ofStream: 2, table: 0, rows: 0..<4)
      #expect(found == expected)
    }
  }

  @Test("gradients wider than the sketch are sketched, all else is recorded in full")
  func sketched() throws {
    let options = Recorder.Options(sketchWidth: 8, sketchNonzeros: 2, sketchSeed: 9)
    try roundTrip(options) { reader in
      let descriptor = SketchDescriptor(width: 8, nonzeros: 2, seed: 9)
      #expect(reader.tables[0].streams.map(\.sketch) == [nil, nil, descriptor, nil, nil])
      #expect(reader.tables[0].streams[2].shape == [5, 6])
      let sketch = Sketch(descriptor, inputs: 30)
      let expected = [0, 2].flatMap { sketch(floats(Self.rows($0).values[2])!) }
      let found = try reader.values(ofStream: 2, table: 0, rows: 0..<4)
      #expect(found == expected)
    }
  }

  @Test("a gradient exactly as wide as the sketch is recorded in full")
  func exactWidth() throws {
    try roundTrip(Recorder.Options(sketchWidth: 30)) { reader in
      #expect(reader.tables[0].streams[2].sketch == nil)
    }
  }

  @Test("a table wants the steps of its schedule")
  func schedule() throws {
    try withTemporaryFolder { folder in
      var sparse = Self.table
      (sparse.name, sparse.schedule) = ("sparse", Schedule(every: 3, start: 1))
      let recorder = try Recorder(
        path: folder.file("a.h5"), run: Self.run, tables: [Self.table, sparse])
      #expect((0..<8).filter { recorder.wants($0, table: 0) } == Array(0..<8))
      #expect((0..<8).filter { recorder.wants($0, table: 1) } == [1, 4, 7])
      try recorder.close()
    }
  }

  /// The `SnapshotError` that `body` throws.
  private func failure(_ body: () throws -> Void) throws -> SnapshotError {
    try #require(#expect(throws: SnapshotError.self) { try body() })
  }

  @Test("rows that do not fit are refused at once, naming stream and shapes; the recording goes on")
  func mismatch() throws {
    try withTemporaryFolder { folder in
      let recorder = try Recorder(path: folder.file("a.h5"), run: Self.run, tables: [Self.table])
      let step = StepDescription(index: 1, mode: .probe)
      var rows = Self.rows(1)
      rows.values[2] = .float([Float](repeating: 0, count: 59))
      var error = try failure { try recorder.record(step, rows: [rows]) }
      #expect(error.code == .rowMismatch && error.object == "probe/fc1")
      #expect(error.message == "expected 2 rows of shape [5, 6], found 59 numbers")
      #expect(error.file == folder.file("a.h5"))
      rows = Self.rows(1)
      rows.values.removeLast()
      error = try failure { try recorder.record(step, rows: [rows]) }
      #expect(error.code == .rowMismatch && error.message == "expected 5 streams, found 4")
      rows = Self.rows(1)
      rows.table = 3
      error = try failure { try recorder.record(step, rows: [rows]) }
      #expect(error.code == .rowMismatch && error.message == "expected one of 1 tables, found 3")
      try recorder.record(step, rows: [Self.rows(1)])
      try recorder.close()
      #expect(try Reader(path: folder.file("a.h5")).steps.map(\.index) == [1])
    }
  }

  @Test("a queue smaller than any step still takes every step, in order", arguments: [0, 1, 500])
  func tinyQueue(bytes: Int) throws {
    try withTemporaryFolder { folder in
      let recorder = try Recorder(
        path: folder.file("a.h5"), run: Self.run, tables: [Self.table],
        options: Recorder.Options(queueBytes: bytes))
      for step in 0..<200 {
        try recorder.record(StepDescription(index: step, mode: .probe), rows: [Self.rows(step)])
      }
      try recorder.close()
      let reader = try Reader(path: folder.file("a.h5"))
      #expect(reader.steps.map(\.index) == Array(0..<200))
      let labels = try reader.labels(ofStream: 1, table: 0, rows: 0..<400)
      let expected: [Int32] = (0..<200).flatMap { [$0, $0 + 1] }
      #expect(labels == expected)
    }
  }

  @Test("closing twice is closing once; a closed recording takes no more")
  func closing() throws {
    try withTemporaryFolder { folder in
      let recorder = try Recorder(path: folder.file("a.h5"), run: Self.run, tables: [Self.table])
      try recorder.record(StepDescription(index: 0, mode: .probe), rows: [Self.rows(0)])
      try recorder.close(.interrupted)
      try recorder.close(.complete)
      let error = try failure {
        try recorder.record(StepDescription(index: 1, mode: .probe), rows: [Self.rows(1)])
      }
      #expect(error.code == .failed && error.message == "the recording is closed")
      let reader = try Reader(path: folder.file("a.h5"))
      #expect(reader.status == .interrupted && reader.steps.count == 1)
    }
  }

  @Test("what stops the writing side is thrown by later calls and by close; earlier steps stay")
  func writerFailure() throws {
    try withTemporaryFolder { folder in
      let recorder = try Recorder(path: folder.file("a.h5"), run: Self.run, tables: [Self.table])
      for step in 0..<3 {
        try recorder.record(StepDescription(index: step, mode: .probe), rows: [Self.rows(step)])
      }
      try recorder.record(StepDescription(index: 3, mode: .trace), rows: [Self.rows(3)])
      // The writing side may not have come to it yet; once it has, every call says so.
      let error = try failure {
        for step in 4..<100_000 {
          try recorder.record(StepDescription(index: step, mode: .probe), rows: [Self.rows(step)])
        }
      }
      #expect(error.code == .rowMismatch && error.object == "probe")
      #expect(error.message == "expected a probe step, found trace")
      let atClose = try failure { try recorder.close() }
      #expect(atClose.message == error.message)
      #expect(atClose.remedy.hasPrefix("The 3 steps before it are kept."))
      let reader = try Reader(path: folder.file("a.h5"))
      #expect(reader.status == .interrupted && reader.steps.map(\.index) == [0, 1, 2])
      #expect(try reader.labels(ofStream: 1, table: 0, rows: 0..<6) == [0, 1, 1, 2, 2, 3])
    }
  }

  @Test("declarations that the format does not allow are refused before anything is prepared")
  func invalidDeclarations() throws {
    try withTemporaryFolder { folder in
      for options in [
        Recorder.Options(sketchWidth: 0), Recorder.Options(sketchWidth: 8, sketchNonzeros: -1),
        Recorder.Options(sketchWidth: 8, sketchNonzeros: 17),
      ] {
        let error = try failure {
          _ = try Recorder(
            path: folder.file("a.h5"), run: Self.run, tables: [Self.table], options: options)
        }
        #expect(error.code == .invalid && error.requirement == "R-060")
      }
      #expect(try folder.contents() == [])
    }
  }

  @Test("an existing file is only replaced by force")
  func force() throws {
    try withTemporaryFolder { folder in
      let path = try folder.write("a.h5", [1, 2, 3])
      let error = try failure {
        _ = try Recorder(path: path, run: Self.run, tables: [Self.table])
      }
      #expect(error.code == .exists)
      #expect(try folder.bytes("a.h5") == [1, 2, 3])
      let recorder = try Recorder(
        path: path, run: Self.run, tables: [Self.table], options: Recorder.Options(force: true))
      try recorder.close()
      #expect(try Reader(path: path).steps == [])
    }
  }

  @Test("a recorder that is dropped without close closes its file as crashed")
  func dropped() throws {
    try withTemporaryFolder { folder in
      do {
        let recorder = try Recorder(path: folder.file("a.h5"), run: Self.run, tables: [Self.table])
        try recorder.record(StepDescription(index: 0, mode: .probe), rows: [Self.rows(0)])
        // What still waits in the queue is dropped; this step is not.
        for _ in 0..<1000 where recorder.committedSteps < 1 { usleep(10_000) }
        #expect(try folder.contents() == ["a.h5.journal", "a.h5.partial", "a.h5.partial.reserve"])
      }
      // Its thread ends by itself, soon.
      for _ in 0..<1000 where try folder.contents() != ["a.h5"] { usleep(10_000) }
      let reader = try Reader(path: folder.file("a.h5"))
      #expect(reader.status == .crashed && reader.steps.map(\.index) == [0])
    }
  }
}
