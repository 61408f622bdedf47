import ArgumentParser
import LinearAlgebra
import MutualInformation

/// Times training steps of critics.
struct Critics: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Print training steps per second, and the share of sgemm's rate that they reach, as JSON.")

  @Option(help: "mine or infonce.") var objective = "mine"
  @Option(help: "Columns of x.") var x = 5
  @Option(help: "Columns of y.") var y = 5
  @Option(parsing: .upToNextOption, help: "Hidden widths.") var hidden = [16, 8]
  @Option(help: "Rows of a batch.") var batch = 256
  @Option(help: "Steps to time.") var steps = 200
  @Option(help: "Trainings side by side, as folds are.") var trainings = 1

  func run() throws {
    BLAS.useOneThread()
    let isInfoNCE = objective == "infonce"
    // Of each pair: forwards, and backwards to inputs and to weights, through all layers but the factored first.
    let products = zip(hidden, hidden.dropFirst() + [1]).reduce(0) { $0 + $1.0 * $1.1 }
    let pairs = isInfoNCE ? batch * batch : 2 * batch
    let first = 3 * 2 * batch * (x + y) * hidden[0]
    let operations = Double(3 * 2 * pairs * products + first)
    // Warm first, then timed.
    _ = train(isInfoNCE, steps: max(2, steps / 10))
    let time = Clock.least(3) { _ = train(isInfoNCE, steps: steps) }
    let rate = Double(steps * trainings) / time.wall
    let sgemm = Self.sgemm(trainings)
    print(
      "{\"steps_per_second\": \(rate), \"gflops\": \(operations * rate / 1e9), \"sgemm\": \(sgemm), \"share\": \(operations * rate / 1e9 / sgemm)}"
    )
  }

  private func train(_ isInfoNCE: Bool, steps: Int) -> [Double] {
    Parallel.map(trainings) { number in
      CriticBenchmark.train(
        xWidth: x, yWidth: y, hidden: hidden, isInfoNCE: isInfoNCE, batch: batch, steps: steps,
        seed: UInt64(number))
    }
  }

  /// GFLOP/s of products of 1,024 x 1,024 matrices in single precision, on as many threads.
  private static func sgemm(_ threads: Int) -> Double {
    let n = 1024
    let time = Clock.least(5) {
      _ = Parallel.map(threads) { _ in
        let (a, b, c) = (
          Buffer<Float>(count: n * n), Buffer<Float>(count: n * n), Buffer<Float>(count: n * n)
        )
        for _ in 0..<8 {
          Float.multiply(false, false, n, n, n, 1, a.start, n, b.start, n, 0, c.start, n)
        }
        return withExtendedLifetime((a, b)) { c[0] }
      }
    }
    return Double(threads) * 8 * 2 * Double(n * n * n) / time.wall / 1e9
  }
}
