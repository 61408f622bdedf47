import Reporting
import Testing

@Suite("Numbers read well")
struct NumbersTests {
  @Test(
    "Plain numbers have about three significant digits",
    arguments: [
      (0, "0"), (6.0593, "6.06"), (12.34, "12.3"), (123.4, "123"), (0.02885, "0.029"),
      (0.0043, "0.0043"), (-1.5, "−1.50"), (1.25e9, "1.2×10⁹"), (-3e-7, "−3.0×10⁻⁷"),
      (.nan, "–"), (-.infinity, "–"),
    ] as [(Double, String)])
  func plain(value: Double, text: String) { #expect(Numbers.plain(value) == text) }

  @Test(
    "Shares are percent; nearly all is not all, nearly nothing is not nothing",
    arguments: [
      (1, "100"), (0.9999, ">99.9"), (0.9966, "99.7"), (0.9766, "98"), (0.61, "61"), (0.05, "5"),
      (1.0 / 256, "0.4"), (0.00004, "<0.01"), (0, "0"), (-0.083, "−8.3"),
    ] as [(Double, String)])
  func percent(share: Double, text: String) { #expect(Numbers.percent(share) == text + "\u{A0}%") }

  @Test("Bits are nats over ln 2")
  func bits() { #expect(Numbers.bits(0.6931471805599453) == "1.00") }

  @Test("Axes have round ticks and hold their data")
  func axis() {
    let axis = Axis(values: [0.3, 8.9], start: 100, end: 0, intervals: 5, extended: true)
    #expect(axis.ticks == [0, 2, 4, 6, 8, 10])
    #expect(axis.position(5) == 50)
    #expect(axis.position(.infinity) == 0, "what is outside is drawn at the edge")
    #expect(axis.label(4) == "4")
  }

  @Test(
    "Axes survive nothing, one value, and extremes",
    arguments: [[], [3], [-1e308, 1e308], [1e-300, 0]])
  func extremes(values: [Double]) {
    let axis = Axis(values: values, start: 0, end: 100, intervals: 4, extended: true)
    #expect(!axis.ticks.isEmpty && axis.ticks.count <= 13)
    for value in values + [0.0] { #expect((0...100).contains(axis.position(value))) }
  }
}

@Suite("Text from files is tamed")
struct PlainTextTests {
  @Test("Interpolated text is escaped, markup is not")
  func markup() {
    let inner: Markup = "<b>\("a<b & \"c\"'")</b>"
    #expect(("<p>\(inner)</p>" as Markup).html == "<p><b>a&lt;b &amp; &quot;c&quot;&#39;</b></p>")
  }

  @Test("Lines are broken at spaces and long words shortened in their middle")
  func wrapped() {
    #expect(PlainText.wrapped("aa bb cc", width: 5) == ["aa bb", "cc"])
    #expect(PlainText.fitted("abcdefghij", width: 5) == "ab…ij")
    #expect(PlainText.columns("日本e\u{301}") == 5)
  }

  @Test("At most three combining marks stay on a letter")
  func marks() {
    let pile = String(repeating: "\u{301}", count: 20)
    #expect(PlainText.line("e" + pile + "x").unicodeScalars.count == 5)
  }

  @Test("A line keeps no line break, a block does")
  func breaks() {
    #expect(PlainText.line("a\nb\u{200B}") == "a b\u{FFFD}")
    #expect(PlainText.block("a\nb\r", limit: 9) == "a\nb\u{FFFD}")
    #expect(PlainText.line("abcdefgh", limit: 5) == "ab…gh")
  }
}
