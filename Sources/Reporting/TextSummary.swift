public import Results

/// A study on one terminal screen: the verdict in words, what was found where, what to do.
public struct TextSummary: Sendable {
  /// Most lines printed.
  static let height = 24

  private let view: StudyView
  private let wording: Wording

  /// Creates a summary of what was found.
  public init(study: Study) {
    view = StudyView(study)
    wording = Wording(view)
  }

  /// The summary: at most 24 lines of at most `width` columns (40 at least), each ended by a line break.
  public func render(width: Int = 80) -> String {
    let width = max(40, width)
    var head = [PlainText.fitted(title, width: width), ""]
    head += paragraph("\(wording.badge.uppercased()). \(wording.headline)", width, most: 4)
    let readings = readings(width)
    if !readings.isEmpty { head += [""] + readings }

    var tail: [String] = []
    if !wording.whereToLook.isEmpty { tail += paragraph(wording.whereToLook, width, most: 3) }
    tail += paragraph("What to do: " + wording.whatToDo, width, most: 5)
    tail += warnings(width)

    // What is left of the screen goes to the explanation and the layers.
    var room = Self.height - head.count - tail.count - 1
    var middle: [String] = []
    let explanation = paragraph(wording.explanation, width, most: max(0, min(5, room - 1)))
    if !explanation.isEmpty {
      middle += [""] + explanation
      room -= explanation.count + 1
    }
    let layers = layers(width, most: room - 2)
    if !layers.isEmpty { middle += [""] + layers }

    let lines = (head + middle + [""] + tail).prefix(Self.height)
    return lines.map { String($0.map { $0 == "\u{A0}" ? " " : $0 }) + "\n" }.joined()
  }

  private var title: String {
    let study = view.study
    func number(_ count: Int, _ noun: String) -> String {
      "\(count) \(noun)\(count == 1 ? "" : "s")"
    }
    return [
      PlainText.line(study.provenance.input, limit: 60),
      number(view.layerCount, "layer"), number(study.windows.count, "window"),
      Wording.rows(study), "sigma \(Numbers.exact(study.provenance.settings.sigma))",
    ].joined(separator: ", ")
  }

  private func paragraph(_ text: String, _ width: Int, most: Int) -> [String] {
    let lines = PlainText.wrapped(text, width: width)
    guard lines.count > most else { return lines }
    var kept = Array(lines.prefix(most))
    if let last = kept.popLast() {
      var words = last
      while PlainText.columns(words) > width - 2, !words.isEmpty { words.removeLast() }
      kept.append(words + " …")
    }
    return kept
  }

  /// One line per reading: name, value, chance, place.
  private func readings(_ width: Int) -> [String] {
    wording.readings.filter { $0.status != .notMeasured }.map { reading in
      let chance = reading.chance.isFinite ? " (chance \(Numbers.percent(reading.chance)))" : ""
      let finding = reading.status == .found ? "" : ", \(withoutFinding)"
      let start = "  " + padded(reading.title, 22) + reading.value + chance + finding
      let left = width - PlainText.columns(start) - 2
      guard let place = reading.place, left >= 24 else {
        return PlainText.fitted(start, width: width)
      }
      let at = view.at(window: place.window)
      let name = PlainText.fitted(
        view.name(layer: place.layer), width: max(1, left - PlainText.columns(at)))
      return PlainText.fitted(start + "  " + name + at, width: width)
    }
  }

  /// The layers with the largest figures, first to last window.
  private func layers(_ width: Int, most: Int) -> [String] {
    guard let measure = view.mapped, most >= 1 else { return [] }
    let mode = view.windowGroups.first { !view.layers(measure, windows: $0.windows).isEmpty }
    guard let mode else { return [] }
    let peaks = view.layers(measure, windows: mode.windows).compactMap { layer in
      mode.windows.compactMap { window in
        view.figure(measure, layer: layer, window: window)
          .map { (layer: layer, window: window, value: $0.value) }
      }.filter(\.value.isFinite).max { $0.value < $1.value }
    }.sorted { $0.value > $1.value }
    let largest = peaks.first?.value ?? 0
    let shown = peaks.prefix(min(most, 6))
    let longest = shown.map { PlainText.columns(view.name(layer: $0.layer)) }.max() ?? 0
    let column = max(8, min(longest, width / 2))
    let bar = max(4, min(30, width - column - 26))
    let lines = shown.map { layer, window, value -> String in
      let share = largest > 0 ? max(0, value / largest) : 0
      let blocks = String(repeating: "█", count: Int((share * Double(bar)).rounded()))
      let isFinding = view.standsOut(measure, layer: layer, window: window)
      let name = padded(PlainText.fitted(view.name(layer: layer), width: column), column + 2)
      return PlainText.fitted(
        "  " + name + padded(Numbers.bits(value), 9) + (isFinding ? blocks : withoutFinding),
        width: width)
    }
    if lines.isEmpty { return [] }
    return [
      PlainText.fitted(
        "Peak bits per layer (\(mode.mode) windows\(mode.windows.first.map(view.table) ?? ""), \(Wording.kind(measure))):",
        width: width)
    ] + lines
  }

  private func warnings(_ width: Int) -> [String] {
    guard let first = view.study.warnings.first else { return [] }
    let more = view.study.warnings.count - 1
    let count = more == 0 ? "" : " (and \(more) more)"
    return paragraph("Warning\(count): \(PlainText.line(first, limit: 300))", width, most: 2)
  }

  private var withoutFinding: String { view.withoutFinding.lowercased() }

  private func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(1, width - PlainText.columns(text)))
  }
}
