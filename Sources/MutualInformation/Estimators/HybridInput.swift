internal import LinearAlgebra

/// What all folds of the hybrid share.
struct HybridInput: Sendable {
  let x: CriticFeatures
  let y: CriticFeatures
  /// What the closed-form critic is fitted on: scores, or fewer principal scores where rows are too few for them.
  let xScores: Matrix
  let yScores: Matrix
  /// First principal scores; of sides too wide for a network only.
  private let xComponents: Matrix?
  private let yComponents: Matrix?
  let folds: [Fold]
  /// `Units`.
  let units: [Int]?
  let options: EstimationOptions

  /// Columns above which a network sees a side through its components only.
  static let widest = 64
  /// Components, and canonical variates, that stand for a side.
  static let components = 8

  init(_ rows: PairedRows, options: EstimationOptions) throws {
    try self.init(
      x: CriticFeatures(rows.x, isLabel: rows.xIsLabel),
      y: CriticFeatures(rows.y, isLabel: rows.yIsLabel),
      folds: Folds.split(rows.units, rows: rows.count, into: options.folds, seed: options.seed),
      units: rows.units, options: options)
  }

  init(
    x: CriticFeatures, y: CriticFeatures, folds: [Fold], units: [Int]? = nil,
    options: EstimationOptions
  ) throws {
    self.options = options
    self.units = units
    self.folds = folds
    let fewest = folds.map { $0.train.count + $0.stopping.count }.min() ?? 0
    (self.x, self.y) = (x, y)
    // A covariance of d columns is fitted on at least 4 d rows; dependent columns go with the smallest components.
    func reduced(_ scores: Matrix) throws -> Matrix {
      let most = max(1, fewest / 4)
      if scores.columns <= most, try Self.isIndependent(scores) { return scores }
      return try scores.principalScores(min(most, scores.columns), seed: options.seed)
    }
    xScores = try reduced(x.scores)
    yScores = try reduced(y.scores)
    func components(_ scores: Matrix) throws -> Matrix? {
      scores.columns > Self.widest
        ? try scores.principalScores(Self.components, seed: options.seed) : nil
    }
    xComponents = try components(x.scores)
    yComponents = try components(y.scores)
  }

  var isWide: Bool { max(x.scores.columns, y.scores.columns) > Self.widest }

  private static func isIndependent(_ scores: Matrix) throws -> Bool {
    guard scores.columns > 1 else { return true }
    // Ranks of tied values have other means than 0, and a constant is no help to columns that follow from others.
    let means = (0..<scores.columns).map { column in
      (0..<scores.rows).map { scores[$0, column] }.mean
    }
    let centred = Matrix(rows: scores.rows, columns: scores.columns) { scores[$0, $1] - means[$1] }
    let covariance = centred.gram(scale: Double(scores.rows))
    guard let factor = try? covariance.cholesky() else { return false }
    // Whitened on a fold's rows it must hold too: a margin above what whitening asks for.
    return (0..<scores.columns).allSatisfy {
      factor[$0, $0] * factor[$0, $0] > 1e-6 * covariance[$0, $0]
    }
  }

  /// Rows as a network sees them in a fold.
  func rows(_ architecture: Architecture, _ gaussian: FoldGaussian) -> CriticRows {
    guard architecture.isCompressed else {
      return CriticRows(x: x.full, y: y.full, offset: gaussian.offset)
    }
    let (u, v) = gaussian.leading
    func side(_ variates: Matrix, _ features: CriticFeatures, _ components: Matrix?) -> Matrix {
      var all = components.map { variates.appendingColumns($0) } ?? variates
      all = all.appendingColumns(features.radii)
      CriticFeatures.standardize(&all)
      return all
    }
    return CriticRows(
      x: side(u, x, xComponents), y: side(v, y, yComponents), offset: gaussian.offset)
  }
}

/// A network that the residual may be.
struct Architecture: Sendable, Equatable {
  var activation: Activation
  /// Whether it sees canonical variates and principal components in place of all columns.
  var isCompressed: Bool

  var name: String {
    "\(activation.rawValue)\(isCompressed ? " on canonical variates and principal components" : " on all columns")"
  }
}

/// The closed-form critic of a fold.
struct FoldGaussian: Sendable {
  /// The log ratio of every pair.
  let offset: PairOffset
  /// First canonical variates of all rows.
  let leading: (x: Matrix, y: Matrix)

  /// Fits correlations of normal scores, as estimated or shrunk.
  init(_ input: HybridInput, _ rows: [Int], test: [Int], isShrunk: Bool = true) throws {
    let both = try Self.both(input, rows, test: test)
    self = isShrunk ? both.shrunk : both.plain
  }

  init(offset: PairOffset, leading: (x: Matrix, y: Matrix)) {
    (self.offset, self.leading) = (offset, leading)
  }

  /// One fit, with its correlations as estimated and shrunk.
  static func both(
    _ input: HybridInput, _ rows: [Int], test: [Int]
  ) throws -> (plain: FoldGaussian, shrunk: FoldGaussian) {
    let fold = try whitened(input, rows, test)
    let critic = try GaussianCritic(fold: fold, shrinkage: .none)
    let shrunk = critic.shrunk(fold)
    let significant = shrunk.correlations.prefix { $0 > 0 }.count
    let leading = critic.variates(fold, count: min(HybridInput.components, significant))
    return (
      FoldGaussian(offset: critic.offset(fold), leading: leading),
      FoldGaussian(offset: shrunk.offset(fold), leading: leading)
    )
  }

  /// Logistic loss of the closed form alone on these rows: what critics are compared by.
  func loss(_ input: HybridInput, on rows: [Int]) -> Double {
    let pairs = PairScores(
      CriticRows(x: input.x.radii, y: input.y.radii, offset: offset), rows: rows, shifts: 16)
    var none = -Double.infinity
    return Objective.logistic.loss(
      pairs.offsets(), size: pairs.count, blocks: pairs.blocks, gradient: nil, average: &none)
  }

  /// Columns that vary in the whole may not on a fold's rows: then those that do, apart from others, are used.
  private static func whitened(
    _ input: HybridInput, _ rows: [Int], _ test: [Int]
  ) throws -> PairedFold {
    if let fold = try? PairedFold(x: input.xScores, y: input.yScores, train: rows, test: test) {
      return fold
    }
    func independent(_ scores: Matrix) -> Matrix {
      var fitted = scores.gatheringRows(rows)
      CriticFeatures.standardize(&fitted)
      return scores.gatheringColumns(
        fitted.gram(scale: Double(rows.count)).independentColumns(tolerance: 1e-6))
    }
    return try PairedFold(
      x: independent(input.xScores), y: independent(input.yScores), train: rows, test: test)
  }
}
