internal import LinearAlgebra
internal import MutualInformation
internal import Results

/// p-values of every tested figure, alone and against the largest over the whole map.
///
/// The max-statistic (Westfall & Young 1993; Nichols & Holmes 2002, doi:10.1002/hbm.1058): each figure is
/// standardised by its own null; a pairing's largest standardised figure over all cells and measures is what chance
/// can do to the map as a whole. Observed and mismatched pairings are standardised alike; under independence all
/// R + 1 are then exchangeable, but for the fixed points that mismatched pairings exclude, and the family-wise
/// false-alarm rate is the level.
enum MapTest {
  /// Measures that enter the test; scores are read only where these find something.
  static let tested: Set<Measure> = [.gaussian, .donskerVaradhan, .ksg, .label]

  /// Fills in null mean, deviation, p-values and the flag for figures that do not beat their null.
  static func apply(to outcomes: inout [CellTask.Outcome]) {
    let pairings = outcomes.compactMap { $0.null[.gaussian]?.values.count }.min() ?? 0
    guard pairings > 0 else { return }
    var largest = [Double](repeating: -.infinity, count: pairings)
    for outcome in outcomes {
      for (measure, null) in outcome.null where tested.contains(measure) {
        let scale = Scale(null)
        for (pairing, value) in null.values.enumerated() {
          largest[pairing] = max(largest[pairing], scale(value))
        }
      }
    }
    for index in outcomes.indices {
      for position in outcomes[index].cell.figures.indices {
        let figure = outcomes[index].cell.figures[position]
        guard let null = outcomes[index].null[figure.measure] else { continue }
        var filled = figure
        (filled.nullMean, filled.nullDeviation) = null.values.meanAndDeviation
        // Of the bound the critic's mean score is tested: its null is what the figure would be with that changed.
        filled.nullMean += figure.value - null.observed
        filled.p = Estimate.Null.share(null.values, reaching: null.observed)
        if tested.contains(figure.measure) {
          filled.mapP = Estimate.Null.share(largest, reaching: Scale(null)(null.observed))
          // With so few pairings nothing could have been beaten.
          if filled.mapP > Verdict.level, pairings >= Verdict.fewestPairings {
            filled.flags.removeAll { $0 == .saturated }
            filled.flags.append(.nullNotBeaten)
          }
        }
        outcomes[index].cell.figures[position] = filled
      }
    }
  }

  private struct Scale {
    let mean: Double
    let deviation: Double

    init(_ null: CellTask.Null) {
      (mean, deviation) = (null.values + [null.observed]).meanAndDeviation
    }

    func callAsFunction(_ value: Double) -> Double {
      deviation > 0 ? (value - mean) / deviation : 0
    }
  }
}
