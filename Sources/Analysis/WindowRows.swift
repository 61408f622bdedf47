internal import LinearAlgebra
internal import MutualInformation
internal import PrivacyTokens
internal import Results
internal import SnapshotFormat

/// One window's rows, split into folds by record, with everything that does not depend on the layer.
struct WindowRows: Sendable {
  /// The rows that are used, and their folds.
  let split: WindowSplit
  var selected: [Int] { split.selected }
  var records: [RecordID] { split.records }
  var steps: [Int] { split.steps }
  var folds: [Int] { split.folds }
  var foldCount: Int { split.foldCount }
  var test: [[Int]] { split.test }
  var train: [[Int]] { split.train }
  /// Whether used rows are of several steps, so that those of one may depend on each other.
  var isGrouped: Bool { steps.contains { $0 != steps[0] } }
  /// Features as recorded, [n, width]; empty once they are fitted.
  private(set) var features: Matrix
  /// The same for what tokens predict of them; nil before.
  private(set) var recovery: RecoveryTarget?
  /// Features as each fold's components, [n, components].
  var views: [Matrix]
  var labels: [Int32]?
  /// Different labels; 0 where none are recorded.
  var classes = 0
  let pairings: MismatchedPairings
  /// Candidates of a re-identification.
  var candidates: Int

  /// Components that so many training rows can carry: 25 rows for each, so that a critic of d + d components is
  /// fitted on at least 25 d rows.
  static func components(trainingRows: Int, most: Int) -> Int {
    max(1, min(most, trainingRows / 25))
  }

  /// Reads what all layers of a window share.
  init(
    _ split: WindowSplit, _ window: StudyPlan.Window, plan: StudyPlan, reader: Reader,
    settings: Study.Settings
  ) throws {
    self.split = split
    let kept = split.selected
    candidates = min(settings.candidates, split.smallestFold)

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
    pairings = MismatchedPairings(
      split.steps, split.test, count: settings.pairings, using: &generator)
  }

  /// Most classes, and fewest rows of each on average, that can be told apart.
  static let (mostClasses, fewestOfClass) = (1000, 2)

  /// Labels as consecutive numbers from 0; nil where there is one class, or more than rows could tell apart.
  private static func denseLabels(_ labels: [Int32], _ path: String) throws -> [Int32]? {
    if let wrong = labels.first(where: { $0 < 0 }) {
      throw SnapshotError(
        code: .invalid, file: path, object: "labels",
        message: "expected labels from 0, found \(wrong)",
        remedy: "Record again without rows that have no label.", requirement: "R-046")
    }
    let classes = Set(labels).sorted()
    guard classes.count > 1,
      classes.count <= max(2, min(mostClasses, labels.count / fewestOfClass))
    else { return nil }
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
}
