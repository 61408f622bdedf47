internal import LinearAlgebra
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
  /// Fold of each used row.
  var folds: [Int]
  var foldCount: Int
  /// Held-out rows of each fold.
  var test: [[Int]]
  /// Training rows of each fold.
  var train: [[Int]]
  /// Features as recorded, [n, width].
  var features: Matrix
  /// Features as each fold's components, [n, components].
  var views: [Matrix]
  var labels: [Int32]?
  /// Mismatched pairings: row of x for each row of y.
  var pairings: [[Int]]
  /// Candidates of a re-identification.
  var candidates: Int

  /// Components that so many training rows can carry: 25 rows for each, so that a critic of d + d components is
  /// fitted on at least 25 d rows.
  static func components(trainingRows: Int, most: Int) -> Int {
    max(1, min(most, trainingRows / 25))
  }

  /// Rows that a fold must have: more than the neighbours that are searched, and enough for a variance.
  static func fewest(_ settings: Study.Settings) -> Int { max(settings.neighbours + 1, 5) }

  /// Held-out rows of the smallest fold.
  var smallestFold: Int { test.map(\.count).min() ?? 0 }

  /// Reads and splits a window.
  init(
    _ window: StudyPlan.Window, plan: StudyPlan, reader: Reader, settings: Study.Settings
  ) throws {
    let all = try reader.records(ofTable: window.table, rows: window.rows)
    var seen: Set<RecordID> = []
    var kept = all.indices.filter { seen.insert(all[$0]).inserted }
    var stepOf = [Int](repeating: 0, count: all.count)
    for range in reader.stepRanges(ofTable: window.table) where range.rows.overlaps(window.rows) {
      for row in range.rows.clamped(to: window.rows) {
        stepOf[row - window.rows.lowerBound] = range.step
      }
    }
    let count = settings.folds > 0 ? settings.folds : min(5, max(2, kept.count / 300))
    let salt = SplitMix64.mix(settings.seed)
    let foldOf = { (row: Int) in
      Int(SplitMix64.mix(all[row].high ^ salt) % UInt64(count))
    }
    // A row alone in its step and fold has no mismatched partner; it can enter neither side of the comparison.
    var sizes: [Group: Int] = [:]
    for row in kept { sizes[Group(step: stepOf[row], fold: foldOf(row)), default: 0] += 1 }
    kept = kept.filter { sizes[Group(step: stepOf[$0], fold: foldOf($0))]! > 1 }

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
      labels = kept.map { values[$0] }
    }
    views = []
    var generator = SeededGenerator(seed: settings.seed, stream: UInt64(window.mode.rawValue))
    pairings = Self.pairings(steps, folds, count: settings.pairings, using: &generator)
  }

  private struct Group: Hashable {
    var step: Int
    var fold: Int
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
        // A number that is not finite would spread over the whole window.
        elements.append(value.isFinite ? Double(value) : 0)
      }
    }
    return Matrix(rows: selected.count, columns: width, elements: elements)
  }

  /// Fits the feature's components on each fold's training rows.
  mutating func fitViews(most: Int) throws {
    views = try train.map { rows in
      let encoder = try PrincipalComponents(
        fitting: features.gatheringRows(rows),
        components: Self.components(trainingRows: rows.count, most: most))
      return encoder(features)
    }
  }

  /// Random pairings within step and fold that match no row with itself: within each group, one random cycle.
  private static func pairings(
    _ steps: [Int], _ folds: [Int], count: Int, using generator: inout SeededGenerator
  ) -> [[Int]] {
    var groups: [Group: [Int]] = [:]
    for row in steps.indices {
      groups[Group(step: steps[row], fold: folds[row]), default: []].append(row)
    }
    let ordered = groups.values.sorted { $0[0] < $1[0] }
    return (0..<count).map { _ in
      var pairing = Array(steps.indices)
      for group in ordered {
        let order = generator.permutation(group.count).map { group[$0] }
        for (position, row) in order.enumerated() {
          pairing[row] = order[(position + 1) % order.count]
        }
      }
      return pairing
    }
  }
}
