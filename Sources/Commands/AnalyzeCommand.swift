private import Analysis
public import ArgumentParser
private import Foundation
private import Reporting
private import Results
private import SnapshotFormat

/// `ptoken-analyze`: estimates what gradients tell about the data.
public struct AnalyzeCommand: ParsableCommand {
  /// Name, help and version.
  public static let configuration = CommandConfiguration(
    commandName: "ptoken-analyze",
    abstract: "Estimate the information that recorded gradients carry about the training data.",
    discussion: """
      Turns each layer's gradients into tokens (direction and log norm, standardised on training rows), adds noise \
      of standard deviation --sigma, and measures on held-out records: mutual information with the inputs \
      (Gaussian, Donsker-Varadhan bound, nearest neighbours) and with the labels, re-identification and \
      recoverable variance, all against mismatched pairings.

      Writes run.analysis.h5 beside run.h5 and prints a summary. The same file, options and seed give the same \
      bytes. A leak that is found is a result, not an error: the exit status is 0.

      EXAMPLES
        ptoken-analyze run.h5
        ptoken-analyze run.h5 --sigma 0.5 --seed 7 -o coarse.analysis.h5
        ptoken-analyze run.h5 --dry-run
        ptoken-analyze run.h5 --json | jq .verdict

      Two arrays of numpy alone: ptoken-analyze pair x.npy y.npy (see ptoken-analyze pair --help).

      \(Command.statuses)
      """,
    version: Command.version)

  @Argument(help: "Snapshot file, written by ptoken-record.")
  var input: String

  @Option(
    name: .shortAndLong,
    help: .init("Analysis file to write. (default: run.analysis.h5)", valueName: "file"))
  var output: String?

  @Flag(help: "Replace the output if it exists.")
  var force = false

  @Flag(help: "Also say where the time went, on stderr.")
  var timings = false

  @Flag(help: "Say what would be done, how long it takes and in how much memory; do nothing.")
  var dryRun = false

  @OptionGroup(title: "Analysis options") var study: StudyOptions

  @OptionGroup var common: CommonOptions

  /// An empty command, for the parser to fill.
  public init() {}

  /// Refuses options that do not fit together.
  public func validate() throws {
    try Files.requireName(input, "<input>")
    try Files.requireName(output, "--output")
  }

  /// Runs the command.
  public func run() throws {
    let console = Console(quiet: common.quiet)
    let usual = Files.sibling(of: input, ".analysis.h5")
    let output = output ?? usual
    guard !dryRun else { return try forecast(output) }
    let times = Timings()
    let result = try study.analyse(
      input, to: output, force: force, console: console, timings: times)
    if timings { Self.show(times) }
    if common.json {
      try Console.result(JSONReport(study: result).render(), isJSON: true)
    } else {
      try Console.result(TextSummary(study: result).render())
      let next = output == usual ? input : output
      console.note("Written to \(output). Next: ptoken-report --html \(next)")
    }
  }

  private func forecast(_ output: String) throws {
    let forecast = try study.forecast(input, to: output)
    guard !common.json else {
      return try Console.result(
        JSONValue.object([
          "layers": .number(forecast.layers), "windows": .number(forecast.windows),
          "cells": .number(forecast.cells), "seconds": .number(forecast.seconds),
          "memory_bytes": .number(forecast.memory),
          "warnings": .array(forecast.warnings.map { .string($0) }),
        ]).text(), isJSON: true)
    }
    let lines =
      [
        "\(Console.count(forecast.layers, "layer")), \(Console.count(forecast.windows, "window")), \(Console.count(forecast.cells, "cell")): about \(Console.duration(forecast.seconds)) and \(Console.bytes(forecast.memory)) of memory."
      ] + forecast.warnings
    try Console.result(lines.joined(separator: "\n"))
  }

  /// Seconds of each stage, of all threads together, and how many threads were busy on average.
  private static func show(_ timings: Timings) {
    let total = timings.stages.reduce(0) { $0 + $1.seconds }
    for (stage, seconds) in timings.stages {
      let share = Int((100 * seconds / max(total, .leastNormalMagnitude)).rounded())
      Console.line(String(format: "%9.2f s %3d %%  ", seconds, share) + stage.rawValue)
    }
    Console.line(
      String(
        format: "%9.2f s of %.1f threads in %.2f s", total, total / timings.elapsed, timings.elapsed
      ))
  }
}
