internal import Results

/// Layers by windows as a table whose cells are shaded by their figure, with the number printed in each.
struct HeatMap {
  let view: StudyView
  let measure: Measure
  /// Windows of one kind and table.
  let windows: [Int]
  /// Unique in the page.
  let id: String

  /// Shades, from little to much.
  static let shades = 8

  private var layers: [Int] {
    windows.first.map { view.layers(inTable: view.study.windows[$0].table) } ?? []
  }

  /// The largest finding of this map, which takes the darkest shade: probe and trace do not compare.
  private var largest: Double {
    view.figures(measure)
      .filter {
        windows.contains($0.window) && $0.figure.value.isFinite
          && view.standsOut(measure, layer: $0.layer, window: $0.window)
      }
      .map(\.figure.value).max() ?? 0
  }

  /// The map with its legend.
  func html() -> Markup {
    let heads = windows.map { "<th scope=\"col\">\(view.steps(window: $0))</th>" as Markup }
    let largest = largest
    let rows = layers.map { layer -> Markup in
      let cells = windows.map { cell(layer, $0, largest) }
      return "<tr><th scope=\"row\">\(view.name(layer: layer))</th>\(cells)</tr>\n"
    }
    return """
      <p class="cap" id="\(id)">\(Wording.name(measure)) (\(Wording.kind(measure))) in bits, by layer (rows) and step \
      (columns).</p>
      <div class="scroll" tabindex="0"><table class="map" aria-labelledby="\(id)"><thead><tr><th scope="col">Layer</th>\(heads)</tr></thead>
      <tbody>\(rows)</tbody><tfoot>\(footer)</tfoot></table></div>
      \(legend(largest))
      """
  }

  private func cell(_ layer: Int, _ window: Int, _ largest: Double) -> Markup {
    guard let figure = view.figure(measure, layer: layer, window: window) else {
      return "<td class=\"none\">\(Numbers.missing)</td>"
    }
    let mark = figure.flags.contains(.saturated) ? "≥" : ""
    let value =
      mark + Numbers.bits(Wording.claimed(figure)) + (figure.flags.contains(.heavyTails) ? "†" : "")
    guard view.standsOut(measure, layer: layer, window: window) else {
      return "<td class=\"null\">(\(value))</td>"
    }
    let share = figure.value.isFinite && largest > 0 ? min(max(figure.value / largest, 0), 1) : 0
    let shade = min(Self.shades - 1, Int(share * Double(Self.shades)))
    return "<td class=\"h\(shade)\">\(value)</td>"
  }

  /// What the windows were: rows and, where recorded, the training loss.
  private var footer: Markup {
    let windows = windows.map { view.study.windows[$0] }
    let rows = windows.map { "<td>\($0.rows)</td>" as Markup }
    let losses = windows.map { "<td>\(Numbers.plain($0.loss))</td>" as Markup }
    let epochs = windows.map { "<td>\(Numbers.plain($0.epoch))</td>" as Markup }
    var footer: Markup = "<tr><th scope=\"row\">Rows</th>\(rows)</tr>"
    if windows.contains(where: \.epoch.isFinite) {
      footer += "<tr><th scope=\"row\">Epoch</th>\(epochs)</tr>"
    }
    if windows.contains(where: \.loss.isFinite) {
      footer += "<tr><th scope=\"row\">Training loss</th>\(losses)</tr>"
    }
    return footer
  }

  private func legend(_ largest: Double) -> Markup {
    let swatches = (0..<Self.shades).map { "<span class=\"h\($0)\"></span>" as Markup }
    let scale: Markup =
      largest > 0
      ? "<li><span class=\"ramp\" aria-hidden=\"true\">\(swatches)</span>0 to \(Numbers.bitsWithUnit(largest))</li>"
      : ""
    let figures = view.figures(measure).filter { windows.contains($0.window) }
    var marks: Markup = ""
    if figures.contains(where: { !view.standsOut(measure, layer: $0.layer, window: $0.window) }) {
      let meaning =
        view.isTested
        ? "not distinguishable from mismatched pairs over the whole map" : "not tested"
      marks +=
        "<li><span class=\"swatch null\" aria-hidden=\"true\"></span>(in brackets, hatched): \(meaning)</li>"
    }
    if figures.contains(where: { $0.figure.flags.contains(.saturated) }) {
      marks += "<li>≥ saturated: at least this</li>"
    }
    if figures.contains(where: { $0.figure.flags.contains(.heavyTails) }) {
      marks += "<li>† heavy tails: understates</li>"
    }
    if figures.count < layers.count * windows.count { marks += "<li>– not measured</li>" }
    return """
      <ul class="legend">\(scale)\(marks)</ul>

      """
  }
}
