import Foundation
import SnapshotFormat
import TestSupport
import Testing

@Suite("A full disk", .serialized)
struct FullDiskTests {
  /// Values that do not compress.
  private static func values(step: Int, count: Int) -> [Float] {
    var state = UInt64(step + 1) &* 0x9E37_79B9_7F4A_7C15
    return (0..<count).map { _ in
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      // Any bits but those of infinities and NaN.
      return Float(bitPattern: UInt32(truncatingIfNeeded: state) & 0xbfff_ffff)
    }
  }

  private static let table = TableDescription(
    name: "t", unit: .example, mode: .trace,
    streams: ["a", "b"].map {
      StreamDescription(
        name: $0, kind: .gradient(layer: "net.9.dense", stage: .raw), shape: [1000])
    })

  /// Appends steps until one fails; returns the error and how many were committed.
  private static func fill(_ writer: Writer) throws -> (error: SnapshotError?, steps: Int) {
    for step in 0..<2000 {
      let rows = TableRows(
        table: 0, records: (0..<7).map(Sample.record),
        values: (0..<2).map { .float(values(step: step * 2 + $0, count: 7000)) })
      do throws(SnapshotError) {
        try writer.append(StepDescription(index: step, mode: .trace), rows: [rows])
      } catch {
        #expect(writer.committedSteps == step)
        let again = try Sample.error {
          try writer.append(StepDescription(index: step, mode: .trace), rows: [])
        }
        #expect(again.code == .failed)
        return (error, step)
      }
    }
    return (nil, 2000)
  }

  /// Limits files to 3 MiB while `body` runs, for the whole process: no other test writes longer ones.
  private static func withFileSizeLimit(_ body: () throws -> Void) throws {
    #if canImport(Darwin)
      let resource = RLIMIT_FSIZE
    #else
      let resource = __rlimit_resource_t(RLIMIT_FSIZE.rawValue)
    #endif
    var saved = rlimit()
    getrlimit(resource, &saved)
    let handler = signal(SIGXFSZ, SIG_IGN)
    var limit = saved
    limit.rlim_cur = 3 << 20
    setrlimit(resource, &limit)
    defer {
      setrlimit(resource, &saved)
      signal(SIGXFSZ, handler)
    }
    try body()
  }

  private static func unmount(_ folder: String) {
    for prefix in [[], ["sudo", "-n"]] {
      if (try? Command.run(prefix + ["umount", folder]).status) == 0 { return }
    }
  }

  private static func mount(_ folder: String, megabytes: Int = 80) throws -> Bool {
    for prefix in [[], ["sudo", "-n"]] {
      let command =
        prefix + ["mount", "-t", "tmpfs", "-o", "size=\(megabytes)m,mode=1777", "tmpfs", folder]
      if try Command.run(command).status == 0 { return true }
    }
    return false
  }

  @Test(
    "closing keeps exactly the committed steps and leaves nothing else",
    arguments: Writer.Compression.allCases)
  func keepsCommittedSteps(compression: Writer.Compression) throws {
    try withTemporaryFolder { folder in
      guard try Self.mount(folder.path) else {
        // Without a disk of our own the limit on file sizes stands in; it leaves no room for the last chunks.
        try fileSizeLimit(compression: compression)
        return
      }
      defer { Self.unmount(folder.path) }
      let path = folder.file("run.h5")
      let writer = try Writer(
        path: path, run: Sample.run, tables: [Self.table], compression: compression)
      let (error, steps) = try Self.fill(writer)
      #expect(error?.code == .noSpace)
      #expect(error?.file == path)
      #expect(steps > 20)
      try writer.close(.interrupted)
      #expect(try folder.contents() == ["run.h5"])

      let reader = try Reader(path: path)
      #expect(reader.status == .interrupted)
      #expect(reader.steps.map(\.index) == Array(0..<steps))
      for (step, rows) in reader.stepRanges(ofTable: 0) {
        for stream in 0..<2 {
          let found = try reader.values(ofStream: stream, table: 0, rows: rows)
          #expect(found == Self.values(step: step * 2 + stream, count: 7000))
        }
      }
      #expect(try Validator.violations(inFileAt: path) == [])
    }
  }

  @Test(
    "a limit on file sizes is noSpace too, and what cannot be finished can be recovered",
    arguments: Writer.Compression.allCases)
  func fileSizeLimit(compression: Writer.Compression) throws {
    try withTemporaryFolder { folder in
      let path = folder.file("run.h5")
      let writer = try Writer(
        path: path, run: Sample.run, tables: [Self.table], compression: compression)
      var committed = 0
      try Self.withFileSizeLimit {
        let (error, steps) = try Self.fill(writer)
        #expect(error?.code == .noSpace)
        committed = steps
        do {
          try writer.close(.interrupted)
        } catch let error as SnapshotError {
          #expect(error.code == .noSpace)
          #expect(error.remedy.contains("ptoken-inspect recover"))
          #expect(try Reader(path: path).steps.count == steps)
        }
      }
      if try folder.contents() != ["run.h5"] {
        let report = try Recovery.recover(path, to: path, removesJournal: true)
        #expect(report.steps == committed && report.lostSteps == 0)
      }
      #expect(try folder.contents() == ["run.h5"])
      #expect(try Reader(path: path).steps.count == committed)
      #expect(try Validator.violations(inFileAt: path) == [])
    }
  }

  @Test("a disk that is too small from the start is refused and left as it was")
  func tooSmall() throws {
    try withTemporaryFolder { folder in
      // A reserve of almost 42 MiB: a chunk of each stream, chunks under way, and room for indices.
      let wide = TableDescription(
        name: "t", unit: .example, mode: .trace,
        streams: (0..<64).map {
          StreamDescription(name: "\($0)", kind: .feature, shape: [1000])
        })
      func check() throws {
        let error = try Sample.error {
          _ = try Writer(path: folder.file("run.h5"), run: Sample.run, tables: [wide])
        }
        #expect(error.code == .noSpace)
        #expect(error.message == "expected at least 42 MiB of free space")
        #expect(try folder.contents() == [])
      }
      // A limit on file sizes is no small disk: without the right to mount one there is nothing to see.
      guard try Self.mount(folder.path, megabytes: 5) else { return }
      defer { Self.unmount(folder.path) }
      try check()
    }
  }
}
