import ArgumentParser
import Foundation
import InformationTasks
import LinearAlgebra
import MutualInformation

/// The estimator `auto` on pairs of many shapes whose information is known.
struct Pairs: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Estimate pairs of known information, as a Markdown table.",
    discussion: "No goal is judged: the table shows the bad ones too.")

  @Option(help: "Rows.") var rows = 10_000
  @Option(help: "Draws of each.") var draws = 1
  @Option(help: "Part of a name.") var name = ""
  @Option(help: "Estimator.") var estimator = "auto"

  func run() throws {
    guard let estimator = Estimator(rawValue: estimator) else {
      throw ValidationError("--estimator: found '\(estimator)'.")
    }
    let tasks =
      InformationTask.pairs + [.rankOne(dx: 1000, dy: 1000, nats: 1)]
      + [2.0, 4, 6, 8, 12].flatMap { nats in
        [1, 4].map { InformationTask.gaussian(dimensions: $0, nats: nats) }
      }
    print("\(rows) rows, \(estimator.rawValue), nats")
    print("| pair | truth | value | 95 % | p | flags | s |")
    print("|---|---|---|---|---|---|---|")
    for task in tasks where name.isEmpty || task.name.contains(name) {
      for draw in 0..<draws {
        let (x, y) = task.sample(rows, seed: UInt64(draw + 1))
        let start = ContinuousClock.now
        let found = try PairedRows(x: x, y: y).estimate(estimator)
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let flags = found.flags.map(\.rawValue).sorted().joined(separator: ", ")
        print(
          "| \(task.name) | \(task.truth.text()) | \(found.value.text()) | \(found.low.text()) to \(found.high.text()) "
            + "| \((found.null?.p ?? .nan).text()) | \(flags) | \(seconds.text(1)) |")
        // A table that takes minutes is read as it grows.
        fflush(nil)
      }
    }
  }
}

/// How often `auto`'s test finds something in independent rows.
struct Calibration: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Count findings at 5 % in independent Gaussian rows of 1, 5, 25 and 128 columns.",
    discussion: """
      The p-value combines two tests or, in 1 column, three: of the critic's scores, of correlation and of nearest \
      neighbours; it finds near 5 %, whether or not they agree.
      """)

  @Option(help: "Seeds.") var seeds = 1000
  @Option(help: "Rows.") var rows = 300
  @Option(help: "Columns of each side; all four if not given.") var columns: [Int] = []

  func run() throws {
    var isReached = true
    print(
      "| columns | findings | share | of each test alone | mean value (nats) | widest interval |")
    print("|---|---|---|---|---|---|")
    for columns in columns.isEmpty ? [1, 5, 25, 128] : columns {
      var (findings, values, widest) = (0, [Double](), 0.0)
      var alone: [Int] = []
      for seed in 0..<seeds {
        let (x, y) = InformationTask.gaussian(dimensions: columns, rho: 0)
          .sample(rows, seed: UInt64(seed))
        var options = EstimationOptions()
        options.seed = UInt64(seed)
        let found = try PairedRows(x: x, y: y).estimate(.auto, options: options)
        if found.null?.p ?? 1 <= 0.05 { findings += 1 }
        let tests = (found.null?.tests ?? []).map { $0 <= 0.05 ? 1 : 0 }
        alone = alone.isEmpty ? tests : zip(alone, tests).map { $0 + $1 }
        values.append(found.value)
        widest = max(widest, found.high - found.low)
      }
      let share = Double(findings) / Double(seeds)
      isReached = isReached && (0.03...0.07).contains(share)
      print(
        "| \(columns) | \(findings) of \(seeds) "
          + "| \((100 * share).text(1)) % | \(alone.map(String.init).joined(separator: ", ")) | \(values.mean.text()) | \(widest.text()) |"
      )
      fflush(nil)
    }
    try conclude(isReached, "false alarms at 5 % in 3 to 7 % of independent runs (1,000 tell)")
  }
}
