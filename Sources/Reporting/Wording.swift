package import Results

/// The sentences that every report shares, so that page, terminal and JSON say the same.
package struct Wording: Sendable {
  /// The study and its verdict.
  package let view: StudyView
  /// The outcome in two or three words.
  package let badge: String
  /// The verdict in one sentence.
  package let headline: String
  /// How far the verdict reaches.
  package let explanation: String
  /// What was found, in the units that people decide by.
  package let readings: [Reading]
  /// Where to look first; empty where nothing was found.
  package let whereToLook: String
  /// What to do first.
  package let whatToDo: String
  /// How to go on from there.
  package let whatNext: String

  package init(_ view: StudyView) {
    self.view = view
    switch view.verdict.outcome {
    case .leakFound: badge = "Leak found"
    case .noLeakFound: badge = "No leak detected"
    case .notTested: badge = "Not tested"
    }
    headline = Self.headline(view)
    explanation = Self.explanation(view)
    readings = Reading.Topic.allCases.map { Reading($0, view) }
    whereToLook = Self.whereToLook(view)
    (whatToDo, whatNext) = Self.advice(view)
  }

  // MARK: Verdict

  private static func headline(_ view: StudyView) -> String {
    let count = view.layerCount
    switch view.verdict.outcome {
    case .notTested:
      return "Leakage was not tested."
    case .noLeakFound:
      return "No leak was detected in the gradients of \(layers(count, of: count))."
    case .leakFound:
      let inputs = view.leakingLayers([.gaussian, .donskerVaradhan, .ksg])
      let labels = view.leakingLayers([.label])
      let start = "This run leaks: gradients of "
      if inputs == 0 {
        return start + layers(labels, of: count) + " carry information about the labels."
      }
      let both = start + layers(inputs, of: count) + " carry information about the inputs"
      if labels == 0 { return both + "." }
      if labels == inputs { return both + " and the labels." }
      return both + ", and of \(layers(labels, of: count)) about the labels."
    }
  }

  private static func layers(_ number: Int, of all: Int) -> String {
    if all == 1 { return "the one recorded layer" }
    return number == all ? "all \(all) layers" : "\(number) of \(all) layers"
  }

  private static func explanation(_ view: StudyView) -> String {
    let study = view.study
    let alarm = Numbers.percent(Verdict.level)
    switch view.verdict.outcome {
    case .notTested:
      if study.layers.isEmpty || study.windows.isEmpty {
        return "The file holds no gradients that could be analysed."
      }
      if study.cells.isEmpty {
        return "No layer could be measured in any window; the warnings say why."
      }
      let floor = 1 / (Double(study.provenance.settings.pairings) + 1)
      if floor > Verdict.level, study.provenance.settings.pairings > 0 {
        return
          "Nothing could have been found: from \(pairings(study)) no p-value can be below "
          + "\(Numbers.plain(floor)), and a finding needs \(Numbers.plain(Verdict.level)). Analyse with 99 pairings."
      }
      return
        "No figure was compared with mismatched pairs over the whole map, so nothing says what chance alone would give."
    case .leakFound:
      return
        "\(view.verdict.cellsWithFindings) of \(view.testedCells) tested cells (a layer in one window) stand out from "
        + "\(pairings(study)), at a false-alarm rate of \(alarm) for the whole map."
    case .noLeakFound:
      let reach =
        view.verdict.detectable.isFinite
        ? "the smallest effect likely to have been found (in four of five repetitions) is about "
          + "\(Numbers.bitsWithUnit(view.verdict.detectable)) in one cell; anything smaller can have been missed."
        : "how small an effect would have been found is not known."
      return
        "None of \(view.tests) tested figures stands out from \(pairings(study)), at a false-alarm rate of \(alarm) for the "
        + "whole map. With \(rows(study)) per window and noise of sigma \(Numbers.exact(study.provenance.settings.sigma)): "
        + reach + " This is not proof of absence."
    }
  }

  private static func pairings(_ study: Study) -> String {
    "\(study.provenance.settings.pairings) mismatched pairings"
  }

  /// The rows of the windows, as "512 rows" or "256 to 512 rows".
  package static func rows(_ study: Study) -> String {
    let rows = study.windows.map(\.rows)
    guard let low = rows.min(), let high = rows.max() else { return "no rows" }
    return low == high ? "\(low)\u{A0}rows" : "\(low) to \(high)\u{A0}rows"
  }

  private static func whereToLook(_ view: StudyView) -> String {
    guard
      let top = view.verdict.strongest.first(where: { view.study.layers.indices.contains($0.layer) }
      )
    else { return "" }
    var text = "Look first at \(view.place(layer: top.layer, window: top.window))"
    if view.study.windows.indices.contains(top.window) {
      let window = view.study.windows[top.window]
      text += " (\(PlainText.line(window.mode, limit: 20))"
      if window.epoch.isFinite { text += ", epoch\u{A0}\(Numbers.plain(window.epoch))" }
      text += ")"
    }
    return text
      + ", where \(shortName(top.figure.measure)) reads highest; other layers may leak in ways it does not see."
  }

  /// What to do first, and how to go on.
  private static func advice(_ view: StudyView) -> (String, String) {
    switch view.verdict.outcome {
    case .leakFound:
      let top = view.verdict.strongest.first?.layer ?? -1
      let start =
        view.study.layers[safe: top]?.stage == "noised"
        ? "The noise added so far does not hide the records at this resolution. " : ""
      return (
        start
          + "Treat these gradients like the training records themselves: share neither them nor the recording.",
        "Clip each example's gradient and add noise (DP-SGD), average over more examples before anything leaves the "
          + "machine, or withhold the layers that leak. Then record again and compare at the same checkpoint."
      )
    case .noLeakFound:
      return (
        "Before relying on this, check that the same setting finds a leak in a run that is known to leak.",
        "To see smaller effects, record more rows per window and more probes; to ask a sharper question, analyse at a "
          + "smaller sigma."
      )
    case .notTested:
      guard view.study.cells.isEmpty else {
        return (
          "Analyse the same file with 99 mismatched pairings.",
          "What the report measures then stands beside what chance alone would give."
        )
      }
      return (
        "Record a probe of at least a few hundred distinct records whose features and gradients vary.",
        "Then analyse with mismatched pairings."
      )
    }
  }

  // MARK: Names

  /// A measure's name as in tables.
  package static func name(_ measure: Measure) -> String {
    switch measure {
    case .gaussian: "Information, Gaussian"
    case .donskerVaradhan: "Information, Donsker–Varadhan"
    case .ksg: "Information, nearest neighbours"
    case .label: "Label information"
    case .labelAccuracy: "Label accuracy"
    case .reidentification: "Re-identification"
    case .recoverableVariance: "Recoverable variance"
    }
  }

  private static func shortName(_ measure: Measure) -> String {
    switch measure {
    case .gaussian, .donskerVaradhan, .ksg: "information about the input"
    case .label: "information about the label"
    case .labelAccuracy: "label accuracy"
    case .reidentification: "re-identification"
    case .recoverableVariance: "recoverable variance"
    }
  }

  /// What may be claimed from a measure.
  package static func kind(_ measure: Measure) -> String {
    switch measure.kind {
    case .lowerBound: "lower bound"
    case .estimate: "estimate"
    case .score: "held-out score"
    }
  }

  /// A flag's meaning.
  package static func meaning(_ flag: Figure.Flag) -> String {
    switch flag {
    case .saturated: "saturated"
    case .nullNotBeaten: "null not beaten"
    case .fewRows: "few rows"
    case .heavyTails: "heavy tails"
    }
  }

  /// A figure's value with its unit, without saying what it claims.
  package static func value(_ figure: Figure) -> String {
    figure.measure.unit == .nats
      ? Numbers.bitsWithUnit(figure.value) : Numbers.percent(figure.value)
  }

  /// Nats up to which a bound says nothing: a critic that found nothing reads its own rounding.
  static let smallestBound = 1e-6

  /// What is said of a lower bound that is none.
  static let noBound = "no lower bound above 0"

  /// Whether a figure is a lower bound that says nothing.
  static func saysNothing(_ figure: Figure) -> Bool {
    figure.measure.kind == .lowerBound && figure.value <= smallestBound
  }

  /// The value that may be claimed: what lies beyond its ceiling is not shown by a saturated figure.
  package static func claimed(_ figure: Figure) -> Double {
    figure.flags.contains(.saturated) && figure.ceiling.isFinite
      ? min(figure.value, figure.ceiling) : figure.value
  }

  /// A figure in nats with what it claims: "about 4.1 bits", "at least 3.2 bits", "at least 8.7 bits, saturated",
  /// "no lower bound above 0".
  package static func claim(_ figure: Figure) -> String {
    if saysNothing(figure) { return noBound }
    let saturated = figure.flags.contains(.saturated)
    let claim = saturated || figure.measure.kind == .lowerBound ? "at least" : "about"
    return
      "\(claim) \(Numbers.bitsWithUnit(claimed(figure)))\(saturated ? ", saturated" : "")"
  }
}
