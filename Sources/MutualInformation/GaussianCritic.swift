private import Foundation
internal import LinearAlgebra

/// The log density ratio ln p(x, y) / p(x) p(y) of jointly Gaussian rows, through canonical correlations
/// (Hotelling 1936, doi:10.1093/biomet/28.3-4.321):
///
/// f(x, y) = sum_k -½ ln(1 - ρ_k²) - [ρ_k² (u_k² + v_k²) - 2 ρ_k u_k v_k] / [2 (1 - ρ_k²)]
public struct GaussianCritic: Sendable {
  /// Canonical correlations, largest first.
  public let correlations: [Double]
  let xDirections: Matrix
  let yDirections: Matrix

  /// A correlation of 1 has an infinite ratio; rounding and tiny samples must not produce one.
  private static let largestCorrelation = 1 - 1e-9

  /// How sample correlations are corrected before they are used as a critic.
  public enum Shrinkage: Sendable {
    /// As estimated: for estimates, where the optimism is corrected as a whole.
    case none
    /// The optimal shrinkage of singular values in white noise under Frobenius loss (Gavish & Donoho 2017,
    /// arXiv 1405.7511): correlations within the noise's range become 0. For bounds and rankings.
    case optimal
  }

  /// Fits to the training rows of a fold under a pairing; O(n dx dy).
  public init(fold: PairedFold, pairing: [Int]? = nil, shrinkage: Shrinkage) throws {
    let n = Double(fold.train.count)
    let cross = (1 / n) * fold.xTrain(pairing).times(fold.yTrain, transposeSelf: true)
    let (u, s, vt) = try cross.singularValues()
    let sample = s.map { min($0, Self.largestCorrelation) }
    self.init(correlations: sample, xDirections: u, yDirections: vt.transposed)
    if shrinkage == .optimal { self = shrunk(fold) }
  }

  private init(correlations: [Double], xDirections: Matrix, yDirections: Matrix) {
    self.correlations = correlations
    self.xDirections = xDirections
    self.yDirections = yDirections
  }

  /// Information of Gaussians of one correlation, nats.
  static func information(_ correlation: Double) -> Double {
    -0.5 * log1p(-correlation * correlation)
  }

  /// That of all correlations, nats.
  var information: Double { correlations.reduce(0) { $0 + Self.information($1) } }

  /// The critic with its correlations shrunk for bounds and rankings.
  func shrunk(_ fold: PairedFold) -> GaussianCritic {
    let n = Double(fold.train.count)
    let (dx, dy) = (Double(fold.x.columns), Double(fold.y.columns))
    let beta = min(dx, dy) / max(dx, dy)
    let noise = (max(dx, dy) / n).squareRoot()
    return GaussianCritic(
      correlations: correlations.map { value in
        let scaled = value / noise
        guard scaled > 1 + beta.squareRoot() else { return 0 }
        let square = scaled * scaled - beta - 1
        return noise * max(0, square * square - 4 * beta).squareRoot() / scaled
      }, xDirections: xDirections, yDirections: yDirections)
  }

  /// ln-ratio of each pair of rows (x_i, y_i): [n].
  func paired(x: Matrix, y: Matrix) -> [Double] {
    let (u, v) = (x.times(xDirections), y.times(yDirections))
    let constant = information
    return (0..<u.rows).map { row in
      var value = constant
      for (k, rho) in correlations.enumerated() where rho != 0 {
        let (a, b) = (u[row, k], v[row, k])
        value -= (rho * rho * (a * a + b * b) - 2 * rho * a * b) / (2 * (1 - rho * rho))
      }
      return value
    }
  }

  /// ln-ratio of every pair (x_j, y_i): [rows of y, rows of x]; O(n² min(dx, dy)).
  func all(x: Matrix, y: Matrix) -> Matrix {
    let (u, v) = (x.times(xDirections), y.times(yDirections))
    let constant = information
    func halfNorms(_ rows: Matrix) -> [Double] {
      (0..<rows.rows).map { row in
        zip(correlations, rows.row(row)).reduce(0) {
          let rho2 = $1.0 * $1.0
          return $0 + rho2 * $1.1 * $1.1 / (2 * (1 - rho2))
        }
      }
    }
    var weighted = v
    for row in 0..<v.rows {
      for (k, rho) in correlations.enumerated() { weighted[row, k] *= rho / (1 - rho * rho) }
    }
    var scores = weighted.times(u, transposeOther: true)
    let (xNorms, yNorms) = (halfNorms(u), halfNorms(v))
    for i in 0..<scores.rows {
      for j in 0..<scores.columns { scores[i, j] += constant - yNorms[i] - xNorms[j] }
    }
    return scores
  }
}
