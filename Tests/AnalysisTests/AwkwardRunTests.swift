import Analysis
import LinearAlgebra
import Results
import SnapshotFormat
import Synchronization
import TestSupport
import Testing

/// Legal files that analyses once refused, misread or were sure of without grounds.
@Suite("Awkward runs")
struct AwkwardRunTests {
  private func study(
    _ steps: [TestRun.Step], _ mode: StepMode = .probe, _ settings: Study.Settings? = nil
  ) throws -> Study {
    try withTemporaryFolder { folder in
      let path = folder.file("run.h5")
      try TestRun.write(to: path, mode: mode, steps)
      return try Analyzer(
        settings: settings ?? .init(critic: "gaussian", pairings: 19), version: "test"
      ).run(path: path).study
    }
  }

  private func normal(_ rows: Int, _ columns: Int, seed: UInt64) -> Matrix {
    var generator = SeededGenerator(seed: seed)
    return generator.normalMatrix(rows: rows, columns: columns)
  }

  private func twice(_ rows: Matrix) -> Matrix {
    rows.gatheringRows(Array(0..<rows.rows) + Array(0..<rows.rows))
  }

  @Test("steps that hold the same records are one step's rows, by either critic")
  func sameRecords() throws {
    let x = normal(100, 2, seed: 1)
    let steps = (0..<6).map {
      TestRun.Step(
        features: x, gradients: normal(100, 3, seed: UInt64(2 + $0)), records: Array(0..<100))
    }
    for critic in ["hybrid", "gaussian"] {
      let study = try study(steps, .trace, .init(critic: critic, pairings: 19))
      #expect(study.windows.map(\.rows) == [100])
      // Of all rows the first step's are used, and only that step is named.
      #expect(study.windows[0].firstStep == 0 && study.windows[0].lastStep == 0)
      #expect(study.cells.flatMap(\.figures).allSatisfy { $0.standardError.isFinite })
    }
  }

  // With copies kept, all of such studies had a finding; of 10 at 5 %, more than 3 are a false alarm in 1,000.
  @Test("rows that come twice under other records are counted once")
  func copies() throws {
    let studies = try (0..<10).map { seed in
      try study([
        .init(
          features: twice(normal(300, 3, seed: UInt64(seed))),
          gradients: twice(normal(300, 8, seed: UInt64(100 + seed))))
      ])
    }
    #expect(studies.count { Verdict($0).outcome == .leakFound } <= 3)
    for study in studies {
      #expect(study.windows.map(\.rows) == [300])
      #expect(study.warnings.contains { $0.hasPrefix("300 of 600 rows at step 0 equal others") })
    }
    // Symbols repeat by nature.
    let symbols = Matrix(rows: 1000, columns: 1) { row, _ in Double(row % 50) }
    let found = try study([.init(features: symbols, gradients: symbols.appendingColumns(symbols))])
    #expect(found.windows.map(\.rows) == [1000])
  }

  @Test("uneven steps are never surer than independent rows")
  func uneven() throws {
    for sizes in [[499, 1], [480] + Array(repeating: 2, count: 10)] {
      let steps = sizes.enumerated().map { number, rows in
        let x = normal(rows, 1, seed: UInt64(2 * number))
        return TestRun.Step(
          features: x, gradients: x + normal(rows, 1, seed: UInt64(2 * number + 1)))
      }
      let study = try study(
        steps, .trace, .init(token: "raw", critic: "gaussian", pairings: 19))
      let figure = try #require(study.cells[0].figures.first { $0.measure == .gaussian })
      // ½ ln 2 nats of 500 rows are known to about 0.03; the steps' own sums said 0.006.
      #expect(figure.standardError > 0.02 && figure.standardError < 0.1)
    }
  }

  @Test("labels of many classes are measured, and said not to be where they cannot be")
  func labels() throws {
    let labels = (0..<300).map { Int32($0 % 100) }
    // A place in four dimensions for each class.
    let places = normal(100, 4, seed: 2)
    let noisy = places.gatheringRows(labels.map { Int($0) }) + 0.01 * normal(300, 4, seed: 3)
    let many = try study([
      .init(features: normal(300, 3, seed: 4), gradients: noisy, labels: labels)
    ])
    let label = try #require(many.cells[0].figures.first { $0.measure == .label })
    #expect(label.p <= 0.05 && !label.flags.contains(.saturated) && label.high <= label.ceiling)
    let all = try study([
      .init(
        features: normal(300, 3, seed: 5), gradients: normal(300, 8, seed: 6),
        labels: (0..<300).map { Int32($0) })
    ])
    #expect(!all.cells[0].figures.contains { $0.measure == .label })
    #expect(all.warnings.contains { $0.hasPrefix("Labels at step 0: 300 classes in 300 rows") })
  }

  @Test("a label that gradients give away is not saturated: there is no more to know")
  func label() throws {
    let labels = (0..<600).map { Int32($0 % 10) }
    let gradients = Matrix(rows: 600, columns: 10) { row, column in
      Int(labels[row]) == column ? 1 : 0
    }
    let study = try study([
      .init(
        features: normal(600, 2, seed: 7), gradients: gradients + 0.01 * normal(600, 10, seed: 8),
        labels: labels)
    ])
    let figure = try #require(study.cells[0].figures.first { $0.measure == .label })
    #expect(figure.value > 0.9 * figure.ceiling && figure.high <= figure.ceiling)
    #expect(!figure.flags.contains(.saturated))
  }

  @Test("what cannot be measured is told apart: features, layers, components")
  func immeasurable() throws {
    let ones = Matrix(rows: 300, columns: 3, repeating: 1)
    let feature = try study([.init(features: ones, gradients: normal(300, 4, seed: 9))])
    #expect(feature.cells.isEmpty)
    #expect(feature.warnings.contains("Features do not vary at step 0: nothing to measure there."))
    let layer = try study([.init(features: normal(300, 3, seed: 9), gradients: ones)])
    #expect(layer.warnings.contains("Layer fc does not vary at step 0: nothing to measure there."))
    // Two values of a gradient: its direction and its norm say the same.
    let two = Matrix(rows: 300, columns: 2) { row, column in
      row % 3 == 0 ? (column == 0 ? 1 : 0) : (column == 0 ? 0 : 2)
    }
    var settings = Study.Settings(critic: "gaussian", pairings: 19)
    settings.sigma = 0
    let dependent = try study(
      [.init(features: normal(300, 3, seed: 10), gradients: two)], .probe, settings)
    #expect(dependent.warnings.contains { $0.contains("--sigma above 0") })
  }

  @Test("with room for one component, a layer of one direction is its norm")
  func norm() throws {
    let x = normal(80, 1, seed: 11)
    let study = try study([
      .init(features: x, gradients: Matrix(rows: 80, columns: 1) { row, _ in 1.5 + x[row, 0] / 4 })
    ])
    let figure = try #require(study.cells.first?.figures.first { $0.measure == .gaussian })
    #expect(figure.value > 0.5 && figure.p <= 0.05)
  }

  @Test("records that come again and again do not make a window")
  func fewRecords() throws {
    let steps = (0..<60).map {
      TestRun.Step(
        features: normal(12, 3, seed: 1), gradients: normal(12, 4, seed: UInt64($0)),
        records: Array(0..<12))
    }
    let error = #expect(throws: AnalysisError.self) { try study(steps, .trace) }
    #expect(error?.code == .tooFewRows && error?.message.contains("found at most 12") == true)
  }
}
