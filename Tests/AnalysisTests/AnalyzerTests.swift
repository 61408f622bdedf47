import Analysis
import Demonstrations
import Foundation
import LinearAlgebra
import Results
import SnapshotFormat
import Synchronization
import TestSupport
import Testing

@Suite("Analyzer")
struct AnalyzerTests {
  /// A small digits recording: two probe windows and one of trace.
  private static func record(_ folder: TemporaryFolder, probe: Int = 400) throws -> String {
    var options = DigitsRun.Options()
    options.epochs = 1
    options.probe = probe
    options.traceEvery = 2
    let path = folder.file("run.h5")
    _ = try DigitsRun(options).record(to: path, producer: "test")
    return path
  }

  private static let quick = Study.Settings(pairings: 19)

  @Test("windows are probe steps and grouped trace steps, all with every layer")
  func plan() throws {
    try withTemporaryFolder { folder in
      let path = try Self.record(folder)
      let study = try Analyzer(settings: Self.quick, version: "test").run(path: path).study
      #expect(study.layers.map(\.name) == ["fc1", "fc2", "fc3"])
      #expect(study.layers.map(\.parameters) == [2080, 1056, 330])
      #expect(study.windows.map(\.mode) == ["probe", "probe", "probe", "trace"])
      #expect(study.windows.map(\.firstStep) == [0, 11, 44, 0])
      #expect(study.windows[3].lastStep == 42)
      #expect(study.cells.count == 12)
      #expect(study.windows[0].labelEntropy > 2.2 && study.windows[0].labelEntropy < 2.31)
    }
  }

  @Test("a record is in one fold in every window, and once in each")
  func folds() throws {
    try withTemporaryFolder { folder in
      let result = try Analyzer(settings: Self.quick, version: "test")
        .run(path: try Self.record(folder))
      var fold: [RecordID: UInt8] = [:]
      // Windows of another number of rows may have another number of folds; the probe windows agree.
      for window in result.windows.prefix(3) {
        #expect(Set(window.records).count == window.records.count)
        for (record, number) in zip(window.records, window.folds) {
          #expect(fold[record, default: number] == number)
          fold[record] = number
        }
      }
    }
  }

  @Test("figures agree with the per-row scores behind them")
  func rows() throws {
    try withTemporaryFolder { folder in
      let result = try Analyzer(settings: Self.quick, version: "test")
        .run(path: try Self.record(folder))
      for (cell, rows) in zip(result.study.cells, result.cells) {
        #expect(cell.layer == rows.layer && cell.window == rows.window)
        #expect(rows.tokens.count == rows.width * result.windows[cell.window].records.count)
        for (measure, scores) in rows.scores {
          let figure = try #require(cell[measure])
          #expect(abs(scores.reduce(0, +) / Double(scores.count) - figure.value) < 1e-9)
        }
      }
    }
  }

  @Test(
    "the same file and seed give the same bytes, another seed gives others; a file reads back as it was"
  )
  func repeatable() throws {
    try withTemporaryFolder { folder in
      let path = try Self.record(folder)
      var bytes: [Data] = []
      for (name, seed) in [("a", 1), ("b", 1), ("c", 2)] {
        var settings = Self.quick
        settings.seed = UInt64(seed)
        let result = try Analyzer(settings: settings, version: "test").run(path: path)
        let output = folder.file("\(name).analysis.h5")
        try AnalysisFile.write(
          result.study, windows: result.windows, cells: result.cells, to: output)
        bytes.append(try Data(contentsOf: URL(filePath: output)))
        let read = try AnalysisFile.study(inFileAt: output)
        #expect(read.run == result.study.run && read.provenance == result.study.provenance)
        #expect(read.layers == result.study.layers && read.warnings == result.study.warnings)
        // NaN is not equal to itself, so figures are compared as they print.
        #expect("\(read.windows)" == "\(result.study.windows)")
        #expect("\(read.cells)" == "\(result.study.cells)")
      }
      #expect(bytes[0] == bytes[1])
      #expect(bytes[0] != bytes[2])
    }
  }

  @Test("the critic of the settings scores pairs; what does not use it stays as it is")
  func critics() throws {
    try withTemporaryFolder { folder in
      let path = try Self.record(folder)
      let studies = try ["gaussian", "hybrid"].map { critic in
        var settings = Self.quick
        settings.critic = critic
        return try Analyzer(settings: settings, version: "test").run(path: path).study
      }
      for (one, other) in zip(studies[0].cells, studies[1].cells) {
        #expect(one[.gaussian]?.value == other[.gaussian]?.value)
        #expect(one[.ksg]?.value == other[.ksg]?.value)
        let (closed, hybrid) = (
          try #require(one[.donskerVaradhan]), try #require(other[.donskerVaradhan])
        )
        #expect(closed.value != hybrid.value)
        for figure in [closed, hybrid] {
          // Mismatched pairs read less than matched ones, and the leak of these runs is found by either.
          #expect(figure.nullMean < figure.value && figure.p == 0.05 && figure.mapP == 0.05)
        }
      }
    }
  }

  @Test("too few rows, and no feature, are refused with a remedy")
  func refusals() throws {
    try withTemporaryFolder { folder in
      var options = DigitsRun.Options()
      options.epochs = 0
      options.probe = 40
      let small = folder.file("small.h5")
      _ = try DigitsRun(options).record(to: small, producer: "test")
      let few = #expect(throws: AnalysisError.self) {
        try Analyzer(version: "test").run(path: small)
      }
      #expect(few?.code == .tooFewRows)
      #expect(few?.message == "expected a window of at least 60 rows, found at most 40")
      #expect(few?.remedy.contains("probe") == true)

      let bare = folder.file("bare.h5")
      try TestRun.write(to: bare, mode: .probe, hasFeatures: false, [])
      let none = #expect(throws: AnalysisError.self) {
        try Analyzer(version: "test").run(path: bare)
      }
      #expect(none?.code == .nothingToAnalyse)
    }
  }

  @Test(
    "progress counts every cell once and foretells nothing beyond the last; memory changes nothing")
  func progress() throws {
    try withTemporaryFolder { folder in
      let path = try Self.record(folder)
      let seen = Mutex<[Analyzer.Progress]>([])
      func figures(memory: Int) throws -> String {
        let analyzer = Analyzer(settings: Self.quick, version: "test", memory: memory)
        let result = try analyzer.run(path: path) { progress in
          seen.withLock { $0.append(progress) }
        }
        return "\(result.study.cells)"
      }
      // Nothing is read ahead of a cell at a time.
      #expect(try figures(memory: 0) == figures(memory: 1 << 30))
      let all = seen.withLock { $0 }
      for run in [all.prefix(12), all.suffix(12)] {
        #expect(Set(run.map(\.done)) == Set(1...12) && run.allSatisfy { $0.total == 12 })
        let left = Dictionary(uniqueKeysWithValues: run.map { ($0.done, $0.secondsLeft) })
        #expect(left[12]! < 1e-9 && left[1]! > 0 && left[1]!.isFinite)
      }
      #expect(all.count == 24)
    }
  }

  @Test("a constant layer is left out with a warning, not a crash")
  func constant() throws {
    try withTemporaryFolder { folder in
      let run = SyntheticRun.constantLayer(rows: 200, seed: 1)
      let path = folder.file("run.h5")
      try run.record(to: path)
      let study = try Analyzer(settings: Self.quick, version: "test").run(path: path).study
      #expect(study.cells.map(\.layer) == [0])
      #expect(study.warnings.contains { $0.contains("layer2") })
    }
  }

  @Test("fewer than 19 pairings test nothing, and say so")
  func fewPairings() throws {
    try withTemporaryFolder { folder in
      let path = folder.file("run.h5")
      try SyntheticRun.plantedNumber(rows: 200, seed: 1).record(to: path)
      let study = try Analyzer(settings: .init(pairings: 10), version: "test").run(path: path).study
      #expect(Verdict(study).outcome == .notTested)
      #expect(study.warnings.contains { $0.contains("at least 19") })
    }
  }
}
