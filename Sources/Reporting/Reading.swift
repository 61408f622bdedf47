package import Results

/// One thing that a person decides by, in a few words and in a sentence.
package struct Reading: Sendable {
  /// What is read.
  package enum Topic: String, CaseIterable, Sendable {
    case information
    case reidentification
    case recoverableVariance = "recoverable_variance"
    case label
  }

  /// How it came out.
  package enum Status: String, Sendable {
    /// Stands out in some cell, as `Study.Cell.standsOut` says.
    case found
    /// Tested, and no finding.
    case notFound = "not_found"
    /// Measured, but the study tests nothing: no pairings, or too few for a finding.
    case notTested = "not_tested"
    /// Not measured in this study.
    case notMeasured = "not_measured"
  }

  /// What is read.
  package let topic: Topic
  /// How it came out.
  package let status: Status
  /// A heading.
  package let title: String
  /// The value in a few words: "98 %", "about 4.1 bits".
  package let value: String
  /// The whole statement.
  package let sentence: String
  /// Where it was seen; nil where not measured.
  package let place: (layer: Int, window: Int)?
  /// The figure whose value is shown.
  package let figure: Figure?
  /// What blind guessing reaches, as a share; NaN where it has no meaning.
  package let chance: Double

  init(_ topic: Topic, _ view: StudyView) {
    self.topic = topic
    title = Self.title(topic)
    let measures = Self.measures(topic)
    let found = measures.lazy.compactMap { measure in
      view.verdict.strongest.first { place in
        place.figure.measure == measure && place.figure.value.isFinite
          && view.hasMeaning(measure, window: place.window)
          && view.figure(measure, layer: place.layer, window: place.window) != nil
      }
    }.first.map { ($0.layer, $0.window, $0.figure) }
    guard let (layer, window, figure) = found ?? Self.largest(measures, view) else {
      status = .notMeasured
      value = Numbers.missing
      let isTold =
        topic == .label && view.study.warnings.contains { $0.hasPrefix("Labels ") }
      sentence =
        topic == .label && view.hasOneClassOnly
        ? "Not measured: the records have one class only, so there is nothing to tell."
        : "Not measured in this study\(isTold ? "; the warnings say why" : "")."
      place = nil
      figure = nil
      chance = .nan
      return
    }
    status = found != nil ? .found : view.isTested ? .notFound : .notTested
    place = (layer, window)
    chance = view.chance(figure.measure, window: window)
    let bound = Self.bound(beside: figure, view, layer: layer, window: window)
    let shown = bound ?? figure
    self.figure = shown
    value =
      topic == .information || figure.measure == .label
      ? Wording.claim(shown) : Wording.value(shown)
    let statement = Self.statement(figure, view, layer: layer, window: window)
    sentence =
      status == .found
      ? statement + "."
      : "\(view.withoutFinding). "
        + (figure.value > 0
          ? "The largest figure of any cell: \(statement)." : "No figure is above zero.")
  }

  private static func title(_ topic: Topic) -> String {
    switch topic {
    case .information: "Information"
    case .reidentification: "Re-identification"
    case .recoverableVariance: "Recoverable variance"
    case .label: "Labels"
    }
  }

  /// Measures of a topic; the first that was taken speaks for it.
  private static func measures(_ topic: Topic) -> [Measure] {
    switch topic {
    case .information: [.gaussian, .donskerVaradhan, .ksg]
    case .reidentification: [.reidentification]
    case .recoverableVariance: [.recoverableVariance]
    case .label: [.labelAccuracy, .label]
    }
  }

  private static func largest(
    _ measures: [Measure], _ view: StudyView
  ) -> (Int, Int, Figure)? {
    for measure in measures {
      let all = view.figures(measure).filter {
        $0.figure.value.isFinite && view.hasMeaning(measure, window: $0.window)
      }
      if let top = all.max(by: { $0.figure.value < $1.figure.value }) {
        return (top.layer, top.window, top.figure)
      }
    }
    return nil
  }

  /// The lower bound in the cell of a Gaussian estimate, where it says anything: what may be claimed comes first.
  private static func bound(
    beside figure: Figure, _ view: StudyView, layer: Int, window: Int
  ) -> Figure? {
    guard figure.measure == .gaussian,
      let bound = view.figure(.donskerVaradhan, layer: layer, window: window),
      bound.low > Wording.smallestBound
    else { return nil }
    return bound
  }

  /// A statement without its full stop.
  private static func statement(
    _ figure: Figure, _ view: StudyView, layer: Int, window: Int
  ) -> String {
    let value = Wording.value(figure)
    switch figure.measure {
    case .gaussian, .donskerVaradhan, .ksg:
      if Wording.saysNothing(figure) {
        return "there is \(Wording.noBound) on what a token of the gradient carries about its input"
      }
      let token = "a token of the gradient carries"
      let estimate = "\(Wording.claim(figure)) (95\u{A0}% interval \(interval(figure)))"
      if let bound = bound(beside: figure, view, layer: layer, window: window) {
        return
          "\(token) \(Wording.claim(bound)) about its input, by a bound on held-out rows; a Gaussian model says \(estimate)"
      }
      return "\(token) \(estimate) about its input"
    case .reidentification:
      return
        "the right record was picked out of \(view.study.windows[safe: window]?.candidates ?? 0) in \(value) of cases; "
        + "chance \(Numbers.percent(view.chance(.reidentification, window: window)))"
    case .recoverableVariance:
      return "\(value) of the input's variance can be reconstructed by a linear probe"
    case .labelAccuracy:
      let label = view.figure(.label, layer: layer, window: window)
      return
        "labels are guessed right in \(value), blind guessing \(Numbers.percent(view.chance(.labelAccuracy, window: window)))"
        + (label.map { "; \(entropyShare($0, view, window: window))" } ?? "")
    case .label:
      let share = entropyShare(figure, view, window: window)
      return Wording.saysNothing(figure) ? share : "a gradient gives away \(share)"
    }
  }

  /// The label information of a figure out of what a label holds: "at least 2.9 of 3.3 bits of the label", or
  /// "no lower bound above 0 on the 3.3 bits of the label".
  static func entropyShare(_ figure: Figure, _ view: StudyView, window: Int) -> String {
    let entropy = Numbers.bitsWithUnit(view.study.windows[safe: window]?.labelEntropy ?? .nan)
    if Wording.saysNothing(figure) { return "\(Wording.noBound) on the \(entropy) of the label" }
    let saturated = figure.flags.contains(.saturated) ? ", saturated" : ""
    return
      "at least \(Numbers.bits(Wording.claimed(figure))) of \(entropy) of the label\(saturated)"
  }

  /// The 95 % interval in bits, "3.9 to 4.3".
  private static func interval(_ figure: Figure) -> String {
    "\(Numbers.bits(figure.low)) to \(Numbers.bits(figure.high))"
  }
}

extension Array {
  /// The element at `index`, or nil outside the array.
  subscript(safe index: Int) -> Element? { indices.contains(index) ? self[index] : nil }
}
