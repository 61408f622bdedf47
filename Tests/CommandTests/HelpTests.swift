import TestSupport
import Testing

@Suite("Help and usage")
struct HelpTests {
  static let commands = [
    "ptoken-record", "ptoken-record run", "ptoken-record listen", "ptoken-record import",
    "ptoken-record demo", "ptoken-analyze", "ptoken-analyze pair", "ptoken-report",
    "ptoken-inspect",
    "ptoken-inspect info", "ptoken-inspect validate", "ptoken-inspect recover",
    "ptoken-inspect merge", "ptoken-inspect diff", "ptoken-inspect export",
    "ptoken-inspect reading",
  ]

  @Test("--help of every command is as reviewed", arguments: commands)
  func help(command: String) throws {
    try withTemporaryFolder { folder in
      let outcome = try Tool.run("\(command) --help", in: folder)
      #expect(outcome.status == 0)
      #expect(outcome.errors == "")
      for part in ["EXAMPLE", "EXIT STATUS", "USAGE: \(command)"] {
        #expect(outcome.output.contains(part), "\(part)")
      }
      #expect(outcome.output.split(separator: "\n").allSatisfy { $0.count <= 80 })
      let name = command.split(separator: " ").joined(separator: "-")
      try Golden.expect(outcome.output, is: "help/\(name)")
    }
  }

  @Test("--version is one number", arguments: ["record", "analyze", "report", "inspect"])
  func version(name: String) throws {
    try withTemporaryFolder { folder in
      let outcome = try Tool.run("ptoken-\(name) --version", in: folder)
      #expect(outcome.status == 0)
      #expect(outcome.output.wholeMatch(of: /\d+\.\d+\.\d+\n/) != nil)
    }
  }

  @Test("wrong usage is status 64: what is wrong, the usage, where to read on")
  func usage() throws {
    let record = "ptoken-record demo run.h5"
    let analyze = "ptoken-analyze run.h5"
    let options = [
      "--probe 0", "--probe 1439", "--probe x", "--probe", "--batch-size 0", "--batch-size -1",
      "--epochs -1", "--epochs 10001", "--trace-every 0", "--sketch 0", "--sketch 65537",
      "--learning-rate 0", "--learning-rate inf", "--learning-rate nan", "--dp-clip 0",
      "--dp-clip nan", "--dp-noise 1", "--dp-clip 1 --dp-noise -1", "--probe-clip -1",
      "--probe-noise 1", "--compression lz4", "--model vit", "--seed -1", "--seed 1.5",
      "--nonsense", "--prob 3", "second.h5", "--ranks 17", "--ranks 2 --dp-clip 1", "--clients 1",
      "--clients 9 --ranks 2", "--sync sometimes", "--resume --force",
    ]
    let studies = [
      "--sigma -1", "--sigma nan", "--sigma x", "--components 0", "--components 257",
      "--neighbour-components 17", "--neighbours 0", "--neighbours 21", "--folds 1", "--folds 21",
      "--pairings -1", "--pairings 100001", "--candidates 1", "--candidates 65537",
      "--trace-steps -1", "--seed x", "-o", "-o ''", "--nonsense", "second.h5",
    ]
    let others = [
      "ptoken-record", "ptoken-record nonsense", "ptoken-record demo", "ptoken-record demo ''",
      "ptoken-analyze", "ptoken-analyze ''", "ptoken-analyze pair", "ptoken-analyze pair x.npy",
      "ptoken-analyze pair x.npy y.npy --estimator guess",
      "ptoken-analyze pair x.npy y.npy --neighbours 4,x",
      "ptoken-analyze pair x.npy y.npy --transform log", "ptoken-report", "ptoken-report run.h5",
      "ptoken-report --html --json run.h5", "ptoken-report --html", "ptoken-report --html ''",
      "ptoken-report --json run.h5 -o ''", "ptoken-report --html run.h5 --sigma -1",
      "ptoken-report --html run.h5 --nonsense", "ptoken-inspect", "ptoken-inspect nonsense",
      "ptoken-inspect info", "ptoken-inspect info ''", "ptoken-inspect info run.h5 --jso",
      "ptoken-inspect validate", "ptoken-inspect validate a.h5 b.h5", "ptoken-inspect recover",
      "ptoken-inspect merge a.h5 -o b.h5", "ptoken-inspect merge a.h5 b.h5",
      "ptoken-inspect diff a.h5", "ptoken-inspect export a.h5", "ptoken-inspect export a.h5 -o b",
      "ptoken-inspect export a.h5 -o b.npz --steps 5..1", "ptoken-inspect reading",
    ]
    try withTemporaryFolder { folder in
      let text = try Golden.transcript(
        options.map { "\(record) \($0)" } + studies.map { "\(analyze) \($0)" } + others,
        in: folder)
      for part in text.split(separator: "\n\n") {
        let lines = part.split(separator: "\n")
        #expect(lines.count == 5, "\(part)")
        #expect(lines[1].hasPrefix("error: "), "\(part)")
        #expect(lines[2].hasPrefix("usage: ptoken-"), "\(part)")
        #expect(lines.last == "[64]", "\(part)")
      }
      try Golden.expect(text, is: "usage-errors")
    }
  }
}
