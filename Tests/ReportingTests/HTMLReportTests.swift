import Foundation
import Reporting
import Results
import Testing

@Suite("A page says what the study says")
struct HTMLReportTests {
  private func page(_ study: Study, notes: [String] = []) -> Page {
    Page(HTMLReport(study: study, notes: notes).render())
  }

  @Test("The verdict comes first, then the readings")
  func verdictFirst() {
    let page = page(Studies.leaking())
    #expect(page.all("section").first?.attributes["class"] == "verdict leak_found")
    #expect(
      page.text("h1")
        == "This run leaks: gradients of 3 of 4 layers carry information about the inputs and the labels."
    )
    let values = page.all("p", class: "big").map(\.text)
    #expect(values == ["at least 4.85\u{A0}bits", "98\u{A0}%", "61\u{A0}%", "97\u{A0}%"])
    let titles = page.all("h2").map(\.text)
    #expect(
      titles == [
        "Before you rely on it", "Information over training", "Layer by window",
        "Re-identification", "Labels", "Recoverable variance", "How to read these numbers",
        "Provenance", "All figures",
      ])
  }

  @Test("The map prints bits: 4.2 nats are 6.06 bits; what is no finding stands in brackets")
  func map() {
    let page = page(Studies.leaking())
    #expect(page.all("td", class: "h7").first?.text == "6.06")
    #expect(abs(Numbers.inBits(4.2) - 6.0593) < 1e-4)
    // fc2: 0.02 nats = 0.0289 bits, map p 0.6.
    #expect(page.all("td", class: "null").first?.text == "(0.029)")
    #expect(page.all("td", class: "none").count == 2, "fc1 has no cell in window 3: both maps")
  }

  @Test("A saturated figure is printed as at least")
  func saturated() {
    let page = page(Studies.large(layers: 2, windows: 2))
    // 3 nats x 0.9 / ln 2 = 3.895 bits.
    #expect(page.all("td", class: "h7").first?.text == "≥3.90")
    #expect(page.all("p", class: "big").first?.text == "at least 3.90\u{A0}bits, saturated")
  }

  @Test("A card's bar is drawn from the value above it, on a scale that is named")
  func meter() {
    let page = page(Studies.leaking())
    // The bound, 4.2 x 0.8 = 3.36 of 6.2 nats: 108.4 of 200; 6.2 nats = 8.94 bits. Not the estimate's 4.2 nats (135.5).
    let bars = page.all("rect", class: "part").compactMap { $0.attributes["width"] }
    #expect(bars.first == "108.4")
    // 97.66 % of 200.
    #expect(bars[1] == "195.3")
    let scales = page.all("p", class: "scale").map(\.text)
    #expect(scales.first == "Bar: 0 to 8.94\u{A0}bits, the ceiling of this lower bound.")
    #expect(scales[1] == "Bar: 0 to 100\u{A0}%; tick: chance.")
    #expect(scales[2] == "Bar: 0 to 100\u{A0}%.")
  }

  @Test("Every figure is in the full table, with interval, null, p and ceiling")
  func fullTable() {
    let page = page(Studies.single())
    // 1 nat = 1.44 bits; 0.93 to 1.07 nats; null 0.01 ± 0.03; ceiling 6.2 nats.
    let row = page.all("tr").first { $0.text.hasPrefix("71.44") }
    #expect(row?.text == "71.441.34 to 1.540.014 ± 0.0430.010, 0.0108.94512")
    let score = page.all("tr").first { $0.text.hasPrefix("760") }
    #expect(score?.text == "760\u{A0}%55\u{A0}% to 65\u{A0}%0.4\u{A0}% ± 3\u{A0}%–512")
  }

  @Test("Probe and trace windows are drawn apart, a line never crosses a missing window")
  func lines() {
    let page = page(Studies.leaking())
    let lines = page.all("path", class: "line").compactMap { $0.attributes["d"] }
    let joined = lines.filter { $0.contains(" ") && !$0.contains("H") }
    #expect(joined.count == 16, "four layers of probes in four charts")
    // Six points; fc1 breaks after three, and a line has two numbers a point.
    let points = joined.map { $0.split(separator: "M").map { $0.split(separator: " ").count / 2 } }
    #expect(points[0] == [6])
    #expect(points[2] == [3, 2])
    let traces = lines.filter {
      $0.hasPrefix("M") && $0.contains("H") && $0 != "M1 7H33" && $0 != "M3 7H31"
    }
    #expect(traces.count == 16)
    #expect(traces.allSatisfy { $0.split(separator: "M").count == 3 }, "three bars, not joined")
  }

  @Test("A point is drawn at its value")
  func geometry() {
    let study = Studies.single()
    let view = StudyView(study)
    let x = Axis(values: [0, 14], start: 52, end: 320, intervals: 4, extended: false, whole: true)
    let y = Axis(values: [0, 2], start: 146, end: 10, intervals: 5, extended: true)
    let chart = LayerChart(
      view: view, measure: .gaussian, layer: 0, windows: [0], x: x, y: y, id: "c", gridID: "g")
    // Step 7 is the middle (186); 1.4427 of 2 bits lie at 146 - 136 x 0.7213 = 47.9.
    #expect(chart.svg().html.contains("class=\"mark\" d=\"M186 47.9h0\""))
    #expect(!chart.svg().html.contains("class=\"line\""), "one window: a point, no line")
  }

  @Test("Axes hold the whole null band")
  func nullBand() {
    let charts = page(Studies.quiet()).all("path", class: "nullband")
      .compactMap { $0.attributes["d"] }.filter { $0 != "M1 2H33V12H1Z" }
    // Null 0.01 ± 1.96 x 0.03 nats = -0.0704 to 0.0993 bits on an axis from -0.1 to 0.1.
    #expect(charts.first?.hasPrefix("M52 10.5 ") == true)
    #expect(charts.first?.hasSuffix(" 52 125.9 Z") == true)
  }

  @Test("Labels have a section only where there are labels")
  func labels() {
    #expect(page(Studies.leaking()).all("h2").contains { $0.text == "Labels" })
    #expect(!page(Studies.single()).all("h2").contains { $0.text == "Labels" })
  }

  @Test("Warnings and notes stand before the charts, missing cells are counted")
  func warnings() {
    let items = page(Studies.leaking(), notes: ["Analysed now."]).all("ul", class: "warnings")
    #expect(items.count == 1)
    #expect(items[0].text.contains("conv2 was recorded through a sketch"))
    #expect(items[0].text.contains("1 of 36 cells"))
    #expect(items[0].text.contains("Analysed now."))
  }

  @Test(
    "Provenance holds digest, options and seed, and the model's description")
  func provenance() {
    let page = page(Studies.leaking())
    let facts = page.all("dd").map(\.text)
    #expect(facts.contains(String(repeating: "0123456789abcdef", count: 4)))
    #expect(facts.contains("18446744073709551615"))
    #expect(page.all("pre").first?.text.contains("\"dropout\": 0.1") == true)
  }

  @Test("Networks are printed where a critic trains them")
  func networks() {
    var study = Studies.single()
    #expect(page(study).all("dt").contains { $0.text == "Networks of a fold" })
    #expect(JSONReport(study: study).render().contains(#""networks": 1,"#))
    study.provenance.settings.critic = "gaussian"
    #expect(!page(study).all("dt").contains { $0.text == "Networks of a fold" })
    #expect(JSONReport(study: study).render().contains(#""networks": 0,"#))
  }

  @Test("Axes of steps do not reach below 0", arguments: [(0, 0.0), (1, 0), (7, 6)])
  func firstStep(step: Int, low: Double) {
    let axis = Axis(
      values: [Double(step), Double(step)], start: 0, end: 1, intervals: 4, extended: false,
      whole: true)
    #expect(axis.domain.lowerBound == low)
    #expect(axis.ticks.allSatisfy { $0 >= 0 })
  }

  @Test("The p-value floor is stated: 99 pairings, 0.010")
  func floor() {
    let guide = page(Studies.leaking()).all("dl", class: "terms").first?.text ?? ""
    #expect(guide.contains("1/(99 + 1) = 0.010"))
    #expect(guide.contains("σ = 0.1"))
  }
}
