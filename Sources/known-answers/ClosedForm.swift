import ArgumentParser
import Demonstrations
import Foundation
import LinearAlgebra
import Results

/// The linear-Gaussian run in 1, 4 and 16 dimensions against its closed form.
struct ClosedForm: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compare figures of a linear-Gaussian run with the closed form.",
    discussion: """
      Goal in each dimension: the mean estimate is within 3 of its standard errors (plus 1 % of the truth, the order
      of the second-order bias), and 95 % intervals cover the truth in at least 88 % of seeds (95 % is expected; 100 seeds give less than 88 % once in 500 studies); bounds stay below it.
      """)

  @Option(help: "Seeds per dimension.") var seeds = 100
  @Option(help: "Records.") var rows = 1000
  @Option(help: "Resolution.") var sigma = 0.1

  func run() throws {
    print("\(rows) rows, \(seeds) seeds, nats")
    print("| d | truth | Gaussian | bias | stated error | coverage | bound (DV) | KSG |")
    print("|---|---|---|---|---|---|---|---|")
    var isReached = true
    for signal in [[3.0], [2, 1, 0.5, 0.25], [Double](repeating: 0.3, count: 16)] {
      let settings = Study.Settings(sigma: sigma, token: "raw", pairings: 19)
      let results = try Batch.analyse(seeds: 0..<seeds, settings: settings) {
        .linearGaussian(signal: signal, rows: rows, seed: $0)
      }
      let truth = results[0].run.closedForm(sigma: sigma)
      let figures = results.map { $0.study.cells[0][.gaussian]! }
      let values = figures.map(\.value)
      let error = values.deviation / Double(seeds).squareRoot()
      let bias = values.mean - truth
      let covered =
        Double(figures.count { $0.low <= truth && truth <= $0.high }) / Double(seeds)
      let bound = results.map { $0.study.cells[0][.donskerVaradhan]!.value }.mean
      let ksg = results.map { $0.study.cells[0][.ksg]!.value }.mean
      let stated = figures.map(\.standardError).mean
      let numbers = [truth, values.mean, bias, stated, covered, bound, ksg]
      print("| \(signal.count) | " + numbers.map { $0.text() }.joined(separator: " | ") + " |")
      isReached =
        isReached && abs(bias) <= 3 * error + 0.01 * truth && covered >= 0.88
        && bound <= truth + error
    }
    try conclude(isReached, "closed form matched within stated errors in 1, 4 and 16 dimensions")
  }
}
