internal import Results

extension HTMLReport {
  /// Whether anything in the study is about labels.
  var hasLabels: Bool {
    study.windows.contains { $0.labelEntropy.isFinite }
      || !view.figures(.label).isEmpty || !view.figures(.labelAccuracy).isEmpty
  }

  /// Information about the input, per layer over training.
  var information: Markup {
    guard let measure = view.mapped else { return none("information about the input") }
    return """
      <p>\(Wording.name(measure)) (\(article(measure))): what one gradient of a layer says about its input, in bits, at a \
      resolution of sigma \(Numbers.exact(study.provenance.settings.sigma)). All layers share their axes.</p>
      \(groups(measure, id: "i"))
      """
  }

  /// The map of layers and windows.
  var map: Markup {
    guard let measure = view.mapped else { return none("information about the input") }
    return maps(measure)
  }

  private func maps(_ measure: Measure) -> Markup {
    let maps = view.windowGroups.compactMap { group -> Markup? in
      if view.layers(measure, windows: group.windows).isEmpty { return nil }
      let map = HeatMap(
        view: view, measure: measure, windows: group.windows,
        id: "m-\(measure.rawValue)-\(group.mode)\(group.table)")
      return "\(heading(group.windows))\(map.html())"
    }
    return "\(maps)"
  }

  /// Re-identification, per layer over training.
  var reidentification: Markup {
    if view.figures(.reidentification).isEmpty { return none("re-identification") }
    return """
      <p>How often a held-out gradient points to its own record among the candidates. \
      A first place shared by m records counts 1/m.</p>
      \(groups(.reidentification, id: "r"))
      """
  }

  /// Label leakage: bits of the label's entropy, and accuracy against blind guessing.
  var labels: Markup {
    if view.hasOneClassOnly {
      return "<p>The records have one class only: there is nothing to tell.</p>\n"
    }
    let bits = view.figures(.label).filter {
      $0.figure.value.isFinite && view.hasMeaning(.label, window: $0.window)
    }
    let top = bits.max { $0.figure.value < $1.figure.value }
    let best: Markup =
      top.map { top in
        if Wording.saysNothing(top.figure) {
          return "<p>In no cell is there a lower bound above 0 on the bits of the label.</p>"
        }
        let what = Reading.entropyShare(top.figure, view, window: top.window)
        return
          "<p>Largest: \(what), in \(view.place(layer: top.layer, window: top.window)).</p>"
      } ?? ""
    var body: Markup =
      "<p>A classifier from gradient to label, scored on rows that it never saw.</p>\n\(best)"
    if !view.figures(.labelAccuracy).isEmpty {
      body += groups(.labelAccuracy, id: "a")
    }
    if !bits.isEmpty {
      body += maps(.label)
    }
    return body
  }

  /// Recoverable variance, per layer over training.
  var recoverableVariance: Markup {
    if view.figures(.recoverableVariance).isEmpty { return none("recoverable variance") }
    return """
      <p>How much of the input's variance a linear probe reconstructs from one gradient, on rows that it never saw. \
      Zero or less: no better than guessing the mean. A stronger attacker may recover more.</p>
      \(groups(.recoverableVariance, id: "v"))
      """
  }

  private func groups(_ measure: Measure, id: String) -> Markup {
    let groups = view.windowGroups.map { group -> Markup in
      let charts = ChartGroup(
        view: view, measure: measure, windows: group.windows,
        id: "\(id)\(group.mode.prefix(1))\(group.table)"
      ).html()
      return charts.html.isEmpty ? "" : "\(heading(group.windows))\(charts)"
    }
    return "\(groups)"
  }

  /// What a group of windows is, with its table where others are of the same kind.
  private func heading(_ windows: [Int]) -> Markup {
    guard let first = windows.first else { return "" }
    let table = view.table(window: first)
    return study.windows[first].mode == "probe"
      ? "<h3>Probe windows\(table): all rows at the same frozen weights</h3>\n"
      : "<h3>Trace windows\(table): gradients as training made them, weights drift within a window</h3>\n"
  }

  private func article(_ measure: Measure) -> String {
    measure.kind == .estimate ? "an estimate" : "a \(Wording.kind(measure))"
  }

  private func none(_ what: String) -> Markup {
    "<p>This study has no figures of \(what).</p>\n"
  }
}
