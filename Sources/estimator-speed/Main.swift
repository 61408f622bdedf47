import ArgumentParser
import Foundation
import Importing
import LinearAlgebra
import MutualInformation

/// Times of estimators: our side of Benchmarks/neighbours and Benchmarks/critics.
@main
struct EstimatorSpeed: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "estimator-speed", abstract: "Time nearest neighbours and critics.",
    subcommands: [Neighbours.self, Critics.self])
}

enum Clock {
  /// Seconds of the clock and of all threads' processors; the least of several runs.
  static func least(_ runs: Int, _ body: () -> Void) -> (wall: Double, cpu: Double) {
    let clock = ContinuousClock()
    let all = (0..<runs).map { _ in
      let (start, used) = (clock.now, processor)
      body()
      return ((clock.now - start) / .seconds(1), processor - used)
    }
    return (all.map(\.0).min()!, all.map(\.1).min()!)
  }

  private static var processor: Double {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
    return seconds(usage.ru_utime) + seconds(usage.ru_stime)
  }
}

/// Times one search on rows of files.
struct Neighbours: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print the estimate of two arrays and the seconds it took, as JSON.")

  @Argument(help: ".npy of x.") var x: String
  @Argument(help: ".npy of y.") var y: String
  @Option(help: "k.") var neighbours = 5
  @Option(help: "maximum or euclidean.") var norm = "maximum"
  @Option(help: "tree, scan or auto.") var search = "auto"
  @Option(help: "Runs; the least is printed.") var runs = 3

  func run() throws {
    let sides = try [x, y].map { path in
      let array = try NumPyFile.matrix(path)
      return Matrix(rows: array.rows, columns: array.columns, elements: array.elements)
    }
    let searches: [String: NearestNeighbours.Search] = ["tree": .tree, "scan": .scan]
    var value = 0.0
    let time = Clock.least(runs) {
      let prepared = NearestNeighbours(
        x: sides[0], y: sides[1], norm: norm == "euclidean" ? .euclidean : .maximum,
        search: searches[search])
      value = prepared.estimate(k: neighbours).value
    }
    print("{\"value\": \(value), \"wall\": \(time.wall), \"cpu\": \(time.cpu)}")
  }
}
