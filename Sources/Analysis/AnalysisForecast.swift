private import LinearAlgebra
private import Results
internal import SnapshotFormat

/// What an analysis would do and take.
public struct AnalysisForecast: Sendable {
  /// Layers of the plan.
  public var layers: Int
  /// Windows of the plan.
  public var windows: Int
  /// Layers in windows.
  public var cells: Int
  /// Seconds of the clock on this machine's cores.
  public var seconds: Double
  /// Largest number of bytes in memory.
  public var memory: Int
  /// What the plan leaves out, in sentences.
  public var warnings: [String]
}

extension Analyzer {
  /// What `run` would do and take, without doing it: reads the file's description and measures this machine for some
  /// milliseconds.
  public func forecast(path: String) throws -> AnalysisForecast {
    BLAS.useOneThread()
    let reader = try Reader(path: path)
    let plan = try StudyPlan(reader, settings: settings)
    let model = CostModel(settings: settings)
    let cores = Self.cores
    var forecast = AnalysisForecast(
      layers: plan.layers.count, windows: plan.windows.count, cells: 0, seconds: 0, memory: 0,
      warnings: plan.warnings)
    var (reading, working) = (0.0, 0.0)
    var (gradients, kept, widest, features, scores) = (0, 0, 0, 0, 0)
    var leftOut = LeftOutWindows(settings)
    for window in plan.windows {
      // Found out before hours of work, not after them.
      let split = try WindowSplit(window, reader: reader, settings: settings)
      guard leftOut.admits(split) else { continue }
      let sizes = plan.sizes(of: window, reader, settings)
      reading += model.seconds(window: sizes[0]) + model.reading(sizes[0].rows * sizes[0].features)
      for cell in sizes {
        reading += model.reading(cell.rows * cell.width)
        working += model.seconds(cell)
        gradients += 8 * cell.rows * cell.width
        widest = max(widest, 8 * cell.rows * cell.width)
        features = max(features, 8 * cell.rows * cell.features)
        scores = max(scores, CostModel.scores(foldRows: cell.rows / cell.folds))
        // Tokens and six scores of each row.
        kept += cell.rows * (4 * settings.components + 48)
        forecast.cells += 1
      }
    }
    forecast.warnings += try leftOut.warnings(path: path, isAll: forecast.cells == 0)
    let atOnce = min(
      cores, forecast.cells,
      max(1, AnalysisWork.ahead(of: memory) / max(1, widest + scores / AnalysisWork.copies)))
    // Both go on at once; decoding takes its share of the cores.
    forecast.seconds = max(
      reading, (reading + working) / Double(min(cores, max(1, forecast.cells))))
    forecast.memory =
      CostModel.program + kept + min(gradients, AnalysisWork.ahead(of: memory) + widest)
      // As read, in order of folds, and components fitted of a part.
      + 3 * features + atOnce * (AnalysisWork.copies * widest + scores)
    return forecast
  }
}
