internal import LinearAlgebra
internal import Results
internal import SnapshotFormat

/// Which of a window's rows are used, and how they are split into folds by record.
struct WindowSplit: Sendable {
  /// Rows of the window that are used: the first row of each record.
  var selected: [Int]
  var records: [RecordID]
  /// Row of `/steps` of each used row.
  var steps: [Int]
  /// Fold of each used row.
  var folds: [Int]
  /// Held-out rows of each fold.
  var test: [[Int]]
  /// Training rows of each fold.
  var train: [[Int]]

  var foldCount: Int { test.count }
  /// Held-out rows of the smallest fold.
  var smallestFold: Int { test.map(\.count).min() ?? 0 }

  /// Folds that so many rows are split in.
  static func folds(rows: Int, _ settings: Study.Settings) -> Int {
    settings.folds > 0 ? settings.folds : min(5, max(2, rows / 300))
  }

  /// Reads the ids of a window's rows and splits them.
  ///
  /// - Parameter rows: rows of the window to choose from; nil: all.
  init(
    _ window: StudyPlan.Window, reader: Reader, settings: Study.Settings, rows: [Int]? = nil
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
    let folds = kept.map { Int(SplitMix64.mix(all[$0].high ^ salt) % UInt64(count)) }
    selected = kept
    records = kept.map { all[$0] }
    steps = kept.map { stepOf[$0] }
    self.folds = folds
    test = (0..<count).map { fold in folds.indices.filter { folds[$0] == fold } }
    train = (0..<count).map { fold in folds.indices.filter { folds[$0] != fold } }
  }
}

/// Windows that have too few rows, and what is said of them.
struct LeftOutWindows {
  /// Smallest folds of windows whose folds are too small.
  private var tooSmall: [Int] = []
  /// Distinct records of windows that have too few.
  private var tooFew: [Int] = []
  private let fewest: Int

  init(_ settings: Study.Settings) {
    // More than the neighbours that are searched, and enough for a variance.
    fewest = max(settings.neighbours + 1, 5)
  }

  /// Whether a window's rows are enough, and its folds'; notes it where they are not.
  mutating func admits(_ split: WindowSplit) -> Bool {
    if split.selected.count < StudyPlan.fewestRows {
      tooFew.append(split.selected.count)
    } else if split.smallestFold < fewest {
      tooSmall.append(split.smallestFold)
    } else {
      return true
    }
    return false
  }

  /// What was left out, in sentences.
  ///
  /// - Throws: `AnalysisError` where that is all there was.
  func warnings(path: String, isAll: Bool) throws -> [String] {
    var warnings: [String] = []
    if let most = tooFew.max() {
      guard !isAll || !tooSmall.isEmpty else {
        throw AnalysisError(
          code: .tooFewRows, file: path,
          message:
            "expected at least \(StudyPlan.fewestRows) distinct records in a window, found at most \(most)",
          remedy: "Record more different records, or group more trace steps with --trace-steps.")
      }
      warnings.append(
        "\(tooFew.count) window(s) have fewer than \(StudyPlan.fewestRows) distinct records and were left out."
      )
    }
    if let largest = tooSmall.max() {
      guard !isAll else {
        throw AnalysisError(
          code: .tooFewRows, file: path,
          message: "expected at least \(fewest) distinct records in every fold, found \(largest)",
          remedy: "Record a larger probe set, or use fewer --folds or --neighbours.")
      }
      warnings.append(
        "\(tooSmall.count) window(s) have fewer than \(fewest) distinct records in a fold and were left out."
      )
    }
    return warnings
  }
}
