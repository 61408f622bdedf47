public import Results

/// A study as one self-contained web page: the verdict in words, charts, a map, and every figure.
///
/// The page loads nothing and runs nothing: no script, no font, no image, and a content security policy that
/// admits its own style sheet only. All text from the study is escaped, as it may come from anyone's file. The
/// markup is well-formed XML. Size and time grow with the number of figures, about 150 bytes each.
public struct HTMLReport: Sendable {
  let view: StudyView
  let wording: Wording
  let notes: [String]

  /// Creates a report.
  ///
  /// - Parameters:
  ///   - study: What was found.
  ///   - notes: Remarks on how the report came to be, beside the study's own warnings.
  public init(study: Study, notes: [String] = []) {
    view = StudyView(study)
    wording = Wording(view)
    self.notes = notes
  }

  var study: Study { view.study }

  /// The whole page.
  public func render() -> String {
    let style = Markup(stringLiteral: Stylesheet.text)
    let sections = sections
    let links = sections.map { "<a href=\"#\($0.id)\">\($0.title)</a> " as Markup }
    let bodies = sections.map { section -> Markup in
      "<section id=\"\(section.id)\"><h2>\(section.title)</h2>\n\(section.body)</section>\n"
    }
    let page: Markup = """
      <!DOCTYPE html>
      <html lang="en"><head><meta charset="utf-8"/>
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-\(Stylesheet.digest)'; \
      img-src 'none'; base-uri 'none'; form-action 'none'"/>
      <meta name="viewport" content="width=device-width, initial-scale=1"/>
      <meta name="referrer" content="no-referrer"/>
      <meta name="generator" content="ptoken"/>
      <title>\(wording.badge): \(study.provenance.input, limit: 80)</title>
      <style>\(style)</style></head>
      <body><div class="page">
      <header class="top"><span><strong>Gradient leakage report</strong></span>\
      <span>\(study.provenance.input, limit: 120)</span>\(recorded)</header>
      <main>
      \(verdictSection)
      <nav aria-label="Sections">\(links)</nav>
      \(bodies)</main>
      <footer>Made by ptoken \(study.provenance.version, limit: 60). This page runs no script and loads nothing.</footer>
      </div></body></html>

      """
    return page.html
  }

  private var recorded: Markup {
    study.run.created.isEmpty ? "" : "<span>recorded \(study.run.created, limit: 40)</span>"
  }

  /// A part of the page under a heading of its own.
  struct Section {
    var id: String
    var title: String
    var body: Markup
  }

  private var sections: [Section] {
    var sections = [
      Section(id: "validity", title: "Before you rely on it", body: warnings),
      Section(id: "training", title: "Information over training", body: information),
      Section(id: "map", title: "Layer by window", body: map),
      Section(id: "reidentification", title: "Re-identification", body: reidentification),
    ]
    if hasLabels { sections.append(Section(id: "labels", title: "Labels", body: labels)) }
    sections += [
      Section(id: "variance", title: "Recoverable variance", body: recoverableVariance),
      Section(id: "reading", title: "How to read these numbers", body: guide),
      Section(id: "provenance", title: "Provenance", body: provenance),
      Section(id: "figures", title: "All figures", body: allFigures),
    ]
    return sections
  }

  /// Most warnings printed; a hostile file may hold any number.
  static let mostWarnings = 60

  private var warnings: Markup {
    func item(_ text: String, _ kind: Markup) -> Markup {
      "<li\(kind)>\(text, limit: 800)</li>\n"
    }
    var items = study.warnings.prefix(Self.mostWarnings).map { item($0, "") }
    if study.warnings.count > Self.mostWarnings {
      items.append(item("\(study.warnings.count - Self.mostWarnings) more warnings.", ""))
    }
    if view.missingCells > 0, !study.cells.isEmpty {
      items.append(
        item(
          "\(view.missingCells) of \(view.expectedCells) cells (a layer in a window) \(view.missingCells == 1 ? "has" : "have") no figures.",
          ""))
    }
    items += notes.prefix(Self.mostWarnings).map { item($0, " class=\"note\"") }
    if items.isEmpty { return "<p>The analysis gave no warnings.</p>\n" }
    return "<ul class=\"warnings\">\n\(items)</ul>\n"
  }
}
