import ArgumentParser
import Demonstrations
import LinearAlgebra
import Results

/// A planted leak: each gradient carries its record's number.
struct Planted: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Find a planted leak in at least 95 % of seeds.")

  @Option(help: "Seeds.") var seeds = 20
  @Option(help: "Records.") var rows = 600

  func run() throws {
    let results = try Batch.analyse(seeds: 0..<seeds) { .plantedNumber(rows: rows, seed: $0) }
    let found = results.count { Verdict($0.study).outcome == .leakFound }
    let cell = { (measure: Measure) in
      results.compactMap { $0.study.cells[0][measure]?.value }.mean
    }
    print(
      "found in \(found) of \(seeds); mean information \(cell(.gaussian).text()) nats, "
        + "re-identification \(cell(.reidentification).text()), recoverable variance \(cell(.recoverableVariance).text())"
    )
    try conclude(found * 20 >= 19 * seeds, "planted leak found in \(found) of \(seeds) seeds")
  }
}

/// Independent noise: findings are false alarms, and must come at the stated rate.
struct Independent: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Count findings in independent noise: 2 layers, 2 windows, 4 tested measures.",
    discussion: """
      At a false-alarm rate of 5 %, findings in 200 seeds are Binomial(200, 0.05): 4 to 17 with probability 0.98.
      Other numbers of seeds are judged by the same quantiles, from 1 % to 98.5 %.
      """)

  @Option(help: "Seeds.") var seeds = 200
  @Option(help: "Records.") var rows = 300
  @Option(help: "First seed.") var first = 0
  @Option(help: "Record as trace, in steps of so many rows; else as probe.") var batch: Int?

  func run() throws {
    let results = try Batch.analyse(seeds: first..<first + seeds, batch: batch) {
      .independent(rows: rows, seed: $0)
    }
    let alarms = results.count { Verdict($0.study).outcome == .leakFound }
    let (low, high) = Self.limits(seeds)
    for measure in [Measure.gaussian, .ksg, .label, .donskerVaradhan] {
      let values = results.flatMap { $0.study.cells.compactMap { $0[measure] } }
      let alone = values.count { $0.p <= 0.05 }
      let rate =
        values.first?.p.isFinite == true ? "; alone below 5 %: \(alone) of \(values.count)" : ""
      print("\(measure.rawValue): mean \(values.map(\.value).mean.text(4)) nats\(rate)")
    }
    try conclude(
      (low...high).contains(alarms),
      "\(alarms) findings in \(seeds) seeds of noise, expected \(low) to \(high)")
  }

  /// Quantiles of Binomial(n, 0.05) that give 4 and 17 for n = 200.
  static func limits(_ n: Int) -> (Int, Int) {
    var term = 1.0
    for _ in 0..<n { term *= 0.95 }
    var (sum, low, high) = (term, 0, n)
    var isLowFound = false
    for k in 0...n {
      if k > 0 {
        term *= Double(n - k + 1) / Double(k) * 0.05 / 0.95
        sum += term
      }
      if !isLowFound, sum > 0.01 { (low, isLowFound) = (k, true) }
      if sum >= 0.985 {
        high = k
        break
      }
    }
    return (low, high)
  }
}
