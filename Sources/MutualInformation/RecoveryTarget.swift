public import LinearAlgebra

/// Features that tokens are to predict, prepared for many tokens and pairings of the same folds: one copy of them, however
/// many are at work.
public struct RecoveryTarget: Sendable {
  /// Less their first row, each fold's held-out rows together, [n, width]: a column that does not vary is 0 exactly.
  private let features: Matrix
  private let folds: [Fold]
  /// Place of each row in `features`.
  private let place: [Int]
  /// Sum of squares of each held-out row about its fold's training mean, by place.
  private let totals: [Double]

  private struct Fold: Sendable {
    var train: [Int]
    var test: [Int]
    /// Places of the held-out rows.
    var places: Range<Int>
    /// Training mean of each column.
    var means: [Double]
    var isConstant: [Bool]
  }

  /// Prepares features [n, width]; O(n width) for each fold.
  ///
  /// - Parameter folds: rows that are fitted on, and rows that are read; no row is read twice.
  public init(_ features: Matrix, folds: [(train: [Int], test: [Int])]) {
    let width = features.columns
    let held = folds.flatMap(\.test)
    let read = Set(held)
    let order = held + (0..<features.rows).filter { !read.contains($0) }
    var place = [Int](repeating: 0, count: features.rows)
    for (position, row) in order.enumerated() { place[row] = position }
    let shifted = Matrix(rows: features.rows, columns: width) { position, column in
      features[order[position], column] - features[order[0], column]
    }
    var totals = [Double](repeating: 0, count: features.rows)
    var start = 0
    self.folds = folds.map { train, test in
      var fold = Fold(
        train: train, test: test, places: start..<start + test.count,
        means: [Double](repeating: 0, count: width),
        isConstant: [Bool](repeating: true, count: width))
      start += test.count
      let first = train.first.map { place[$0] } ?? 0
      for row in train {
        for column in 0..<width {
          let value = shifted[place[row], column]
          fold.means[column] += value
          if value != shifted[first, column] { fold.isConstant[column] = false }
        }
      }
      for column in 0..<width { fold.means[column] /= Double(max(1, train.count)) }
      for position in fold.places {
        totals[position] = (0..<width).reduce(0) { sum, column in
          let value = shifted[position, column] - fold.means[column]
          return fold.isConstant[column] ? sum : sum + value * value
        }
      }
      return fold
    }
    (self.features, self.place, self.totals) = (shifted, place, totals)
  }

  /// Held-out, variance-weighted R² of least squares from token to feature: fitted on training rows, read on held-out ones;
  /// columns that are constant on the training rows are left out. O(n width components) for each fold.
  ///
  /// - Parameters:
  ///   - tokens: y holds the tokens; the folds are those of the features.
  ///   - pairing: row of the features for each row of y, held-out rows among themselves; nil as recorded.
  ///
  /// With weights W, a row's error is |f|² - 2 f W y + |W y|²: f W for all rows at once has as many columns as tokens have,
  /// so that no copy of the features is made for a pairing.
  public func variance(_ tokens: [PairedFold], pairing: [Int]? = nil) -> Recovery.Variance {
    var errors: [Double] = []
    var totals: [Double] = []
    for (fold, token) in zip(folds, tokens) {
      let weights = weights(fold, token, pairing)
      let products = products(fold, weights)
      let squares = weights.times(weights, transposeOther: true)
      for (number, row) in fold.test.enumerated() {
        let position = place[pairing?[row] ?? row]
        let y = token.yTest.row(number)
        let along = zip(y, products.row(position - fold.places.lowerBound)).reduce(0) {
          $0 + $1.0 * $1.1
        }
        var square = 0.0
        for (a, one) in y.enumerated() {
          for (b, other) in y.enumerated() { square += one * squares[a, b] * other }
        }
        errors.append(self.totals[position] - 2 * along + square)
        totals.append(self.totals[position])
      }
    }
    let meanTotal = totals.mean
    guard meanTotal > 0 else {
      return Recovery.Variance(value: 0, contributions: totals.map { _ in 0 })
    }
    let value = 1 - errors.mean / meanTotal
    // Delta method for a ratio of means.
    let contributions = zip(errors, totals).map { value - ($0 - (1 - value) * $1) / meanTotal }
    return Recovery.Variance(value: value, contributions: contributions)
  }

  /// Least squares from token to feature, [components, width]: training tokens are white and centred, so it needs neither an
  /// inverse nor centred features.
  private func weights(_ fold: Fold, _ token: PairedFold, _ pairing: [Int]?) -> Matrix {
    let (width, components) = (features.columns, token.yTrain.columns)
    // Tokens beside the features that they go with; 0 for rows that are not fitted on.
    var beside = Matrix(rows: features.rows, columns: components)
    for (number, row) in fold.train.enumerated() {
      let position = place[pairing?[row] ?? row]
      for column in 0..<components { beside[position, column] = token.yTrain[number, column] }
    }
    var result = Matrix(rows: components, columns: width)
    for range in [0..<fold.places.lowerBound, fold.places.upperBound..<features.rows]
    where !range.isEmpty {
      beside.elements.withUnsafeBufferPointer { beside in
        features.elements.withUnsafeBufferPointer { features in
          result.elements.withUnsafeMutableBufferPointer { result in
            Double.multiply(
              true, false, components, width, range.count, 1 / Double(fold.train.count),
              beside.baseAddress! + range.lowerBound * components, components,
              features.baseAddress! + range.lowerBound * width, width, 1, result.baseAddress!, width
            )
          }
        }
      }
    }
    for column in 0..<width where fold.isConstant[column] {
      for row in 0..<components { result[row, column] = 0 }
    }
    return result
  }

  /// Features of the held-out rows, less the training mean, times the weights: [test, components].
  private func products(_ fold: Fold, _ weights: Matrix) -> Matrix {
    let (width, components) = (features.columns, weights.rows)
    let ofMeans = (0..<components).map { row in
      zip(weights.row(row), fold.means).reduce(0) { $0 + $1.0 * $1.1 }
    }
    var result = Matrix(rows: fold.places.count, columns: components) { _, column in
      -ofMeans[column]
    }
    guard !fold.places.isEmpty else { return result }
    features.elements.withUnsafeBufferPointer { features in
      weights.elements.withUnsafeBufferPointer { weights in
        result.elements.withUnsafeMutableBufferPointer { result in
          Double.multiply(
            false, true, fold.places.count, components, width, 1,
            features.baseAddress! + fold.places.lowerBound * width, width, weights.baseAddress!,
            width, 1, result.baseAddress!, components)
        }
      }
    }
    return result
  }
}
