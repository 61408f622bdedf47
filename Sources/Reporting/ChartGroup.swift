internal import Results

/// Charts of one measure over windows of one kind: one small picture per layer, all on the same axes, and the
/// same as a table.
struct ChartGroup {
  let view: StudyView
  let measure: Measure
  let windows: [Int]
  /// Unique in the page.
  let id: String

  /// Layers drawn at once; more are folded away, those with the largest figures first.
  static let shown = 12

  private var layers: [Int] { view.layers(measure, windows: windows) }

  private func figures(_ layer: Int) -> [Figure] {
    windows.compactMap { view.figure(measure, layer: layer, window: $0) }
  }

  /// The charts and their table; empty where nothing was measured.
  func html() -> Markup {
    let layers = layers
    if layers.isEmpty { return "" }
    let (x, y) = axes(layers)
    func charts(_ layers: [Int]) -> Markup {
      let pictures = layers.map { layer -> Markup in
        let chart = LayerChart(
          view: view, measure: measure, layer: layer, windows: windows, x: x, y: y,
          id: "\(id)-\(layer)", gridID: "\(id)-grid")
        return "<figure><figcaption>\(view.name(layer: layer))</figcaption>\(chart.svg())</figure>"
      }
      return "<div class=\"charts\">\(pictures)</div>"
    }
    let (first, rest) = ordered(layers)
    let more: Markup =
      rest.isEmpty
      ? ""
      : "<details><summary>\(rest.count) more layers, with smaller figures</summary>\(charts(rest))</details>"
    let grid = LayerChart.grid(x: x, y: y, id: "\(id)-grid")
    return "\(legend(layers, y))\(grid)\(charts(first))\(more)\(table(layers))"
  }

  /// The layers with the largest figures, in the order of the model, and the others.
  private func ordered(_ layers: [Int]) -> ([Int], [Int]) {
    let peaks = layers.map { layer in
      (layer, figures(layer).map(\.value).filter(\.isFinite).max() ?? -.infinity)
    }
    let top = Set(peaks.sorted { $0.1 > $1.1 }.prefix(Self.shown).map(\.0))
    return (layers.filter(top.contains), layers.filter { !top.contains($0) })
  }

  private func axes(_ layers: [Int]) -> (Axis, Axis) {
    let steps = windows.flatMap {
      [Double(view.study.windows[$0].firstStep), Double(view.study.windows[$0].lastStep)]
    }
    let x = Axis(
      values: steps, start: LayerChart.left + 10, end: LayerChart.right - 10, intervals: 4,
      extended: false, whole: true)
    let all = layers.flatMap(figures)
    var values = all.flatMap { [$0.value, $0.low, $0.high] + LayerChart.nullEnds($0) }.filter(
      \.isFinite
    )
    .map { LayerChart.drawn($0, measure) }
    if measure.unit == .share {
      // One bad fold can give an R² of -40; below -50 % everything means "nothing".
      values = values.map { min(max($0, -50), 100) } + [0, 100]
    } else {
      values.append(0)
      let highest = values.max() ?? 0
      // The ceiling is drawn where it is near enough to matter.
      let ceilings = all.map { LayerChart.drawn($0.ceiling, measure) }.filter(\.isFinite)
      if let ceiling = ceilings.max(), ceiling <= highest * 1.6 { values.append(ceiling) }
    }
    let y = Axis(
      values: values, start: LayerChart.bottom, end: LayerChart.top, intervals: 5, extended: true,
      fixedStep: measure.unit == .share ? 25 : nil)
    return (x, y)
  }

  private func legend(_ layers: [Int], _ y: Axis) -> Markup {
    let figures = layers.flatMap(figures)
    let isTrace = windows.contains { view.study.windows[$0].mode != "probe" }
    var keys: [Markup] = []
    func key(_ picture: Markup, _ text: String) {
      keys.append(
        "<li><svg viewBox=\"0 0 34 14\" aria-hidden=\"true\">\(picture)</svg>\(text)</li>")
    }
    key(
      isTrace
        ? "<path class=\"line\" d=\"M3 7H31\"/><path class=\"whisker\" d=\"M17 1V13\"/><path class=\"mark\" d=\"M17 7h0\"/>"
        : "<path class=\"band\" d=\"M1 2H33V12H1Z\"/><path class=\"line\" d=\"M1 7H33\"/><path class=\"mark\" d=\"M17 7h0\"/>",
      "\(measure.unit == .nats ? "bits" : "percent"), with 95 % interval")
    if hasHollow(layers) {
      key(
        "<path class=\"mark\" d=\"M17 7h0\"/><path class=\"hollow\" d=\"M17 7h0\"/>",
        "hollow: \(hollow)")
    }
    if figures.contains(where: \.nullMean.isFinite) {
      key(
        "<path class=\"nullband\" d=\"M1 2H33V12H1Z\"/><path class=\"nullmean\" d=\"M1 7H33\"/>",
        "mismatched pairs: mean and 95 %")
    }
    let chances = windows.map { view.chance(measure, window: $0) }.filter(\.isFinite)
    if let low = chances.min(), let high = chances.max() {
      let text = Numbers.percent(high)
      key(
        "<path class=\"chance\" d=\"M1 7H33\"/>",
        "blind guessing: \(low == high ? text : "at most \(text)")")
    }
    if measure.unit == .nats, let ceiling = ceilingText(figures, y) {
      key("<path class=\"ceiling\" d=\"M1 7H33\"/>", ceiling)
    }
    return "<ul class=\"legend\">\(keys)</ul>"
  }

  private func hasHollow(_ layers: [Int]) -> Bool {
    layers.contains { layer in
      windows.contains {
        view.figure(measure, layer: layer, window: $0) != nil
          && !view.standsOut(measure, layer: layer, window: $0)
      }
    }
  }

  /// What a hollow mark says.
  private var hollow: String {
    if !view.isTested { return "not tested" }
    return switch measure {
    case .gaussian, .donskerVaradhan, .ksg, .label: "not a finding over the whole map"
    case .labelAccuracy: "interval reaches the null, or no finding about labels in that cell"
    case .reidentification, .recoverableVariance:
      "interval reaches the null, or no finding about the input in that cell"
    }
  }

  private func ceilingText(_ figures: [Figure], _ y: Axis) -> String? {
    let ceilings = figures.map(\.ceiling).filter(\.isFinite)
    guard let low = ceilings.min(), let high = ceilings.max() else { return nil }
    let text = Numbers.bits(low)
    let isDrawn = LayerChart.drawn(low, measure) <= y.domain.upperBound
    return
      "ceiling: \(text == Numbers.bits(high) ? "" : "\(text) to ")\(Numbers.bitsWithUnit(high))"
      + (isDrawn ? "" : ", above the pictures")
  }

  private func table(_ layers: [Int]) -> Markup {
    let unit = measure.unit == .nats ? "bits" : "percent"
    let heads = windows.map { "<th scope=\"col\">\(view.steps(window: $0))</th>" as Markup }
    let rows = layers.map { layer -> Markup in
      let cells = windows.map { window -> Markup in
        guard let figure = view.figure(measure, layer: layer, window: window) else {
          return "<td>\(Numbers.missing)</td>"
        }
        return
          "<td>\(number(figure.value))<i>\(number(figure.low)) to \(number(figure.high))</i></td>"
      }
      return "<tr><th scope=\"row\">\(view.name(layer: layer))</th>\(cells)</tr>"
    }
    return """
      <details><summary>The same as a table</summary><div class="scroll" tabindex="0"><table>\
      <caption>\(Wording.name(measure)) (\(Wording.kind(measure))) in \(unit), with 95 % interval, by layer and step. \
      Null, p-values and ceilings: see all figures.</caption>\
      <thead><tr><th scope="col">Layer</th>\(heads)</tr></thead><tbody>\(rows)</tbody></table></div></details>

      """
  }

  private func number(_ value: Double) -> String {
    measure.unit == .nats ? Numbers.bits(value) : Numbers.percent(value)
  }
}
