private import Foundation
internal import LinearAlgebra

/// Chooses and combines estimators by held-out evidence, and says what it did.
///
/// Two labels are counted. Otherwise the hybrid is read; in few dimensions nearest neighbours of ranks stand beside it. Both
/// understate what they cannot resolve, in different ways, so neighbours that read more by twice their error are believed,
/// up to the dimensions in which they are accurate without a flag.
struct AutoInformation {
  let rows: PairedRows
  let options: EstimationOptions

  /// Dimensions in all in which neighbours are asked.
  private static let neighbourDimensions = 10
  /// Dimensions in all in which neighbours that disagree are believed without a flag.
  private static let trustedDimensions = 4

  func run() throws -> Estimate {
    let (xIsLabel, yIsLabel) = (rows.xIsLabel, rows.yIsLabel)
    if xIsLabel && yIsLabel {
      let (x, y) = (RowCodes(rows.x), RowCodes(rows.y))
      var estimate = DiscreteInformation(
        x: x, y: y, units: rows.units
      ).run(options: options)
      estimate.notes.append("Both sides are labels (\(x.count) and \(y.count) values): counted.")
      return estimate
    }
    let input = try HybridInput(rows, options: options)
    let hybrid = try HybridInformation(input: input).run()
    var estimate = hybrid.finished(rows)
    let dimensions = rows.x.columns + rows.y.columns
    if xIsLabel || yIsLabel {
      let (label, other) = xIsLabel ? (rows.x, rows.y) : (rows.y, rows.x)
      let codes = RowCodes(label).codes
      let entropy = DiscreteInformation.entropy(codes)
      estimate.ceiling = min(estimate.ceiling, entropy)
      estimate.boundHigh(byEntropy: entropy)
      estimate.notes.append("One side is a label; the information is at most its entropy.")
      if other.columns <= Self.trustedDimensions {
        prefer(
          neighbours: MixedInformation(
            labels: codes,
            rows: TieSpreading.columns(
              RankTransform.normalScores(other), seed: options.seed, stream: 0), norm: options.norm
          ).run(k: options.neighbours[0]), nil, over: &estimate, dimensions: other.columns,
          entropy: entropy)
      }
    } else if dimensions <= Self.neighbourDimensions, rows.count >= 4 * options.neighbours.max()! {
      var fewer = options
      fewer.pairings = dimensions <= Self.trustedDimensions ? options.pairings : 0
      let ranks = PairedRows(
        replacing: RankTransform.normalScores(rows.x), and: RankTransform.normalScores(rows.y),
        in: rows
      ).spreadingTies(seed: options.seed)
      let neighbours = try NeighbourInformation(
        x: ranks.x, y: ranks.y, units: rows.units, options: fewer
      ).run(.first)
      prefer(
        neighbours: neighbours, neighbours.null, over: &estimate, dimensions: dimensions)
    }
    return estimate
  }

  /// Takes the neighbours' reading in place of the hybrid's where it is larger by twice its error.
  ///
  /// - Parameter entropy: of a side that is a label.
  private func prefer(
    neighbours: Estimate, _ null: Estimate.Null?, over estimate: inout Estimate,
    dimensions: Int, entropy: Double? = nil
  ) {
    let error =
      neighbours.standardError.isFinite
      ? neighbours.standardError : neighbours.clusteredError(rows.units)
    if let null { estimate.null?.add(null) }
    guard neighbours.value > estimate.value + 2 * error else {
      estimate.notes.append(
        "Nearest neighbours of ranks read \(Self.text(neighbours.value)) nats, no more.")
      return
    }
    estimate.notes.append(
      "Nearest neighbours of ranks read \(Self.text(neighbours.value)) nats, more than the critic's \(Self.text(estimate.value)), and were taken."
    )
    var taken = neighbours
    taken.setInterval(standardError: error, of: rows.independent)
    taken.low = min(taken.low, estimate.value)
    taken.high += neighbours.shortfall
    taken.null = estimate.null
    taken.flags.formUnion(estimate.flags.subtracting([.notConverged]))
    taken.notes = estimate.notes
    taken.ceiling = min(neighbours.ceiling, estimate.ceiling)
    taken.seed = estimate.seed
    if dimensions > Self.trustedDimensions { taken.flags.insert(.notConverged) }
    taken.flagSaturation()
    if let entropy { taken.boundHigh(byEntropy: entropy) }
    estimate = taken
  }

  static func text(_ value: Double) -> String {
    let thousandths = (value * 1000).rounded() / 1000
    return "\(thousandths)"
  }
}

extension HybridInformation.Result {
  /// What half of the training rows may cost a reading, nats, before it counts as unfinished.
  private static let steepest = 0.04

  /// The estimate with its interval and flags.
  func finished(_ rows: PairedRows) -> Estimate {
    var result = estimate
    // What correlations of so many rows resolve: a critic that found nothing scores all alike, without error.
    let resolution = (Double(parameters) / 2).squareRoot() / Double(rows.count)
    let error = max(result.clusteredError(rows.units), result.standardError, resolution)
    let reach = Clustered.reach(of: rows.independent) * error
    result.standardError = error
    // From what was surely seen to what the critic's own rows and more rows suggest. Where readings fall short by c / √n,
    // half of the rows cost (√2 - 1) c / √n: what is missing is 2.4 times that.
    result.low = heldOut - reach
    result.high = max(inSample, heldOut) + 2.4 * max(0, slope) + reach
    if slope > max(Self.steepest, error) { result.flags.insert(.notConverged) }
    result.flagSaturation()
    return result
  }
}
