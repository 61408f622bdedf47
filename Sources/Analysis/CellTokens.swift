internal import LinearAlgebra
internal import MutualInformation
internal import PrivacyTokens
internal import Results

/// A layer's tokens in one window: encoded for each fold by what its training rows show.
struct CellTokens: Sendable {
  /// Features and noisy tokens of each fold, whitened.
  var folds: [PairedFold] = []
  /// First components of the held-out rows of each fold.
  var neighbours: [NearestNeighbours] = []
  /// Tokens of every row without noise, as the fold that held it out encodes it, [n, components of the settings].
  var values: Matrix
  /// Fewest components of a fold.
  var components: Int
  /// Share of the gradients' variance that tokens keep, on held-out rows.
  var keptVariance = 0.0

  /// Encodes.
  ///
  /// - Parameter noise: [n, components of the settings], added to standardised tokens.
  /// - Throws: `Immeasurable` where there is no token, or nothing that it could say.
  init(_ gradients: Matrix, noise: Matrix, _ rows: WindowRows, settings: Study.Settings) throws {
    let n = gradients.rows
    values = Matrix(rows: n, columns: settings.components)
    components = settings.components
    for fold in 0..<rows.foldCount {
      let encoder = try GradientEncoder(
        fitting: gradients.gatheringRows(rows.train[fold]),
        components: WindowRows.components(
          trainingRows: rows.train[fold].count, most: settings.components),
        form: GradientEncoder.Form(rawValue: settings.token) ?? .direction)
      guard rows.views[fold].columns > 0 else { throw Immeasurable.constantFeature }
      guard encoder.count > 0 else { throw Immeasurable.constantLayer }
      let clean = encoder(gradients)
      for row in rows.test[fold] {
        for column in 0..<clean.columns { values[row, column] = clean[row, column] }
      }
      keptVariance +=
        encoder.keptVariance(of: gradients.gatheringRows(rows.test[fold]))
        * Double(rows.test[fold].count) / Double(n)
      components = min(components, encoder.count)
      let (x, y) = (rows.views[fold], clean + noise.prefixColumns(clean.columns))
      do {
        folds.append(try PairedFold(x: x, y: y, train: rows.train[fold], test: rows.test[fold]))
      } catch is LinearAlgebraError {
        // Without noise, gradients of few values have components that follow from others.
        throw Immeasurable.dependentComponents
      }
      let few = settings.neighbourComponents
      neighbours.append(
        NearestNeighbours(
          x: TieSpreading.columns(
            x.prefixColumns(min(few, x.columns)).gatheringRows(rows.test[fold]),
            seed: settings.seed, stream: UInt64(fold)),
          y: y.prefixColumns(min(few, y.columns)).gatheringRows(rows.test[fold])))
    }
  }

  /// Median over rows of a token's mean square per component, which is 1 on average.
  var medianPower: Double {
    let powers = (0..<values.rows).map { row in
      values.row(row).prefix(components).reduce(0) { $0 + $1 * $1 } / Double(components)
    }
    return powers.sorted()[powers.count / 2]
  }
}

/// Why there is nothing to measure in a cell.
enum Immeasurable: Error, Hashable {
  /// The layer's gradients are all alike.
  case constantLayer
  /// Features are all alike.
  case constantFeature
  /// Components of the tokens follow from others.
  case dependentComponents
}
