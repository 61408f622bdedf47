package import Results

/// A study with what every report looks up in it: figures by place, windows by kind, labels of places.
package struct StudyView: Sendable {
  /// The study itself.
  package let study: Study
  /// What it supports.
  package let verdict: Verdict
  private let figures: [Key: Figure]
  private let standing: Set<Key>
  private let cells: Set<[Int]>
  /// Layer and table, for each layer with figures in a window of that table.
  private let recorded: Set<[Int]>
  /// The tables with windows of a kind.
  private let tables: [String: [Int]]
  private let showsStage: Bool

  private struct Key: Hashable {
    var layer: Int
    var window: Int
    var measure: Measure
  }

  package init(_ study: Study) {
    self.study = study
    verdict = Verdict(study)
    var figures: [Key: Figure] = [:]
    var standing: Set<Key> = []
    var cells: Set<[Int]> = []
    for cell in study.cells
    where study.layers.indices.contains(cell.layer) && study.windows.indices.contains(cell.window) {
      cells.insert([cell.layer, cell.window])
      for figure in cell.figures {
        let key = Key(layer: cell.layer, window: cell.window, measure: figure.measure)
        guard figures[key] == nil else { continue }
        figures[key] = figure
        if verdict.outcome == .leakFound, cell.standsOut(figure) { standing.insert(key) }
      }
    }
    self.figures = figures
    self.standing = standing
    self.cells = cells
    recorded = Set(cells.map { [$0[0], study.windows[$0[1]].table] })
    tables = Dictionary(grouping: study.windows, by: Self.mode)
      .mapValues { Set($0.map(\.table)).sorted() }
    showsStage = Set(study.layers.map(\.stage)).count > 1
  }

  /// The figure of a measure in a layer and window, if it was taken.
  package func figure(_ measure: Measure, layer: Int, window: Int) -> Figure? {
    figures[Key(layer: layer, window: window, measure: measure)]
  }

  /// Every figure of a measure, by layer and then window.
  package func figures(_ measure: Measure) -> [(layer: Int, window: Int, figure: Figure)] {
    study.layers.indices.flatMap { layer in
      study.windows.indices.compactMap { window in
        figure(measure, layer: layer, window: window).map { (layer, window, $0) }
      }
    }
  }

  /// Layers with a figure of `measure` in one of `windows`.
  package func layers(_ measure: Measure, windows: [Int]) -> [Int] {
    study.layers.indices.filter { layer in
      windows.contains { figure(measure, layer: layer, window: $0) != nil }
    }
  }

  /// The information measure that charts and the map show: the first that was taken, Gaussian before others.
  package var mapped: Measure? {
    [.gaussian, .donskerVaradhan, .ksg].first { !figures($0).isEmpty }
  }

  /// Windows by kind and table, because their figures do not compare: probes first, then by table.
  package var windowGroups: [(mode: String, table: Int, windows: [Int])] {
    ["probe", "trace"].flatMap { mode in
      (tables[mode] ?? []).map { table in
        let windows = study.windows.indices.filter {
          Self.mode(study.windows[$0]) == mode && study.windows[$0].table == table
        }
        return (mode, table, windows)
      }
    }
  }

  private static func mode(_ window: Study.Window) -> String {
    window.mode == "probe" ? "probe" : "trace"
  }

  /// " of table 2" for a window whose kind several tables share, which steps alone do not tell apart.
  package func table(window: Int) -> String {
    guard let window = study.windows[safe: window], (tables[Self.mode(window)] ?? []).count > 1
    else { return "" }
    return " of table\u{A0}\(window.table)"
  }

  /// Distinct layers: one that was recorded at several gradient stages counts once.
  package var layerCount: Int { Set(study.layers.map(\.name)).count }

  /// Cells that ought to have figures.
  ///
  /// A layer is expected in a window where it has figures in some window of the same table: other tables may record
  /// other gradient stages. What has figures nowhere in a table is not counted; the warnings say why.
  package var expectedCells: Int {
    study.windows.reduce(0) { sum, window in
      sum + study.layers.indices.count { recorded.contains([$0, window.table]) }
    }
  }

  /// Expected cells that have no figures.
  package var missingCells: Int { expectedCells - cells.count }

  /// Layers that belong in a map of one table's windows: those with figures in that table, and those with none at all.
  package func layers(inTable table: Int) -> [Int] {
    let measured = Set(recorded.map { $0[0] })
    return study.layers.indices.filter {
      recorded.contains([$0, table]) || !measured.contains($0)
    }
  }

  /// Figures that were tested over the whole map.
  package var tests: Int { study.cells.reduce(0) { $0 + $1.figures.count(where: \.isTested) } }

  /// Cells with a figure that was tested over the whole map.
  package var testedCells: Int { study.cells.count { $0.figures.contains(where: \.isTested) } }

  /// Whether anything could have been found.
  package var isTested: Bool { verdict.outcome != .notTested }

  /// What a figure without a finding is: nothing may be called "no finding" that was not tested.
  package var withoutFinding: String { isTested ? "No finding" : "Not tested" }

  /// Distinct layers with a finding in one of `measures`, at whatever stage.
  package func leakingLayers(_ measures: Set<Measure>) -> Int {
    Set(standing.filter { measures.contains($0.measure) }.map { study.layers[$0.layer].name }).count
  }

  /// Whether the figure of a measure stands out, as the verdict counts it.
  package func standsOut(_ measure: Measure, layer: Int, window: Int) -> Bool {
    standing.contains(Key(layer: layer, window: window, measure: measure))
  }

  /// Whether a measure can say anything in a window: of labels that are all the same there is nothing to tell.
  package func hasMeaning(_ measure: Measure, window: Int) -> Bool {
    guard measure == .label || measure == .labelAccuracy else { return true }
    return study.windows.indices.contains(window) && study.windows[window].labelEntropy != 0
  }

  /// Whether there are labels, and in no window more than one class of them.
  package var hasOneClassOnly: Bool {
    let entropies = study.windows.map(\.labelEntropy).filter(\.isFinite)
    return !entropies.isEmpty && entropies.allSatisfy { $0 == 0 }
  }

  /// What blind guessing reaches in a window; NaN for measures that have no such thing.
  package func chance(_ measure: Measure, window: Int) -> Double {
    guard study.windows.indices.contains(window) else { return .nan }
    let window = study.windows[window]
    switch measure {
    case .reidentification: return window.candidates > 0 ? 1 / Double(window.candidates) : .nan
    case .labelAccuracy: return window.labelChance
    default: return .nan
    }
  }

  /// A layer's name, with its gradient stage where stages differ.
  package func name(layer: Int, limit: Int = 80) -> String {
    guard study.layers.indices.contains(layer) else { return "layer \(layer)" }
    let description = study.layers[layer]
    let name = PlainText.line(description.name, limit: limit)
    let stage = showsStage ? " (\(PlainText.line(description.stage, limit: 20)))" : ""
    return (name.isEmpty ? "layer \(layer)" : name) + stage
  }

  /// The steps of a window, as "1200" or "100–149".
  package func steps(window: Int) -> String {
    guard study.windows.indices.contains(window) else { return Numbers.missing }
    let window = study.windows[window]
    return window.firstStep == window.lastStep
      ? "\(window.firstStep)" : "\(window.firstStep)–\(window.lastStep)"
  }

  /// A layer and window, as "conv1 at step 1200".
  package func place(layer: Int, window: Int) -> String { name(layer: layer) + at(window: window) }

  /// A window as the end of a place, " at step 1200", with its table where that is needed.
  package func at(window: Int) -> String {
    let steps = steps(window: window)
    return " at \(steps.contains("–") ? "steps" : "step")\u{A0}\(steps)\(table(window: window))"
  }
}
