internal import Results

extension HTMLReport {
  /// Every figure with all that belongs to it, one table per layer.
  var allFigures: Markup {
    let tables = study.layers.indices.map(table)
    let count = study.cells.reduce(0) { $0 + $1.figures.count }
    if count == 0 { return "<p>None.</p>\n" }
    return """
      <details class="figures"><summary>\(count) figures, by layer</summary>
      <p>Information in bits, scores in percent. Null: mean ± standard deviation over mismatched pairings. Kept: share \
      of the recorded gradient's variance that the token keeps.</p>
      \(tables)</details>

      """
  }

  private func table(_ layer: Int) -> Markup {
    let cells = study.cells.filter {
      $0.layer == layer && study.windows.indices.contains($0.window)
    }
    if cells.isEmpty { return "" }
    let bodies = Measure.allCases.map { body($0, cells) }
    let description = study.layers[layer]
    let kept = cells.map(\.keptVariance).filter(\.isFinite)
    let ends = [kept.min(), kept.max()].compactMap { $0.map(Numbers.percent) }
    let keptText =
      ends.isEmpty ? "" : "; kept " + (ends[0] == ends[1] ? ends[0] : "\(ends[0]) to \(ends[1])")
    return """
      <div class="scroll" tabindex="0"><table><caption>\(view.name(layer: layer, limit: 200)): \
      \(description.stage, limit: 20), \(description.parameters) parameters, \(description.width) recorded\(keptText)</caption>
      <thead><tr><th scope="col">Step</th><th scope="col">Value</th><th scope="col">95 % interval</th>\
      <th scope="col">Null</th><th scope="col">p, map p</th><th scope="col">Ceiling</th><th scope="col">Rows</th>\
      <th scope="col">Flags</th></tr></thead>
      \(bodies)</table></div>

      """
  }

  /// One measure over the windows, under a heading that states its kind and unit.
  private func body(_ measure: Measure, _ cells: [Study.Cell]) -> Markup {
    let rows = cells.flatMap { cell in
      cell.figures.filter { $0.measure == measure }
        .map { row($0, steps: view.steps(window: cell.window) + view.table(window: cell.window)) }
    }
    if rows.isEmpty { return "" }
    let unit = measure.unit == .nats ? "bits" : "percent"
    return """
      <tbody><tr><th colspan="8" scope="rowgroup">\(Wording.name(measure)) (\(Wording.kind(measure)), \(unit))</th></tr>
      \(rows)</tbody>

      """
  }

  private func row(_ figure: Figure, steps: String) -> Markup {
    let number = figure.measure.unit == .nats ? Numbers.bits : Numbers.percent
    let null =
      figure.nullMean.isFinite
      ? "\(number(figure.nullMean)) ± \(number(figure.nullDeviation))" : Numbers.missing
    let p =
      figure.p.isFinite || figure.mapP.isFinite
      ? "\(Numbers.plain(figure.p)), \(Numbers.plain(figure.mapP))" : Numbers.missing
    // A share cannot exceed 100 %; saying so in every row helps nobody.
    let ceiling = figure.measure.unit == .share ? "" : number(figure.ceiling)
    let flags = Set(figure.flags).sorted { $0.rawValue < $1.rawValue }.map(Wording.meaning)
      .joined(separator: ", ")
    return """
      <tr><td>\(steps)</td><td>\(number(figure.value))</td><td>\(number(figure.low)) to \(number(figure.high))</td>\
      <td>\(null)</td><td>\(p)</td><td>\(ceiling)</td><td>\(figure.rows)</td><td>\(flags)</td></tr>
      """
  }
}
