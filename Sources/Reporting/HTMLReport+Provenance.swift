internal import Results

extension HTMLReport {
  /// Where the figures came from, and all that is needed to repeat them.
  var provenance: Markup {
    let provenance = study.provenance
    let settings = provenance.settings
    let libraries = provenance.libraries.sorted { $0.key < $1.key }.prefix(30)
      .map { "\(PlainText.line($0.key, limit: 40)) \(PlainText.line($0.value, limit: 60))" }
    let automatic = { (value: Int) in value == 0 ? "chosen by the rows (0)" : "\(value)" }
    return """
      <h3>Input</h3>
      \(facts([
        ("File", provenance.input), ("SHA-256", provenance.inputDigest), ("Run", study.run.id),
        ("Recorded", study.run.created), ("By", study.run.producer), ("Ended", study.run.status),
      ]))
      <h3>Analysis</h3>
      \(facts([
        ("ptoken", provenance.version), ("Libraries", libraries.joined(separator: ", ")),
        ("Sigma", Numbers.exact(settings.sigma)), ("Token", settings.token), ("Components", "\(settings.components)"),
        ("Critic", settings.critic),
      ] + (settings.trainedNetworks > 0 ? [("Networks of a fold", "\(settings.trainedNetworks)")] : []) + [
        ("Components for neighbours", "\(settings.neighbourComponents)"),
        ("Nearest neighbours (k)", "\(settings.neighbours)"), ("Folds", automatic(settings.folds)),
        ("Mismatched pairings", "\(settings.pairings)"), ("Candidates", "\(settings.candidates)"),
        ("Trace steps per window", automatic(settings.traceSteps)), ("Seed", "\(settings.seed)"),
      ]))
      <h3>Windows</h3>
      \(windows)
      <h3>Model</h3>
      \(description(study.run.model))
      <h3>Training</h3>
      \(description(study.run.training))

      """
  }

  private func facts(_ facts: [(String, String)]) -> Markup {
    let items = facts.map { name, value -> Markup in
      "<dt>\(name)</dt><dd>\(value.isEmpty ? Numbers.missing : value, limit: 300)</dd>\n"
    }
    return "<dl class=\"facts\">\n\(items)</dl>"
  }

  private var windows: Markup {
    if study.windows.isEmpty { return "<p>None.</p>" }
    let rows = study.windows.indices.map { index -> Markup in
      let window = study.windows[index]
      return """
        <tr><td>\(view.steps(window: index))\(view.table(window: index))</td><td>\(window.mode, limit: 20)</td><td>\(Numbers.plain(window.epoch))</td>\
        <td>\(Numbers.plain(window.loss))</td><td>\(window.rows)</td><td>\(window.folds)</td><td>\(window.candidates)</td>\
        <td>\(Numbers.bits(window.labelEntropy))</td><td>\(Numbers.percent(window.labelChance))</td></tr>

        """
    }
    return """
      <details><summary>\(study.windows.count == 1 ? "1 window" : "\(study.windows.count) windows")</summary>\
      <div class="scroll" tabindex="0"><table>
      <thead><tr><th scope="col">Step</th><th scope="col">Kind</th><th scope="col">Epoch</th><th scope="col">Loss</th>\
      <th scope="col">Rows</th><th scope="col">Folds</th><th scope="col">Candidates</th>\
      <th scope="col">H(label), bits</th><th scope="col">Commonest label</th></tr></thead>
      <tbody>\(rows)</tbody></table></div></details>
      """
  }

  /// A description in JSON, indented; as it stands where it is no JSON.
  private func description(_ text: String) -> Markup {
    if text.isEmpty { return "<p>Not described.</p>" }
    guard let value = JSONValue(parsing: text) else {
      return
        "<p>Not valid JSON; shown as it stands.</p>\n<pre tabindex=\"0\">\(block: text, limit: 20_000)</pre>"
    }
    return "<pre tabindex=\"0\">\(block: value.text(), limit: 20_000)</pre>"
  }
}
