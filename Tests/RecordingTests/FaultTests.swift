import Recording
import SnapshotFormat
import TestSupport
import Testing

@Suite("Rows that a file may not hold")
struct FaultTests {
  @Test(
    "a number that is not finite, or a label below 0, is refused at once, and recording goes on")
  func refused() throws {
    try withTemporaryFolder { folder in
      let recorder = try Recorder(
        path: folder.file("run.h5"),
        run: RunDescription(
          id: "11111111-2222-4333-8444-555555555555", created: "2026-01-01T00:00:00Z",
          producer: "test",
          model: ModelDescription(name: "m", layers: [.init("fc", parameters: 2)]).json),
        tables: [
          Recorder.Table(
            name: "probe", mode: .probe, streams: [.label("y"), .gradient(layer: "fc", shape: [2])])
        ])
      let key = RecordKey(bytes: [1])
      func record(_ labels: [Int32], _ values: [Float]) throws(SnapshotError) {
        try recorder.record(
          StepDescription(index: 0, mode: .probe),
          rows: [
            TableRows(
              table: 0, records: [key.id(of: [1]), key.id(of: [2])],
              values: [.label(labels), .float(values)])
          ])
      }
      let infinite = #expect(throws: SnapshotError.self) { try record([0, 1], [1, 2, .nan, 4]) }
      #expect(infinite?.code == .rowMismatch)
      #expect(infinite?.message.contains("found nan in row 1") == true)
      let negative = #expect(throws: SnapshotError.self) { try record([0, -100], [1, 2, 3, 4]) }
      #expect(negative?.object == "probe/y")
      try record([0, 1], [1, 2, 3, 4])
      try recorder.close()
      #expect(try Validator.violations(inFileAt: folder.file("run.h5")).isEmpty)
      #expect(try Reader(path: folder.file("run.h5")).steps.count == 1)
    }
  }
}
