import MutualInformation
import Testing

@Suite("Intervals of proportions")
struct ProportionTests {
  // Wilson's interval of 8 in 10: 0.490 to 0.943 (Newcombe 1998, table I, method 3).
  @Test("it is Wilson's")
  func known() {
    let (low, high) = Clustered.proportionInterval(0.8, rows: 10, standardError: 0)
    #expect(abs(low - 0.490) < 0.001)
    #expect(abs(high - 0.943) < 0.001)
  }

  @Test("all and none still have a width, inside 0...1")
  func ends() {
    let all = Clustered.proportionInterval(1, rows: 100, standardError: 0)
    #expect(abs(all.high - 1) < 1e-12 && all.low < 0.97 && all.low > 0.95)
    let none = Clustered.proportionInterval(0, rows: 100, standardError: 0)
    #expect(none.low < 1e-12 && none.high > 0.03)
  }

  @Test("a clustered error widens it, a smaller one does not narrow it")
  func clustered() {
    let plain = Clustered.proportionInterval(0.5, rows: 100, standardError: 0.05)
    let wide = Clustered.proportionInterval(0.5, rows: 100, standardError: 0.1)
    let narrow = Clustered.proportionInterval(0.5, rows: 100, standardError: 0.01)
    #expect(wide.high - wide.low > 1.8 * (plain.high - plain.low))
    #expect(narrow.low == plain.low && narrow.high == plain.high)
  }
}
