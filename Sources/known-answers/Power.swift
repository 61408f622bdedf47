import ArgumentParser
import Demonstrations
import Foundation
import LinearAlgebra
import Results

/// How often a leak of known size is found, by the number of records.
struct Power: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print the power curve, N = 100 ... 10,000, as a Markdown table.",
    discussion:
      "A leak in one of four dimensions, of 0.005, 0.02 and 0.1 nats; tested at 5 % over the map.")

  @Option(help: "Seeds per point.") var seeds = 20

  func run() throws {
    let sizes = [100, 300, 1000, 3000, 10_000]
    print(
      "| leak (nats) | leak (bits) | " + sizes.map { "N = \($0)" }.joined(separator: " | ") + " |")
    print("|---|---|" + sizes.map { _ in "---" }.joined(separator: "|") + "|")
    for nats in [0.005, 0.02, 0.1] {
      // Signal-to-noise ratio s with -½ ln(1 - s / ((s + 1) (1 + sigma²))) = nats.
      let share = (1 - exp(-2 * nats)) * 1.01
      let signal = [share / (1 - share), 0, 0, 0]
      var cells: [String] = []
      for rows in sizes {
        let results = try Batch.analyse(seeds: 0..<seeds, settings: .init(token: "raw")) {
          .linearGaussian(signal: signal, rows: rows, seed: $0)
        }
        let found = results.count { Verdict($0.study).outcome == .leakFound }
        let values = results.map { $0.study.cells[0][.gaussian]!.value }
        cells.append(
          "\(100 * found / seeds) % (\(values.mean.text()) ± \(values.deviation.text()))"
        )
      }
      print("| \(nats) | \((nats / 0.6931472).text()) | " + cells.joined(separator: " | ") + " |")
    }
  }
}
