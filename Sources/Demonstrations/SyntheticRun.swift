private import Foundation
public import LinearAlgebra
private import Recording
public import SnapshotFormat

/// A made-up "training run" whose leak is known exactly: what an analysis must find, or must not.
public struct SyntheticRun: Sendable {
  /// Data of each record, [n, width].
  public let features: Matrix
  /// Gradients of one probe step by layer, each [n, width]; outer index: probe step.
  public let gradients: [[Matrix]]
  /// Class of each record.
  public let labels: [Int32]
  /// Eigenvalues of A Aᵀ over the noise variance, for the linear-Gaussian run; empty otherwise.
  private let signal: [Double]

  /// gradient = A x + noise with x ~ N(0, I) and noise ~ N(0, I): everything Gaussian, information in closed form.
  ///
  /// - Parameters:
  ///   - signal: eigenvalue of A Aᵀ in each dimension; 0 for a dimension that tells nothing.
  ///   - rows: records.
  public static func linearGaussian(signal: [Double], rows: Int, seed: UInt64) -> SyntheticRun {
    var generator = SeededGenerator(seed: seed, stream: 0x11ea)
    let d = signal.count
    let x = generator.normalMatrix(rows: rows, columns: d)
    // A = Q diag(sqrt(signal)) Rᵀ with random rotations: no axis is special.
    let q = rotation(d, using: &generator)
    let r = rotation(d, using: &generator)
    var scaled = x.times(r)
    for row in 0..<rows {
      for column in 0..<d { scaled[row, column] *= signal[column].squareRoot() }
    }
    let g = scaled.times(q, transposeOther: true) + generator.normalMatrix(rows: rows, columns: d)
    return SyntheticRun(
      features: x, gradients: [[g]], labels: (0..<rows).map { x[$0, 0] > 0 ? 1 : 0 },
      signal: signal)
  }

  /// I(feature; token + sigma Z) in nats, where tokens are all principal components of the gradient, standardised:
  /// -½ sum ln(1 - s / ((s + 1) (1 + sigma²))).
  public func closedForm(sigma: Double) -> Double {
    signal.reduce(0) { $0 - 0.5 * log1p(-$1 / (($1 + 1) * (1 + sigma * sigma))) }
  }

  /// A gradient that carries its record's number: ten bits, faintly, in 64 noisy coordinates.
  public static func plantedNumber(rows: Int, seed: UInt64) -> SyntheticRun {
    var generator = SeededGenerator(seed: seed, stream: 0x1d)
    let bits = Matrix(rows: rows, columns: 10) { $0 >> $1 & 1 == 1 ? 1 : -1 }
    let code = generator.normalMatrix(rows: 10, columns: 64)
    let noise = generator.normalMatrix(rows: rows, columns: 64)
    return SyntheticRun(
      features: bits, gradients: [[noise + 0.3 * bits.times(code)]],
      labels: (0..<rows).map { _ in Int32(generator.next() % 4) }, signal: [])
  }

  /// Gradients, features and labels that know nothing of each other: two layers, two probe steps.
  public static func independent(rows: Int, seed: UInt64) -> SyntheticRun {
    var generator = SeededGenerator(seed: seed, stream: 0x0)
    let features = generator.normalMatrix(rows: rows, columns: 12)
    let labels = (0..<rows).map { _ in Int32(generator.next() % 4) }
    let gradients = (0..<2).map { _ in
      (0..<2).map { _ in generator.normalMatrix(rows: rows, columns: 24) }
    }
    return SyntheticRun(features: features, gradients: gradients, labels: labels, signal: [])
  }

  /// One layer that leaks and one whose gradient is always the same, as a frozen or dead layer's is.
  public static func constantLayer(rows: Int, seed: UInt64) -> SyntheticRun {
    let run = plantedNumber(rows: rows, seed: seed)
    return SyntheticRun(
      features: run.features,
      gradients: [run.gradients[0] + [Matrix(rows: rows, columns: 8, repeating: 0.5)]],
      labels: run.labels, signal: [])
  }

  /// A random rotation: the orthogonal factor of a Gaussian matrix.
  private static func rotation(_ size: Int, using generator: inout SeededGenerator) -> Matrix {
    let normal = generator.normalMatrix(rows: size, columns: size)
    // A Gaussian matrix has full rank with probability 1, and dgesdd converges on it.
    guard let (u, _, vt) = try? normal.singularValues() else { return .identity(size) }
    return u.times(vt)
  }

  /// Records the run into a file, as a trainer would.
  ///
  /// - Parameter batch: nil records each list of gradients as a probe step; a number records the first as trace, in
  ///   steps of so many rows.
  public func record(
    to path: String, batch: Int? = nil, force: Bool = false
  ) throws(SnapshotError) {
    let mode: StepMode = batch == nil ? .probe : .trace
    let layers = gradients.first?.indices.map { "layer\($0 + 1)" } ?? []
    let recorder = try Recorder(
      path: path,
      run: RunDescription(
        id: UUID().uuidString.lowercased(), created: Date().formatted(.iso8601),
        producer: "ptoken synthetic run",
        model: ModelDescription(
          name: "synthetic",
          layers: zip(layers, gradients.first ?? []).map { .init($0.0, parameters: $0.1.columns) }
        ).json),
      tables: [
        Recorder.Table(
          name: mode.description, mode: mode,
          streams: [.feature("x", shape: [features.columns]), .label("class")]
            + zip(layers, gradients.first ?? []).map {
              .gradient(layer: $0.0, shape: [$0.1.columns])
            })
      ], options: Recorder.Options(compression: .none, force: force))
    let key = RecordKey(bytes: Array("synthetic".utf8))
    let records = (0..<features.rows).map { key.id(of: "record \($0)".utf8) }
    let size = batch ?? features.rows
    for (list, layers) in gradients.enumerated() where batch == nil || list == 0 {
      for (position, start) in stride(from: 0, to: features.rows, by: size).enumerated() {
        let rows = start..<min(start + size, features.rows)
        func part(_ matrix: Matrix) -> TableRows.Values {
          .float(matrix.gatheringRows(Array(rows)).elements.map { Float($0) })
        }
        try recorder.record(
          StepDescription(index: list + position, epoch: Double(list), mode: mode),
          rows: [
            TableRows(
              table: 0, records: Array(records[rows]),
              values: [part(features), .label(Array(labels[rows]))] + layers.map(part))
          ])
      }
    }
    try recorder.close()
  }
}
