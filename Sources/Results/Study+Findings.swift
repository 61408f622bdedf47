extension Figure {
  /// Whether the figure was compared with mismatched pairs over the whole map; scores never are.
  public var isTested: Bool { measure.kind != .score && mapP.isFinite }

  /// Whether it beats them at `Verdict.level`.
  public var isFinding: Bool { isTested && mapP <= Verdict.level }
}

extension Measure {
  /// The tested measures of the question that this one answers: about the input, or about the label.
  package var question: Set<Measure> {
    switch self {
    case .label, .labelAccuracy: [.label]
    case .gaussian, .donskerVaradhan, .ksg, .reidentification, .recoverableVariance:
      [.gaussian, .donskerVaradhan, .ksg]
    }
  }
}

extension Study.Cell {
  /// Whether a figure of this cell may be reported as found.
  ///
  /// A tested figure must be a finding itself. A score has no place in the max-statistic: it counts where a tested
  /// measure of its own question is a finding in the same cell, and its interval lies above its null's mean (and, for
  /// recoverable variance, above 0, which guessing the mean reaches). Without a null mean it never counts.
  public func standsOut(_ figure: Figure) -> Bool {
    guard figure.measure.kind == .score else { return figure.isFinding }
    let least =
      figure.measure == .recoverableVariance ? max(figure.nullMean, 0) : figure.nullMean
    return figure.nullMean.isFinite && figure.low > least
      && figures.contains { figure.measure.question.contains($0.measure) && $0.isFinding }
  }
}
