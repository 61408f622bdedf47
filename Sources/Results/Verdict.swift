private import Foundation

/// The decision a study supports, drawn from its figures by fixed rules so that every report says the same.
public struct Verdict: Codable, Sendable, Equatable {
  /// What was found over the whole map, at a family-wise false-alarm rate of 5 %.
  public enum Outcome: String, Codable, Sendable {
    /// Some figure beats every mismatched pairing's maximum at 5 %.
    case leakFound = "leak_found"
    /// None does. Not a proof of absence: see `detectable`.
    case noLeakFound = "no_leak_found"
    /// Nothing could be tested: no cell, no null, or too few pairings for a p-value of 5 %.
    case notTested = "not_tested"
  }

  /// A cell worth looking at, by measure.
  public struct Place: Codable, Sendable, Equatable {
    /// Index into the study's layers.
    public var layer: Int
    /// Index into the study's windows.
    public var window: Int
    /// The figure found there.
    public var figure: Figure
  }

  /// Family-wise false-alarm rate that findings are declared at.
  public static let level = 0.05
  /// With fewer no p-value, (1 + pairings that do as well) / (1 + pairings), can reach the level, whatever the data.
  package static let fewestPairings = Int((1 / level).rounded(.up)) - 1

  /// What was found.
  public var outcome: Outcome
  /// Cells with at least one finding.
  public var cellsWithFindings: Int
  /// For each measure that stands out somewhere (`Study.Cell.standsOut`), the cell where it is largest.
  public var strongest: [Place]
  /// The smallest Gaussian information (nats) that a cell of this study would show as a finding in four of
  /// five repetitions; NaN without a null.
  public var detectable: Double

  /// Reads the verdict off a study.
  public init(_ study: Study) {
    func places(_ isWanted: (Study.Cell, Figure) -> Bool) -> [Place] {
      study.cells.flatMap { cell in
        cell.figures.filter { isWanted(cell, $0) }
          .map { Place(layer: cell.layer, window: cell.window, figure: $0) }
      }
    }
    let tested = places { $1.isTested }
    let canFind = study.provenance.settings.pairings >= Self.fewestPairings
    let findings = canFind ? tested.filter(\.figure.isFinding) : []
    outcome =
      tested.isEmpty || !canFind ? .notTested : findings.isEmpty ? .noLeakFound : .leakFound
    cellsWithFindings = Set(findings.map { [$0.layer, $0.window] }).count

    let found = canFind ? places { $0.standsOut($1) } : []
    strongest = Measure.allCases.compactMap { measure in
      found.filter { $0.figure.measure == measure }.max { $0.figure.value < $1.figure.value }
    }

    // A finding needs roughly the map-wide 95 % point of the null; 0.84 more deviations give 80 % power.
    let deviations = tested.filter { $0.figure.measure == .gaussian }.map(\.figure.nullDeviation)
      .sorted()
    if deviations.isEmpty {
      detectable = .nan
    } else {
      let tests = Double(max(1, tested.count))
      let threshold = Self.upperNormalQuantile(Self.level / tests)
      detectable = (threshold + 0.84) * deviations[deviations.count / 2]
    }
  }

  /// z with P(Z > z) = `tail`, to 0.0005 (Abramowitz & Stegun 26.2.23), for `tail` in (0, 0.5].
  private static func upperNormalQuantile(_ tail: Double) -> Double {
    let t = (-2 * log(tail)).squareRoot()
    return t - (2.515517 + t * (0.802853 + t * 0.010328))
      / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)))
  }
}
