import SnapshotFormat
import TestSupport
import Testing

@Suite("Writer")
struct WriterTests {
  @Test(
    "what is written is read back, with every compression and status",
    arguments: Writer.Compression.allCases, RunStatus.allCases)
  func roundTrip(compression: Writer.Compression, status: RunStatus) throws {
    try withTemporaryFolder { folder in
      let path = folder.file("run.h5")
      try Sample.write(path, compression: compression, status: status)
      try Sample.expect(path, status: status)
      #expect(try folder.contents() == ["run.h5"])
    }
  }

  @Test("the same run gives the same bytes", arguments: Writer.Compression.allCases)
  func deterministic(compression: Writer.Compression) throws {
    try withTemporaryFolder { folder in
      try Sample.write(folder.file("a.h5"), compression: compression)
      try Sample.write(folder.file("b.h5"), compression: compression)
      #expect(try folder.bytes("a.h5") == folder.bytes("b.h5"))
    }
  }

  @Test("a run without steps, and one without tables, are valid files")
  func empty() throws {
    try withTemporaryFolder { folder in
      let path = folder.file("a.h5")
      try Writer(
        path: path, run: Sample.run, tables: Sample.tables, recordsFrozenLayers: true
      ).close(.interrupted)
      try Sample.expect(path, holdsSteps: 0, status: .interrupted)
      let bare = folder.file("b.h5")
      try Writer(path: bare, run: Sample.run, tables: []).close()
      #expect(try Reader(path: bare).tables == [])
      #expect(try Validator.violations(inFileAt: bare) == [])
    }
  }

  @Test("one step may bring rows of several tables of its mode, or none")
  func severalTables() throws {
    try withTemporaryFolder { folder in
      let path = folder.file("a.h5")
      let tables = ["a", "b"].map { name in
        TableDescription(
          name: name, unit: .client, mode: .trace,
          streams: [
            StreamDescription(
              name: "g", kind: .gradient(layer: "net.0.conv", stage: .delta), shape: [2])
          ])
      }
      let writer = try Writer(path: path, run: Sample.run, tables: tables)
      func part(_ table: Int, _ rows: Int) -> TableRows {
        TableRows(
          table: table, records: (0..<rows).map(Sample.record),
          values: [.float((0..<rows * 2).map { Float($0 + table * 10) })])
      }
      try writer.append(StepDescription(index: 1, mode: .trace), rows: [part(1, 2), part(0, 1)])
      try writer.append(StepDescription(index: 1, mode: .trace), rows: [])
      try writer.append(StepDescription(index: 2, mode: .trace), rows: [part(1, 1)])
      #expect(writer.committedSteps == 3)
      try writer.close()
      let reader = try Reader(path: path)
      #expect(reader.steps.map(\.index) == [1, 1, 2])
      #expect(reader.stepRanges(ofTable: 0).map(\.step) == [0])
      #expect(reader.stepRanges(ofTable: 1).map(\.step) == [0, 2])
      #expect(try reader.values(ofStream: 0, table: 1, rows: 0..<3) == [10, 11, 12, 13, 10, 11])
      #expect(reader.steps[0].loss.isNaN && reader.steps[0].time.isNaN)
    }
  }

  @Test("an existing file is replaced only if forced, and only at the end")
  func exists() throws {
    try withTemporaryFolder { folder in
      let path = try folder.write("run.h5", [1, 2, 3])
      let error = try Sample.error {
        _ = try Writer(path: path, run: Sample.run, tables: Sample.tables)
      }
      #expect(error.code == .exists)
      #expect(error.file == path)
      let writer = try Writer(
        path: path, run: Sample.run, tables: Sample.tables, recordsFrozenLayers: true, force: true)
      try Sample.append(to: writer)
      #expect(try folder.bytes("run.h5") == [1, 2, 3])
      try writer.close()
      try Sample.expect(path, status: .complete)
      #expect(try folder.contents() == ["run.h5"])
    }
  }

  @Test("an absent folder and a folder in the place of the file are refused")
  func folders() throws {
    try withTemporaryFolder { folder in
      let absent = try Sample.error {
        _ = try Writer(path: folder.file("no/run.h5"), run: Sample.run, tables: [])
      }
      #expect(absent.code == .notFound)
      let taken = try Sample.error {
        _ = try Writer(path: folder.path, run: Sample.run, tables: [], force: true)
      }
      #expect(taken.code == .exists)
    }
  }

  @Test("a writer that is dropped closes its file as crashed; without steps it leaves nothing")
  func dropped() throws {
    try withTemporaryFolder { folder in
      let path = folder.file("run.h5")
      func drop(_ count: Int) throws {
        let writer = try Writer(
          path: path, run: Sample.run, tables: Sample.tables, recordsFrozenLayers: true)
        try Sample.append(to: writer, steps: Sample.steps.prefix(count))
        #expect(
          try folder.contents() == [
            "run.h5.journal", "run.h5.partial", "run.h5.partial.reserve",
          ])
        withExtendedLifetime(writer) {}
      }
      try drop(0)
      #expect(try folder.contents() == [])
      try drop(3)
      #expect(try folder.contents() == ["run.h5"])
      try Sample.expect(path, holdsSteps: 3, status: .crashed)
    }
  }

  @Test("closing twice is closing once; appending after that is an error")
  func closed() throws {
    try withTemporaryFolder { folder in
      let writer = try Writer(
        path: folder.file("run.h5"), run: Sample.run, tables: Sample.tables,
        recordsFrozenLayers: true)
      try writer.close()
      try writer.close(.crashed)
      #expect(try Reader(path: folder.file("run.h5")).status == .complete)
      let error = try Sample.error { try Sample.append(to: writer) }
      #expect(error.code == .failed)
    }
  }

  @Test("rows that do not fit are refused whole, and the run goes on as if they had never come")
  func rowMismatch() throws {
    try withTemporaryFolder { folder in
      let path = folder.file("run.h5")
      let writer = try Writer(
        path: path, run: Sample.run, tables: Sample.tables, recordsFrozenLayers: true)
      try Sample.append(to: writer, steps: Sample.steps.prefix(3))
      let good = Sample.rows(2, step: 9, table: 0)
      var short = good
      short.records.removeLast()
      var swapped = good
      swapped.values.swapAt(3, 4)
      var fewer = good
      fewer.values.removeLast()
      var unknown = good
      unknown.table = 2
      let probe = Sample.step(5, table: 0)
      var batch = Sample.rows(2, step: 9, table: 1)
      batch.weights.removeLast()
      var memberless = Sample.rows(2, step: 9, table: 1)
      memberless.members.records.removeLast()
      var repeated = good
      repeated.records[1] = repeated.records[0]
      var frozen = probe
      frozen.frozenLayers = ["net.0.conv"]
      var stranger = probe
      stranger.frozenLayers = ["net.1"]
      let wrong: [(StepDescription, [TableRows])] = [
        (probe, [short]), (probe, [swapped]), (probe, [fewer]), (probe, [unknown]),
        (probe, [good, good]), (Sample.step(5, table: 1), [good]),
        (Sample.step(4, table: 0), [good]),
        (probe, [good, Sample.rows(1, step: 9, table: 1)]),
        (Sample.step(5, table: 1), [batch]), (Sample.step(5, table: 1), [memberless]),
        (probe, [repeated]), (frozen, [good]), (stranger, [good]),
      ]
      for (step, rows) in wrong {
        let error = try Sample.error { try writer.append(step, rows: rows) }
        #expect(error.code == .rowMismatch)
        #expect(error.file == path)
      }
      #expect(writer.committedSteps == 3)
      try Sample.append(to: writer, steps: Sample.steps.dropFirst(3))
      try writer.close()
      try Sample.expect(path, status: .complete)
    }
  }

  @Test("descriptions that the specification does not allow are refused before anything is written")
  func descriptions() throws {
    try withTemporaryFolder { folder throws in
      func requirement(
        of change: (inout RunDescription, inout [TableDescription]) -> Void
      ) throws -> String? {
        var (run, tables) = (Sample.run, Sample.tables)
        change(&run, &tables)
        let error = try Sample.error {
          _ = try Writer(path: folder.file("run.h5"), run: run, tables: tables)
        }
        #expect(error.code == .invalid)
        return error.requirement
      }
      #expect(try requirement { run, _ in run.id = run.id.replacing("1", with: "A") } == "R-004")
      #expect(try requirement { run, _ in run.created = "yesterday" } == "R-005")
      #expect(try requirement { run, _ in run.model = "[]" } == "R-010")
      #expect(try requirement { run, _ in run.training = "{" } == "R-010")
      #expect(try requirement { $1[0].streams[0].name = "dense" } == "R-041")
      #expect(try requirement { $1[0].streams[0].shape = [0] } == "R-044")
      #expect(try requirement { $1[0].streams[0].shape = [.max, 2] } == "R-044")
      #expect(try requirement { $1[0].streams[1].sketch?.nonzeros = 17 } == "R-060")
      #expect(try requirement { $1[0].streams[1].sketch?.width = 1001 } == "R-060")
      #expect(try requirement { $1[0].streams[0].shape = [(1 << 24) + 1] } == "R-070")
      #expect(try requirement { $1 = Array(repeating: $1[1], count: 257) } == "R-030")
      #expect(try requirement { run, _ in run.model = #"{"name": "m", "layers": []}"# } == "R-011")
      let huge = (0..<4).map { #"{"name": "\#($0)", "parameters": 4611686018427387904}"# }
      let model = #"{"name": "m", "parameters": 1, "layers": [\#(huge.joined(separator: ", "))]}"#
      #expect(try requirement { run, _ in run.model = model } == "R-011")
      #expect(try requirement { run, _ in run.training = #"{"seed": true}"# } == "R-012")
      #expect(try requirement { run, _ in run.observer = #"{"role": "r"}"# } == "R-016")
      #expect(
        try requirement { $1[0].streams[0].kind = .gradient(layer: "other", stage: .raw) }
          == "R-045")
      #expect(try requirement { $1[0].streams[0].clipping = Clipping(norm: 0) } == "R-049")
      #expect(try requirement { $1[0].columns = [.members] } == "R-090")
      #expect(try requirement { $1[1].columns = [.localSteps] } == "R-093")
      #expect(try requirement { $1[0].schedule = "[]" } == "R-094")
      #expect(try folder.contents() == [])
    }
  }
}
