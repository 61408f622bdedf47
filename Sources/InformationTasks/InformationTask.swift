private import Foundation
public import LinearAlgebra

/// Pairs whose information is known: by a formula, by integration, or by averaging exact densities over many draws.
public struct InformationTask: Sendable {
  /// Name, such as `ring-2-2`.
  public let name: String
  /// How the rows arise, and where the truth comes from.
  public let summary: String
  /// I(x; y), nats.
  public let truth: Double
  /// Draws rows.
  private let draw: @Sendable (Int, inout SeededGenerator) -> (x: Matrix, y: Matrix)

  /// A task from its parts.
  public init(
    _ name: String, _ summary: String, truth: Double,
    draw: @escaping @Sendable (Int, inout SeededGenerator) -> (x: Matrix, y: Matrix)
  ) {
    self.name = name
    self.summary = summary
    self.truth = truth
    self.draw = draw
  }

  /// n rows x [n, dx] and y [n, dy].
  public func sample(_ n: Int, seed: UInt64) -> (x: Matrix, y: Matrix) {
    var generator = SeededGenerator(seed: seed, stream: 0x7a5c)
    return draw(n, &generator)
  }
}

extension InformationTask {
  /// Jointly Gaussian pairs of coordinates, each with correlation rho: -d/2 ln(1 - rho²).
  public static func gaussian(dimensions d: Int, rho: Double) -> InformationTask {
    InformationTask(
      "gaussian-\(d)-\(d)-\(rho)", "Gaussian coordinates that correlate in pairs; formula",
      truth: -0.5 * Double(d) * log1p(-rho * rho)
    ) { n, generator in
      let x = generator.normalMatrix(rows: n, columns: d)
      let noise = generator.normalMatrix(rows: n, columns: d)
      return (x, rho * x + (1 - rho * rho).squareRoot() * noise)
    }
  }

  /// The same with a given information, nats.
  public static func gaussian(dimensions d: Int, nats: Double) -> InformationTask {
    gaussian(dimensions: d, rho: (-expm1(-2 * nats / Double(d))).squareRoot())
  }

  /// One factor in each side's dx and dy isotropic coordinates, along a random direction: rank 1.
  public static func rankOne(dx: Int, dy: Int, nats: Double) -> InformationTask {
    InformationTask(
      "rank-one-\(dx)-\(dy)", "one pair of directions correlates, all else is noise; formula",
      truth: nats
    ) { n, generator in
      let rho = (-expm1(-2 * nats)).squareRoot()
      let x = generator.normalMatrix(rows: n, columns: dx)
      var y = generator.normalMatrix(rows: n, columns: dy)
      let (a, b) = (direction(dx, &generator), direction(dy, &generator))
      for row in 0..<n {
        let u = zip(x.row(row), a).reduce(0) { $0 + $1.0 * $1.1 }
        let v = zip(y.row(row), b).reduce(0) { $0 + $1.0 * $1.1 }
        let wanted = rho * u + (1 - rho * rho).squareRoot() * v
        for column in 0..<dy { y[row, column] += (wanted - v) * b[column] }
      }
      return (x, y)
    }
  }

  private static func direction(_ d: Int, _ generator: inout SeededGenerator) -> [Double] {
    let values = (0..<d).map { _ in generator.normal() }
    let norm = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
    return values.map { $0 / norm }
  }
}
