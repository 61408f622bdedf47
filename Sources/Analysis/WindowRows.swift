internal import LinearAlgebra
internal import MutualInformation
internal import PrivacyTokens
internal import Results
internal import SnapshotFormat

/// One window's rows, split into folds by record, with everything that does not depend on the layer.
struct WindowRows: Sendable {
  /// Rows of the table that are used: the first row of each record.
  var selected: [Int]
  var records: [RecordID]
  /// Row of `/steps` of each used row.
  var steps: [Int]
  /// Whether used rows are of several steps, so that those of one may depend on each other.
  var isGrouped: Bool { steps.contains { $0 != steps[0] } }
  /// Fold of each used row.
  var folds: [Int]
  var foldCount: Int
  /// Held-out rows of each fold.
  var test: [[Int]]
  /// Training rows of each fold.
  var train: [[Int]]
  /// Features as recorded, [n, width]; empty once they are fitted.
  private(set) var features: Matrix
  /// The same for what tokens predict of them; nil before.
  private(set) var recovery: RecoveryTarget?
  /// Features as each fold's components, [n, components].
  var views: [Matrix]
  var labels: [Int32]?
  /// Different labels; 0 where none are recorded.
  var classes = 0
  /// Mismatched pairings: row of x for each row of y.
  var pairings: [[Int]]
  /// Candidates of a re-identification.
  var candidates: Int

  /// Components that so many training rows can carry: 25 rows for each, so that a critic of d + d components is
  /// fitted on at least 25 d rows.
  static func components(trainingRows: Int, most: Int) -> Int {
    max(1, min(most, trainingRows / 25))
  }

  /// Folds that so many rows are split in.
  static func folds(rows: Int, _ settings: Study.Settings) -> Int {
    settings.folds > 0 ? settings.folds : min(5, max(2, rows / 300))
  }

  /// Rows that a fold must have: more than the neighbours that are searched, and enough for a variance.
  static func fewest(_ settings: Study.Settings) -> Int { max(settings.neighbours + 1, 5) }

  /// Held-out rows of the smallest fold.
  var smallestFold: Int { test.map(\.count).min() ?? 0 }

  /// Reads and splits a window.
  ///
  /// - Parameter rows: rows of the window to choose from; nil: all.
  init(
    _ window: StudyPlan.Window, plan: StudyPlan, reader: Reader, settings: Study.Settings,
    rows: [Int]? = nil
  ) throws {
    let all = try reader.records(ofTable: window.table, rows: window.rows)
    var seen: Set<RecordID> = []
    let kept = (rows ?? Array(all.indices)).filter { seen.insert(all[$0]).inserted }
    var stepOf = [Int](repeating: 0, count: all.count)
    for range in reader.stepRanges(ofTable: window.table) where range.rows.overlaps(window.rows) {
      for row in range.rows.clamped(to: window.rows) {
        stepOf[row - window.rows.lowerBound] = range.step
      }
    }
    let count = Self.folds(rows: kept.count, settings)
    let salt = SplitMix64.mix(settings.seed)
    let foldOf = { (row: Int) in
      Int(SplitMix64.mix(all[row].high ^ salt) % UInt64(count))
    }
    let folds = kept.map(foldOf)
    selected = kept
    records = kept.map { all[$0] }
    steps = kept.map { stepOf[$0] }
    self.folds = folds
    foldCount = count
    let test = (0..<count).map { fold in folds.indices.filter { folds[$0] == fold } }
    self.test = test
    train = (0..<count).map { fold in folds.indices.filter { folds[$0] != fold } }
    candidates = min(settings.candidates, test.map(\.count).min() ?? 0)

    let feature = plan.features[window.table]!
    features = try Self.matrix(feature, window, reader, selected: kept)
    if let label = plan.labels[window.table] {
      let values = try reader.labels(ofStream: label, table: window.table, rows: window.rows)
      let own = kept.map { values[$0] }
      classes = Set(own).count
      labels = try Self.denseLabels(own, reader.path)
    }
    views = []
    var generator = SeededGenerator(seed: settings.seed, stream: UInt64(window.mode.rawValue))
    pairings = Self.pairings(steps, test, count: settings.pairings, using: &generator)
  }

  /// Most classes, and fewest rows of each on average, that can be told apart.
  static let (mostClasses, fewestOfClass) = (1000, 2)

  /// Labels as consecutive numbers from 0; nil where there are more classes than rows could tell apart.
  private static func denseLabels(_ labels: [Int32], _ path: String) throws -> [Int32]? {
    if let wrong = labels.first(where: { $0 < 0 }) {
      throw SnapshotError(
        code: .invalid, file: path, object: "labels",
        message: "expected labels from 0, found \(wrong)",
        remedy: "Record again without rows that have no label.", requirement: "R-046")
    }
    let classes = Set(labels).sorted()
    guard classes.count <= max(2, min(mostClasses, labels.count / fewestOfClass)) else {
      return nil
    }
    let number = Dictionary(uniqueKeysWithValues: classes.enumerated().map { ($1, Int32($0)) })
    return labels.map { number[$0]! }
  }

  /// Rows of a stream as doubles, [selected, width].
  static func matrix(
    _ stream: Int, _ window: StudyPlan.Window, _ reader: Reader, selected: [Int]
  ) throws -> Matrix {
    let width = reader.tables[window.table].streams[stream].width
    var elements = [Double]()
    elements.reserveCapacity(selected.count * width)
    let values = try reader.values(ofStream: stream, table: window.table, rows: window.rows)
    for row in selected {
      for value in values[row * width..<(row + 1) * width] {
        guard value.isFinite else {
          let name = reader.tables[window.table].streams[stream].name
          throw SnapshotError(
            code: .invalid, file: reader.path, object: "stream '\(name.prefix(80))'",
            message:
              "expected finite numbers, found \(value) in row \(window.rows.lowerBound + row)",
            remedy: "Record again without such rows.", requirement: "R-046")
        }
        elements.append(Double(value))
      }
    }
    return Matrix(rows: selected.count, columns: width, elements: elements)
  }

  /// Fits the feature's components on each fold's training rows, and prepares the features to be predicted.
  mutating func fitViews(most: Int) throws {
    views = try train.map { rows in
      let encoder = try PrincipalComponents(
        fitting: features.gatheringRows(rows),
        components: Self.components(trainingRows: rows.count, most: most))
      return encoder(features)
    }
    recovery = RecoveryTarget(features, folds: zip(train, test).map { ($0, $1) })
    features = Matrix(rows: 0, columns: 0)
  }

  /// Fewest rows that are paired anew among themselves. In smaller groups the pairings without fixed points are too few,
  /// and too unlike the recorded one, to stand for chance: with groups of 2 all pairings are one swap.
  private static let fewestPaired = 8

  /// Random pairings within fold and step that match no row with itself: within each group, one random cycle. Steps
  /// with fewer rows in a fold than `fewestPaired` are paired together with the next.
  private static func pairings(
    _ steps: [Int], _ test: [[Int]], count: Int, using generator: inout SeededGenerator
  ) -> [[Int]] {
    var groups: [[Int]] = []
    for rows in test {
      var current: [Int] = []
      var own: [[Int]] = []
      for (position, row) in rows.enumerated() {
        current.append(row)
        let endsStep = position == rows.count - 1 || steps[rows[position + 1]] != steps[row]
        if endsStep, current.count >= fewestPaired {
          own.append(current)
          current = []
        }
      }
      // What is left over joins the last group.
      if own.isEmpty {
        own = [current]
      } else {
        own[own.count - 1].append(contentsOf: current)
      }
      groups += own
    }
    return (0..<count).map { _ in
      var pairing = Array(steps.indices)
      for group in groups {
        let order = generator.permutation(group.count).map { group[$0] }
        for (position, row) in order.enumerated() {
          pairing[row] = order[(position + 1) % order.count]
        }
      }
      return pairing
    }
  }
}
