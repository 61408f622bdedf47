import Analysis
import Demonstrations
import Results
import TestSupport
import Testing

/// The whole path, record to analysis, where the answer is known. scripts/known-answers runs the long form.
@Suite("Known answers, end to end")
struct KnownAnswerTests {
  private func study(
    of run: SyntheticRun, settings: Study.Settings = .init()
  ) throws -> Study {
    try withTemporaryFolder { folder in
      let path = folder.file("run.h5")
      try run.record(to: path)
      return try Analyzer(settings: settings, version: "test").run(path: path).study
    }
  }

  // The estimate of one seed is within 4 of its standard errors but once in 16,000; 1 % of the truth allows for the
  // second-order bias.
  @Test(
    "a linear-Gaussian run reads its closed form",
    arguments: [[3.0], [2, 1, 0.5, 0.25], [Double](repeating: 0.3, count: 16)])
  func closedForm(signal: [Double]) throws {
    let run = SyntheticRun.linearGaussian(signal: signal, rows: 2000, seed: 7)
    let cell = try #require(
      try study(of: run, settings: .init(token: "raw", pairings: 19)).cells.first)
    let truth = run.closedForm(sigma: 0.1)
    let gaussian = try #require(cell[.gaussian])
    #expect(abs(gaussian.value - truth) < 4 * gaussian.standardError + 0.01 * truth)
    let bound = try #require(cell[.donskerVaradhan])
    #expect(bound.value < truth + 4 * bound.standardError)
    #expect(bound.value > 0.5 * truth)
    #expect(gaussian.mapP == 0.05)
  }

  @Test("a larger sigma lowers the truth and the figure alike")
  func sigma() throws {
    let run = SyntheticRun.linearGaussian(signal: [3, 1], rows: 2000, seed: 3)
    for sigma in [0, 0.5, 2.0] {
      let cell = try #require(
        try study(of: run, settings: .init(sigma: sigma, token: "raw", pairings: 19)).cells.first)
      let figure = try #require(cell[.gaussian])
      #expect(abs(figure.value - run.closedForm(sigma: sigma)) < 4 * figure.standardError)
    }
  }

  // The bias gradient of a softmax layer is p - y: its only negative entry is the label, whatever its norm.
  @Test(
    "the last layer gives its labels away at every checkpoint, however small its gradients become")
  func labelsThroughTraining() throws {
    try withTemporaryFolder { folder in
      var options = DigitsRun.Options()
      options.probe = 600
      let path = folder.file("run.h5")
      _ = try DigitsRun(options).record(to: path, producer: "test")
      let study = try Analyzer(settings: .init(pairings: 19), version: "test").run(path: path)
        .study
      let last = try #require(study.layers.firstIndex { $0.name == "fc3" })
      for cell in study.cells where cell.layer == last && study.windows[cell.window].mode == "probe"
      {
        #expect(try #require(cell[.labelAccuracy]).value > 0.95)
      }
    }
  }

  @Test("a planted record number is found")
  func planted() throws {
    let study = try study(of: .plantedNumber(rows: 600, seed: 1))
    let verdict = Verdict(study)
    #expect(verdict.outcome == .leakFound)
    let cell = try #require(study.cells.first)
    #expect(try #require(cell[.reidentification]).value > 0.5)
    #expect(try #require(cell[.recoverableVariance]).value > 0.5)
  }

  // Labels are drawn apart from everything else: none of 5 seeds may find them at all measures. The map's own rate
  // is 5 %, so 4 or more of 10 findings have probability 0.001.
  @Test("independent noise is rarely a finding, and its figures are about zero")
  func independent() throws {
    var findings = 0
    for seed in 1...10 {
      let study = try study(
        of: .independent(rows: 300, seed: UInt64(seed)),
        settings: .init(pairings: 39, seed: UInt64(seed)))
      if Verdict(study).outcome == .leakFound { findings += 1 }
      for cell in study.cells {
        let figure = try #require(cell[.gaussian])
        #expect(abs(figure.value) < 5 * figure.nullDeviation)
        #expect(abs(try #require(cell[.reidentification]).value) < 0.05)
        #expect(try #require(cell[.recoverableVariance]).value < 0.1)
      }
    }
    #expect(findings < 4)
  }

  @Test("noise at the observer's stage, on the same rows, lowers every reading to the null")
  func noise() throws {
    var readings: [(bits: Double, bound: Double, identified: Double, variance: Double)] = []
    var last: Study.Cell?
    for z in [0, 0.1, 8] {
      var options = DigitsRun.Options()
      options.epochs = 0
      options.probe = 800
      options.probePrivacy = .init(clip: 1, noise: z)
      let cell = try withTemporaryFolder { folder in
        let path = folder.file("run.h5")
        _ = try DigitsRun(options).record(to: path, producer: "test")
        let study = try Analyzer(settings: .init(pairings: 19), version: "test").run(path: path)
          .study
        return try #require(study.cells.first)
      }
      readings.append(
        (
          try #require(cell[.gaussian]).value, try #require(cell[.donskerVaradhan]).value,
          try #require(cell[.reidentification]).value,
          try #require(cell[.recoverableVariance]).value
        ))
      last = cell
    }
    for (quieter, louder) in zip(readings, readings.dropFirst()) {
      #expect(louder.bits < quieter.bits)
      #expect(louder.bound < quieter.bound)
      #expect(louder.identified < quieter.identified)
      #expect(louder.variance < quieter.variance)
    }
    let gaussian = try #require(last?[.gaussian])
    #expect(abs(gaussian.value) < 4 * gaussian.nullDeviation)
  }
}
