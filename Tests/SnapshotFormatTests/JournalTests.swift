import Foundation
import SnapshotFormat
import TestSupport
import Testing

@Suite("A growing snapshot")
struct JournalTests {
  private static func writer(
    _ path: String, compression: Writer.Compression = .zstd, rank: UInt16 = 0
  ) throws -> Writer {
    try Writer(
      path: path, run: Sample.run, tables: Sample.tables, compression: compression, rank: rank,
      recordsFrozenLayers: true)
  }

  /// What a recorder leaves that is killed now: its files, without it.
  private static func kill(_ folder: TemporaryFolder, to other: TemporaryFolder) throws {
    for name in try folder.contents() where !name.hasSuffix(".reserve") {
      try other.write(name, folder.bytes(name))
    }
  }

  @Test("a reader follows the writer, and has the whole file at the end")
  func follow() throws {
    try withTemporaryFolder { folder in
      let path = folder.file("run.h5")
      let writer = try Self.writer(path)
      let reader = try Reader(path: path)
      #expect(reader.status == .recording && reader.steps.isEmpty)
      for count in Sample.steps.indices {
        try Sample.append(to: writer, steps: Sample.steps[count..<count + 1])
        #expect(try reader.refresh())
        #expect(reader.steps.map(\.index) == Sample.steps[...count].map(\.index))
        // Whoever opens it now sees the same.
        try Sample.expect(path, holdsSteps: count + 1, status: .recording)
      }
      #expect(try !reader.refresh())
      try writer.close()
      #expect(try reader.refresh())
      #expect(reader.status == .complete && reader.steps.count == Sample.steps.count)
      try Sample.expect(path, status: .complete)
    }
  }

  @Test(
    "a reader that came before the store was there, or met an older one's, finds its chunks",
    arguments: [true, false])
  func earlyReader(isThere: Bool) throws {
    try withTemporaryFolder { folder in
      let path = folder.file("run.h5")
      let store = path + ".partial"
      let writer = try Self.writer(path, compression: .none)
      try FileManager.default.moveItem(atPath: store, toPath: path + ".aside")
      if isThere { try folder.write("run.h5.partial", Array("an older one".utf8)) }
      let reader = try Reader(path: path)
      if isThere { try FileManager.default.removeItem(atPath: store) }
      try FileManager.default.moveItem(atPath: path + ".aside", toPath: store)
      // 700 rows of a stream are whole chunks, which are nowhere but in the store.
      try Sample.append(to: writer, steps: Sample.steps.prefix(3))
      #expect(try reader.refresh())
      let rows = reader.stepRanges(ofTable: 0)[1].rows
      let read = try reader.values(ofStream: 1, table: 0, rows: rows)
      switch Sample.rows(700, step: 2, table: 0).values[1] {
      case .float(let written): #expect(read == written)
      case .label: Issue.record("stream 1 is not of floats")
      }
      writer.discard()
    }
  }

  @Test(
    "what a killed recorder leaves is read, recovered and resumed",
    arguments: Writer.Compression.allCases, [0, 3, 7])
  func killed(compression: Writer.Compression, count: Int) throws {
    try withTemporaryFolder { folder in
      try withTemporaryFolder { other in
        let writer = try Self.writer(folder.file("run.h5"), compression: compression)
        try Sample.append(to: writer, steps: Sample.steps.prefix(count))
        try Self.kill(folder, to: other)
        let path = other.file("run.h5")
        // A torn tail: the beginning of a frame that never came to its end.
        let journal = try other.bytes("run.h5.journal")
        try other.write("run.h5.journal", journal + journal.suffix(13))
        try Sample.expect(path, holdsSteps: count, status: .crashed)

        let report = try Recovery.recover(path, to: other.file("ok.h5"))
        #expect(report.steps == count && report.lostSteps == 0 && report.cutBytes == 13)
        try Sample.expect(other.file("ok.h5"), holdsSteps: count, status: .crashed)

        let resumed = try Writer(resuming: path, started: "2026-02-01T00:00:00Z")
        #expect(resumed.committedSteps == count)
        try Sample.append(to: resumed, steps: Sample.steps.dropFirst(count))
        try resumed.close()
        try Sample.expect(path, status: .complete)
        let sessions = try Reader(path: path).sessions
        #expect(sessions.map(\.firstStep) == [0, count])
        #expect(sessions.map(\.cutBytes) == [0, 13])
        #expect(sessions.map(\.started) == [Sample.run.created, "2026-02-01T00:00:00Z"])
        #expect(try other.contents() == ["ok.h5", "run.h5"])
        writer.discard()
      }
    }
  }

  @Test("a finished file is resumed, and stays as it was until the end")
  func resumeFinished() throws {
    try withTemporaryFolder { folder in
      let path = folder.file("run.h5")
      let writer = try Self.writer(path)
      try Sample.append(to: writer, steps: Sample.steps.prefix(4))
      try writer.close(.interrupted)
      let resumed = try Writer(resuming: path, started: "2026-02-01T00:00:00Z")
      try Sample.append(to: resumed, steps: Sample.steps.dropFirst(4))
      try Sample.expect(path, holdsSteps: 4, status: .interrupted)
      try resumed.close()
      try Sample.expect(path, status: .complete)
    }
  }

  @Test("a complete file that is resumed and gets no step stays byte for byte")
  func resumeComplete() throws {
    try withTemporaryFolder { folder in
      let path = folder.file("run.h5")
      let writer = try Self.writer(path)
      try Sample.append(to: writer)
      try writer.close()
      let before = try folder.bytes("run.h5")
      try Writer(resuming: path, started: "2026-02-01T00:00:00Z").close()
      #expect(try folder.bytes("run.h5") == before)
      #expect(try folder.contents() == ["run.h5"])
    }
  }

  @Test("rows that begin and end with zeros survive uncompressed", arguments: [1, 40])
  func zeros(streams: Int) throws {
    try withTemporaryFolder { folder in
      let path = folder.file("run.h5")
      let table = TableDescription(
        name: "t", unit: .example, mode: .trace,
        streams: (0..<streams).map {
          StreamDescription(name: "s\($0)", kind: .feature, shape: [64], role: .input)
        })
      let writer = try Writer(path: path, run: Sample.run, tables: [table], compression: .none)
      // A whole chunk of which one number in the middle is not zero, then one of nothing but zeros.
      for step in 0..<2 {
        let values = (0..<streams).map { stream in
          TableRows.Values.float(
            (0..<512 * 64).map { $0 == 16_000 && step == 0 ? Float(stream + 1) : 0 })
        }
        try writer.append(
          StepDescription(index: step, mode: .trace),
          rows: [TableRows(table: 0, records: (0..<512).map(Sample.record), values: values)])
      }
      try withTemporaryFolder { other in
        try Self.kill(folder, to: other)
        let report = try Recovery.recover(other.file("run.h5"), to: other.file("ok.h5"))
        #expect(report.steps == 2)
        let reader = try Reader(path: other.file("ok.h5"))
        for stream in 0..<streams {
          let values = try reader.values(ofStream: stream, table: 0, rows: 0..<1024)
          #expect(values[16_000] == Float(stream + 1) && values.count { $0 != 0 } == 1)
        }
      }
      writer.discard()
    }
  }

  @Test(
    "a finished file whose second session was killed: neither recovery nor resumption forgets it")
  func killedAfterFinished() throws {
    try withTemporaryFolder { folder in
      let path = folder.file("run.h5")
      let writer = try Self.writer(path)
      try Sample.append(to: writer, steps: Sample.steps.prefix(2))
      try writer.close(.interrupted)
      let second = try Writer(resuming: path, started: "2026-02-01T00:00:00Z")
      try Sample.append(to: second, steps: Sample.steps[2..<4])
      for isResumed in [false, true] {
        try withTemporaryFolder { other in
          try Self.kill(folder, to: other)
          let left = other.file("run.h5")
          guard isResumed else {
            #expect(
              try Sample.error { _ = try Recovery.recover(left, to: left) }.code == .exists)
            let report = try Recovery.recover(left, to: left, force: true, removesJournal: true)
            #expect(report.steps == 4 && report.isFromJournal)
            try Sample.expect(left, holdsSteps: 4, status: .crashed)
            #expect(try other.contents() == ["run.h5"])
            return
          }
          let third = try Writer(resuming: left, started: "2026-03-01T00:00:00Z")
          #expect(third.committedSteps == 4)
          try Sample.append(to: third, steps: Sample.steps.dropFirst(4))
          try third.close()
          try Sample.expect(left, status: .complete)
          #expect(try other.contents() == ["run.h5"])
        }
      }
      second.discard()
    }
  }

  @Test(
    "a chunk that a loss of power damaged ends the run before it, unless the journal has its rows")
  func damagedChunk() throws {
    try withTemporaryFolder { folder in
      let path = folder.file("run.h5")
      let writer = try Self.writer(path)
      try Sample.append(to: writer)
      try withTemporaryFolder { other in
        try Self.kill(folder, to: other)
        // Nothing of the store reached the disk; the journal is from before any rotation.
        let store = try other.bytes("run.h5.partial")
        try other.write("run.h5.partial", [UInt8](repeating: 0, count: store.count))
        try Sample.expect(other.file("run.h5"), status: .crashed)
        let report = try Recovery.recover(other.file("run.h5"), to: other.file("ok.h5"))
        #expect(report.steps == Sample.steps.count)
        try Sample.expect(other.file("ok.h5"), status: .crashed)
      }
      writer.discard()
    }
  }

  @Test("a journal is begun anew when most of it lies in chunks, and readers follow")
  func rotation() throws {
    let table = TableDescription(
      name: "t", unit: .example, mode: .trace,
      streams: [StreamDescription(name: "x", kind: .feature, shape: [4096])])
    func values(_ step: Int) -> [Float] { (0..<4096).map { Float(step * 4096 + $0) } }
    try withTemporaryFolder { folder in
      let path = folder.file("run.h5")
      let writer = try Writer(path: path, run: Sample.run, tables: [table])
      let reader = try Reader(path: path)
      var longest = 0
      var last = 0
      for step in 0..<2600 {
        try writer.append(
          StepDescription(index: step, mode: .trace),
          rows: [
            TableRows(
              table: 0, records: [Sample.record(step)], values: [.float(values(step))])
          ])
        let attributes = try FileManager.default.attributesOfItem(atPath: path + ".journal")
        last = attributes[.size] as? Int ?? 0
        longest = max(longest, last)
        if step % 100 == 0 { #expect(try reader.refresh() && reader.steps.count == step + 1) }
      }
      // 42 MB of rows: the journal passed 32 MiB, and shrank.
      #expect(longest > 31 << 20 && longest <= 32 << 20 && last < 12 << 20)
      _ = try reader.refresh()
      for step in [0, 1, 1999, 2000, 2599] {
        let found = try reader.values(ofStream: 0, table: 0, rows: step..<step + 1)
        #expect(found == values(step))
      }
      try withTemporaryFolder { other in
        try Self.kill(folder, to: other)
        #expect(
          try Recovery.recover(other.file("run.h5"), to: other.file("ok.h5")).steps == 2600)
        #expect(try Validator.violations(inFileAt: other.file("ok.h5")) == [])
        // What is gone from the journal is in its chunk or lost: the run ends before it.
        let store = try other.bytes("run.h5.partial")
        try other.write("run.h5.partial", store.prefix(store.count / 2))
        let report = try Recovery.recover(
          other.file("run.h5"), to: other.file("ok.h5"), force: true)
        #expect(report.steps > 0 && report.steps < 2600 && report.lostSteps == 2600 - report.steps)
        #expect(try Validator.violations(inFileAt: other.file("ok.h5")) == [])
      }
      try writer.close()
      #expect(try Reader(path: path).steps.count == 2600)
    }
  }

  @Test("an unfinished recording is not overwritten unless forced; a live one never")
  func leftovers() throws {
    try withTemporaryFolder { folder in
      let path = folder.file("run.h5")
      let writer = try Self.writer(path)
      try Sample.append(to: writer, steps: Sample.steps.prefix(1))
      #expect(try Sample.error { _ = try Self.writer(path) }.code == .exists)
      #expect(
        try Sample.error { _ = try Writer(resuming: path, started: Sample.run.created) }.code
          == .exists)
      #expect(try Sample.error { _ = try Recovery.recover(path, to: path) }.code == .exists)
      try withTemporaryFolder { other in
        try Self.kill(folder, to: other)
        let error = try Sample.error { _ = try Self.writer(other.file("run.h5")) }
        #expect(error.code == .unfinished && error.remedy.contains("ptoken-inspect recover"))
        try Writer(
          path: other.file("run.h5"), run: Sample.run, tables: Sample.tables, force: true
        ).close()
        #expect(try other.contents() == ["run.h5"])
      }
      writer.discard()
      #expect(try folder.contents() == [])
    }
  }

  @Test("a hostile journal is refused where it is wrong")
  func hostile() throws {
    try withTemporaryFolder { folder in
      try folder.write(
        "run.h5.journal", Array("PTKJRNL".utf8) + [1] + [UInt8](repeating: 255, count: 64))
      #expect(try Sample.error { _ = try Reader(path: folder.file("run.h5")) }.code == .invalid)
      try folder.write("run.h5.journal", Array("something else".utf8))
      #expect(try Sample.error { _ = try Reader(path: folder.file("run.h5")) }.code == .notOurs)
    }
  }

  @Test("a folder that vanishes while recording gives a clear error at the end")
  func vanishedFolder() throws {
    try withTemporaryFolder { folder in
      let path = folder.file("below/run.h5")
      try FileManager.default.createDirectory(
        atPath: folder.file("below"), withIntermediateDirectories: true)
      let writer = try Self.writer(path)
      try FileManager.default.removeItem(atPath: folder.file("below"))
      try Sample.append(to: writer, steps: Sample.steps.prefix(2))
      let error = try Sample.error { try writer.close() }
      #expect(error.message.contains("no such file"), "\(error)")
    }
  }
}
