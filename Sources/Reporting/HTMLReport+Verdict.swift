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

  /// How far along its scale the value that is shown lies, with a tick at chance, and what the scale is.
  private func meter(_ reading: Reading) -> Markup {
    guard let figure = reading.figure else { return "" }
    let isInformation = figure.measure.unit == .nats
    let full = isInformation ? figure.ceiling : 1
    guard figure.value.isFinite, full.isFinite, full > 0 else { return "" }
    let part = 200 * min(max(figure.value / full, 0), 1)
    let chance: Markup =
      reading.chance.isFinite
      ? "<path class=\"tick\" d=\"M\(max(0.8, 200 * min(max(reading.chance, 0), 1))) 0V12\"/>" : ""
    let scale =
      isInformation
      ? "\(Numbers.bitsWithUnit(full)), the ceiling of this \(Wording.kind(figure.measure))"
      : "\(Numbers.percent(1))" + (reading.chance.isFinite ? "; tick: chance" : "")
    return """
      <svg class="meter" viewBox="0 0 200 12" preserveAspectRatio="none" aria-hidden="true">\
      <rect class="all" y="3" width="200" height="6"/><rect class="part" y="3" width="\(part)" height="6"/>\(chance)</svg>\
      <p class="scale">Bar: 0 to \(scale).</p>
      """
  }

  private func capitalised(_ sentence: String) -> String {
    sentence.prefix(1).uppercased() + sentence.dropFirst()
  }
}
