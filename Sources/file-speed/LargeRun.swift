import ArgumentParser
import LinearAlgebra
import SnapshotFormat

/// Writes a run as large as asked: probe windows whose gradients are linear in the features, with noise.
struct LargeRun: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Write a run of many layers and windows, to be analysed.")

  @Argument(help: "Snapshot to write.") var output: String
  @Option(help: "Layers.") var layers = 60
  @Option(help: "Probe windows.") var windows = 20
  @Option(help: "Rows of a window.") var rows = 1000
  @Option(help: "Numbers of a gradient.") var width = 512
  @Option(help: "Numbers of a feature.") var features = 64

  func run() throws {
    var generator = SeededGenerator(seed: 1)
    let x = generator.normalMatrix(rows: rows, columns: features)
    let streams =
      [StreamDescription(name: "input", kind: .feature, shape: [features])]
      + (0..<layers).map {
        StreamDescription(
          name: "layer \($0)", kind: .gradient(layer: "layer \($0)", stage: .raw), shape: [width])
      }
    let writer = try Writer(
      path: output, run: Setting.run(layers: layers, width: width),
      tables: [TableDescription(name: "probe", unit: .example, mode: .probe, streams: streams)],
      synchronization: .never, force: true)
    let key = RecordKey(bytes: [1])
    let records = (0..<rows).map { key.id(of: "\($0)".utf8) }
    let input = x.elements.map { Float($0) }
    // The same weights in every window, and noise that shifts along itself: drawing it all anew would take longer than the
    // analysis.
    let noise = generator.normalMatrix(rows: rows, columns: width).elements
    for window in 0..<windows {
      let values = (0..<layers).map { layer -> [Float] in
        let weights = SeededGenerator.normalMatrix(seed: UInt64(layer), features, width)
        let signal = x.times(weights).elements
        let shift = (window * layers + layer) * 7919 % noise.count
        return signal.indices.map {
          Float(
            0.1 * signal[$0]
              + noise[$0 + shift < noise.count ? $0 + shift : $0 + shift - noise.count])
        }
      }
      try writer.append(
        StepDescription(index: window * 100, mode: .probe),
        rows: [
          TableRows(
            table: 0, records: records, values: [.float(input)] + values.map { .float($0) })
        ])
    }
    try writer.close()
  }
}

extension SeededGenerator {
  static func normalMatrix(seed: UInt64, _ rows: Int, _ columns: Int) -> Matrix {
    var generator = SeededGenerator(seed: seed, stream: 7)
    return generator.normalMatrix(rows: rows, columns: columns)
  }
}
