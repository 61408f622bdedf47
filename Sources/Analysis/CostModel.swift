internal import LinearAlgebra
internal import Results
internal import SnapshotFormat

/// What an analysis is going to take, from the sizes of its plan.
///
/// Each stage has a formula whose factor was fitted to `--timings` of runs of 300 to 3,000 rows and 128 to 2,048 numbers
/// (docs/performance.md), in seconds of a core that multiplies matrices at `referenceRate`; the machine's own rate scales them.
struct CostModel {
  /// Sizes of one cell.
  struct Cell {
    var rows: Int
    var folds: Int
    /// Numbers of a gradient and of a feature.
    var width: Int
    var features: Int
    /// Different labels; 0 for none.
    var classes: Int
  }

  let settings: Study.Settings
  /// How many times as long this machine takes as the reference.
  let slowness: Double

  /// GFLOP/s of one core at products of 256 x 256 matrices in double precision, where the factors were fitted.
  private static let referenceRate = 42.0

  init(settings: Study.Settings, slowness: Double? = nil) {
    self.settings = settings
    self.slowness = slowness ?? Self.referenceRate / Self.measuredRate()
  }

  /// The best of some products, ten milliseconds in all.
  private static func measuredRate() -> Double {
    let n = 256
    let a = Matrix(rows: n, columns: n, repeating: 0.5)
    let clock = ContinuousClock()
    let best = (0..<8).map { _ in
      let start = clock.now
      _ = a.times(a)
      return (clock.now - start) / .seconds(1)
    }.min()!
    return min(max(2 * Double(n * n * n) / best / 1e9, 1), 1000)
  }

  /// Seconds of one thread for a cell.
  func seconds(_ cell: Cell) -> Double {
    let (n, folds) = (Double(cell.rows), Double(cell.folds))
    let train = n * (folds - 1) / folds
    let pairings = Double(settings.pairings + 1)
    let share =
      Double(WindowRows.components(trainingRows: Int(train), most: settings.components)) / 16
    let side = min(Double(cell.width), train)
    let tokens =
      folds
      * ((2 * train * Double(cell.width) * side + 9 * side * side * side) / 20e9 + 3e-3)
    let gaussian = pairings * folds * 1.4e-7 * n * share * share
    let neighbours =
      pairings * (4.2e-9 * n * n / folds + 1e-6 * n) * Double(settings.neighbourComponents) / 2
    // Two products with the features for each fold.
    let recovery = pairings * folds * 1e-9 * n * Double(cell.features) * share
    let labels = pairings * folds * n * (cell.classes > 0 ? 3e-8 + 5e-9 * Double(cell.classes) : 0)
    let pairs = (n / folds) * (n / folds)
    let critic =
      settings.critic == "hybrid"
      ? folds * Double(settings.networks) * (min(0.2, 2.4e-4 * n) + 6e-8 * pairs)
      : folds * 6e-8 * min(512, train) * min(512, train)
    return slowness * (tokens + gaussian + neighbours + recovery + labels + critic)
  }

  /// Seconds of one thread for each stream of each window of a plan.
  func costs(of plan: StudyPlan, _ reader: Reader) -> [[Double]] {
    plan.windows.map { window in
      plan.sizes(of: window, reader, settings).map { seconds($0) }
    }
  }

  /// Seconds of one thread for what all layers of a window share.
  func seconds(window cell: Cell) -> Double {
    let train = Double(cell.rows) * Double(cell.folds - 1) / Double(cell.folds)
    let side = min(Double(cell.features), train)
    return slowness * Double(cell.folds)
      * (2 * train * Double(cell.features) * side + 9 * side * side * side) / 20e9
  }

  /// Seconds of reading so many numbers.
  func reading(_ numbers: Int) -> Double { 4 * Double(numbers) / 200e6 }

  /// Bytes of a critic's scores of all pairs of a fold's held-out rows, with what is made of them.
  static func scores(foldRows: Int) -> Int { 4 * 8 * foldRows * foldRows }

  /// Bytes that the program itself takes, its libraries and buffers.
  static let program = 100 << 20
}

extension StudyPlan {
  /// Sizes of a window's cells, stream by stream.
  func sizes(
    of window: Window, _ reader: Reader, _ settings: Study.Settings
  ) -> [CostModel.Cell] {
    let table = reader.tables[window.table]
    return streams[window.table]!.map { stream in
      CostModel.Cell(
        rows: window.rows.count, folds: WindowSplit.folds(rows: window.rows.count, settings),
        width: table.streams[stream.stream].width,
        features: table.streams[features[window.table]!].width,
        classes: classes[window.table] ?? 0)
    }
  }
}
