package import Results

/// One layer's figures over training as inline SVG: value, 95 % interval, and what mismatched pairs give.
package struct LayerChart {
  package let view: StudyView
  package let measure: Measure
  package let layer: Int
  /// Windows of one kind, in order.
  package let windows: [Int]
  /// Shared by all layers of a group, so that they compare by eye.
  package let x: Axis
  package let y: Axis
  /// Unique in the page.
  package let id: String
  /// The picture of the axes, which all layers of a group share.
  package let gridID: String

  package init(
    view: StudyView, measure: Measure, layer: Int, windows: [Int], x: Axis, y: Axis, id: String,
    gridID: String
  ) {
    self.view = view
    self.measure = measure
    self.layer = layer
    self.windows = windows
    self.x = x
    self.y = y
    self.id = id
    self.gridID = gridID
  }

  package static let width = 340.0
  package static let height = 176.0
  package static let left = 42.0
  package static let right = 330.0
  package static let top = 10.0
  package static let bottom = 146.0

  /// The number that is drawn for a stored value: bits, or percent.
  package static func drawn(_ value: Double, _ measure: Measure) -> Double {
    measure.unit == .nats ? Numbers.inBits(value) : value * 100
  }

  /// Where the central 95 % of a normal null lie; empty without a null.
  package static func nullEnds(_ figure: Figure) -> [Double] {
    guard figure.nullMean.isFinite else { return [] }
    let half = 1.96 * (figure.nullDeviation.isFinite ? figure.nullDeviation : 0)
    return [figure.nullMean - half, figure.nullMean + half]
  }

  private struct Point {
    var window: Int
    var figure: Figure
    /// Ends and middle of the window's steps.
    var from: Double
    var to: Double
    var middle: Double { (from + to) / 2 }
  }

  private var points: [Point] {
    windows.compactMap { window in
      guard let figure = view.figure(measure, layer: layer, window: window),
        figure.value.isFinite
      else { return nil }
      let steps = view.study.windows[window]
      return Point(
        window: window, figure: figure, from: x.position(Double(steps.firstStep)).rounded(),
        to: x.position(Double(steps.lastStep)).rounded())
    }
  }

  private var isTrace: Bool { windows.contains { view.study.windows[$0].mode != "probe" } }

  private func height(_ value: Double) -> Double { y.position(Self.drawn(value, measure)) }

  /// The picture, with a title and a description for those who do not see it.
  package func svg() -> Markup {
    let points = points
    return """
      <svg viewBox="0 0 \(Self.width) \(Self.height)" role="img" aria-labelledby="\(id)t \(id)d">\
      <title id="\(id)t">\(view.name(layer: layer)): \(Wording.name(measure))</title>\
      <desc id="\(id)d">\(summary(points))</desc>\
      <use href="#\(gridID)"/>\(null(points))\(ceiling(points))\(chance)\(line(points))\(marks(points))</svg>
      """
  }

  private func summary(_ points: [Point]) -> String {
    guard let first = points.first, let last = points.last,
      let top = points.max(by: { $0.figure.value < $1.figure.value })
    else { return "No figures." }
    func at(_ point: Point) -> String {
      "\(Wording.value(point.figure)) at step \(view.steps(window: point.window))"
    }
    if points.count == 1 { return "One window: \(at(first))." }
    return "\(points.count) windows, from \(at(first)) to \(at(last)); highest \(at(top))."
  }

  /// The axes, to be drawn once per group.
  static func grid(x: Axis, y: Axis, id: String) -> Markup {
    var lines: Markup = ""
    var labels: Markup = ""
    for tick in y.ticks {
      let at = y.position(tick)
      lines += "M\(left) \(at)H\(right)"
      labels += "<text x=\"\(left - 6)\" y=\"\(at + 3.5)\" class=\"e\">\(y.label(tick))</text>"
    }
    for tick in x.ticks {
      labels +=
        "<text x=\"\(x.position(tick))\" y=\"\(bottom + 15)\" class=\"m\">\(x.label(tick))</text>"
    }
    let zero: Markup =
      y.domain.contains(0) && y.domain.lowerBound < 0
      ? "<path class=\"zero\" d=\"M\(left) \(y.position(0))H\(right)\"/>" : ""
    return """
      <svg class="shared" aria-hidden="true"><defs><g id="\(id)"><path class="grid" d="\(lines)"/>\(zero)\(labels)\
      <text x="\(right)" y="\(height - 2)" class="e">step</text></g></defs></svg>
      """
  }

  /// Mean and central 95 % of a normal null.
  private func null(_ points: [Point]) -> Markup {
    let known = points.filter { $0.figure.nullMean.isFinite }
    var mean: Markup = ""
    var band: Markup = ""
    for run in runs(known) {
      let edges = run.map { point in
        let ends = Self.nullEnds(point.figure)
        let high = height(ends[1])
        return (high: high, low: max(height(ends[0]), high + 1))
      }
      band += ribbon(run, edges)
      mean += path(run, run.map { height($0.figure.nullMean) })
    }
    return Self.paths([("nullband", band), ("nullmean", mean)])
  }

  /// Points in stretches that a line may join: probes without a missing window between them, traces alone.
  private func runs(_ points: [Point]) -> [[Point]] {
    var runs: [[Point]] = []
    for point in points {
      if !isTrace, let last = runs.last?.last, neighbours(last.window, point.window) {
        runs[runs.count - 1].append(point)
      } else {
        runs.append([point])
      }
    }
    return runs
  }

  /// The drawing x of each point; a run of one takes its window's width, so that it can be seen.
  private func reach(_ run: [Point]) -> [Double] {
    guard run.count == 1, let point = run.first else { return run.map(\.middle) }
    return point.to - point.from > 6
      ? [point.from, point.to] : [point.middle - 8, point.middle + 8]
  }

  private func path(_ run: [Point], _ heights: [Double]) -> Markup {
    let at = reach(run)
    if run.count == 1 { return "M\(at[0]) \(heights[0])H\(at[1])" }
    var path: Markup = "M"
    for (x, y) in zip(at, heights) { path += "\(x) \(y) " }
    return path
  }

  private func ribbon(_ run: [Point], _ edges: [(high: Double, low: Double)]) -> Markup {
    let at = reach(run)
    if run.count == 1 { return "M\(at[0]) \(edges[0].high)H\(at[1])V\(edges[0].low)H\(at[0])Z" }
    var path: Markup = "M"
    for (x, edge) in zip(at, edges) { path += "\(x) \(edge.high) " }
    for (x, edge) in zip(at, edges).reversed() { path += "\(x) \(edge.low) " }
    return "\(path)Z"
  }

  /// Paths that draw something, each in its class.
  private static func paths(_ paths: [(name: String, shape: Markup)]) -> Markup {
    let drawn = paths.filter { !$0.shape.html.isEmpty }
    return "\(drawn.map { "<path class=\"\($0.name)\" d=\"\($0.shape)\"/>" as Markup })"
  }

  private func ceiling(_ points: [Point]) -> Markup {
    guard measure.unit == .nats else { return "" }
    let highest = points.map(\.figure.ceiling).filter(\.isFinite).min()
    guard let highest, Self.drawn(highest, measure) <= y.domain.upperBound else { return "" }
    return "<path class=\"ceiling\" d=\"M\(Self.left) \(height(highest))H\(Self.right)\"/>"
  }

  private var chance: Markup {
    let shares = windows.map { view.chance(measure, window: $0) }.filter(\.isFinite)
    guard let share = shares.max() else { return "" }
    return "<path class=\"chance\" d=\"M\(Self.left) \(height(share))H\(Self.right)\"/>"
  }

  /// A line through neighbouring probes with the interval around it; a bar over the steps of each trace.
  private func line(_ points: [Point]) -> Markup {
    var line: Markup = ""
    var band: Markup = ""
    for run in runs(points) {
      if run.count > 1 || isTrace { line += path(run, run.map { height($0.figure.value) }) }
      if run.count > 1, run.allSatisfy(hasInterval) {
        band += ribbon(run, run.map { (height($0.figure.high), height($0.figure.low)) })
      }
    }
    return Self.paths([("band", band), ("line", line)])
  }

  private func neighbours(_ first: Int, _ second: Int) -> Bool {
    guard let at = windows.firstIndex(of: first), at + 1 < windows.count else { return false }
    return windows[at + 1] == second
  }

  private func hasInterval(_ point: Point) -> Bool {
    point.figure.low.isFinite && point.figure.high.isFinite
  }

  /// Whiskers, then full marks for what stands out and hollow ones for what does not.
  private func marks(_ points: [Point]) -> Markup {
    var whiskers: Markup = ""
    var all: Markup = ""
    var hollow: Markup = ""
    let bare = runs(points).filter { $0.count == 1 || !$0.allSatisfy(hasInterval) }
    let whiskered = Set(bare.joined().map(\.window))
    for point in points {
      if hasInterval(point), whiskered.contains(point.window) {
        whiskers +=
          "M\(point.middle) \(height(point.figure.low))V\(height(point.figure.high))"
      }
      let mark: Markup = "M\(point.middle) \(height(point.figure.value))h0"
      all += mark
      if !view.standsOut(measure, layer: layer, window: point.window) { hollow += mark }
    }
    return Self.paths([("whisker", whiskers), ("mark", all), ("hollow", hollow)])
  }
}
