import Foundation
import Inspection
import SnapshotFormat
import TestSupport
import Testing

@Suite("Export")
struct ExportTests {
  private static func sample(_ name: String) -> String {
    URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "samples/runs/\(name)").path(
        percentEncoded: false)
  }

  @Test("numpy reads every array of an npz, and of safetensors, as h5py reads the file")
  func arrays() throws {
    try withTemporaryFolder { folder in
      for name in ["mlp", "full", "federated", "ranks"] {
        let input = Self.sample("\(name).h5")
        for format in [Export.Format.npz, .safetensors] {
          let output = folder.file("\(name).\(format.rawValue)")
          try Export(input).write(format, to: output, force: false)
          try Python.run("InspectionTests/Python/compare.py", input, output)
        }
      }
    }
  }

  @Test("a table, its streams and a range of steps can be chosen")
  func selection() throws {
    try withTemporaryFolder { folder in
      let output = folder.file("a.npz")
      try Export(Self.sample("mlp.h5"), table: "probe", streams: ["fc1"], steps: 1...100)
        .write(.npz, to: output, force: false)
      let names = try Python.run(
        "InspectionTests/Python/compare.py", Self.sample("mlp.h5"), output, "1", "100")
      #expect(names.contains("tables/probe/streams/fc1 (200, 32)"), "\(names)")
      #expect(!names.contains("fc2") && !names.contains("steps/"))
      for wrong in [("other", []), ("probe", ["other"])] as [(String, [String])] {
        let error = #expect(throws: SnapshotError.self) {
          _ = try Export(Self.sample("mlp.h5"), table: wrong.0, streams: wrong.1)
        }
        #expect(error?.code == .notFound)
      }
    }
  }

  @Test(
    "names that a spreadsheet would run, or that hide a quote, are text; tables of one name stay apart"
  )
  func hostileNames() throws {
    try withTemporaryFolder { folder in
      let names = ["-1+cmd", "=a", "a\nb", "\"\u{301},", "\rx"]
      var run = SmallRun()
      run.tables = ["a", "a", "a 1"].enumerated().map { number, name in
        TableDescription(
          name: name, unit: .example, mode: .trace,
          streams: (number == 0 ? names : ["s"]).map {
            StreamDescription(name: $0, kind: .scalar, shape: [1])
          })
      }
      run.steps = [(0, 0, 2)]
      let input = folder.file("a.h5")
      try run.write(input)
      try Export(input, table: "0").write(.csv, to: folder.file("a.csv"), force: false)
      let text = String(decoding: try folder.bytes("a.csv"), as: UTF8.self)
      #expect(
        text.utf8.starts(
          with:
            "step,mode,epoch,step_loss,record,rank,'-1+cmd,'=a,\"a\nb\",\"\"\"\u{301},\",\"'\rx\"\r\n"
            .utf8), "\(text)")
      try Export(input).write(.safetensors, to: folder.file("a.safetensors"), force: false)
      let bytes = try folder.bytes("a.safetensors")
      for place in ["a+0", "a+1", "a 1"] {
        let key = "\"tables/\(place)/observations/record\":"
        #expect(bytes.firstRange(of: key.utf8) != nil, "\(place)")
      }
    }
  }

  @Test("CSV has a row for each observation, and none that a spreadsheet would run")
  func csv() throws {
    try withTemporaryFolder { folder in
      let output = folder.file("a.csv")
      try Export(Self.sample("mlp.h5"), table: "trace").write(.csv, to: output, force: false)
      let lines = String(decoding: try folder.bytes("a.csv"), as: UTF8.self)
        .components(separatedBy: "\r\n")
      #expect(lines[0] == "step,mode,epoch,step_loss,record,rank,digit,loss")
      let reader = try Reader(path: Self.sample("mlp.h5"))
      #expect(lines.count == reader.rowCount(ofTable: 1) + 2 && lines.last == "")
      let first = lines[1].components(separatedBy: ",")
      #expect(first[4] == (try reader.records(ofTable: 1, rows: 0..<1))[0].hexadecimal)
      #expect(Float(first[7]) == (try reader.values(ofStream: 5, table: 1, rows: 0..<1))[0])
      let steps = folder.file("s.csv")
      try Export(Self.sample("mlp.h5")).write(.csv, to: steps, force: false)
      #expect(
        String(decoding: try folder.bytes("s.csv"), as: UTF8.self)
          .components(separatedBy: "\r\n").count == reader.steps.count + 2)
    }
  }
}
