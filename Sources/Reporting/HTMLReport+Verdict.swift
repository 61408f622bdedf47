internal import Results

extension HTMLReport {
  /// The verdict in words, four readings of it, and what to do.
  var verdictSection: Markup {
    let look: Markup =
      wording.whereToLook.isEmpty
      ? "" : "<div><dt>Where to look</dt><dd>\(wording.whereToLook)</dd></div>"
    let cards = wording.readings.map(card)
    let outcome = view.verdict.outcome.rawValue
    return """
      <section class="verdict \(outcome)" id="verdict">
      <span class="badge">\(wording.badge)</span>
      <h1>\(wording.headline)</h1>
      <p>\(wording.explanation)</p>
      <dl class="act">\(look)<div><dt>What to do</dt><dd>\(wording.whatToDo) \(wording.whatNext)</dd></div></dl>
      </section>
      <div class="cards">\(cards)</div>
      """
  }

  private func card(_ reading: Reading) -> Markup {
    let isFound = reading.status == .found
    let place: Markup =
      reading.place.map { place in
        let text = view.place(layer: place.layer, window: place.window)
        return "<p class=\"at\">\(isFound ? "" : "largest: ")\(text)</p>"
      } ?? ""
    return """
      <article class="card \(isFound ? "on" : "off")"><h3>\(reading.title)</h3>\
      <p class="big">\(reading.value)</p>\(meter(reading))<p>\(capitalised(reading.sentence))</p>\(place)</article>

      """
  }

  /// How far along its scale a reading is, with a tick at chance. The sentence says the same.
  private func meter(_ reading: Reading) -> Markup {
    guard let figure = reading.figure else { return "" }
    let full = figure.measure.unit == .nats ? figure.ceiling : 1
    guard figure.value.isFinite, full.isFinite, full > 0 else { return "" }
    let part = 200 * min(max(figure.value / full, 0), 1)
    let chance: Markup =
      reading.chance.isFinite
      ? "<path class=\"tick\" d=\"M\(max(0.8, 200 * min(max(reading.chance, 0), 1))) 0V12\"/>" : ""
    return """
      <svg class="meter" viewBox="0 0 200 12" preserveAspectRatio="none" aria-hidden="true">\
      <rect class="all" y="3" width="200" height="6"/><rect class="part" y="3" width="\(part)" height="6"/>\(chance)</svg>
      """
  }

  private func capitalised(_ sentence: String) -> String {
    sentence.prefix(1).uppercased() + sentence.dropFirst()
  }
}
