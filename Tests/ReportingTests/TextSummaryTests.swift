import Reporting
import Results
import Testing

@Suite("The summary fits one screen")
struct TextSummaryTests {
  @Test(
    "At most 24 lines of at most the width, nothing that a terminal would act on",
    arguments: [40, 60, 80, 132], Sample.allCases)
  func fits(width: Int, sample: Sample) {
    let text = TextSummary(study: sample.study).render(width: width)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
    #expect(text.hasSuffix("\n"))
    #expect(lines.count <= 24)
    for line in lines { #expect(PlainText.columns(String(line)) <= width, "\(line)") }
    #expect(text.unicodeScalars.allSatisfy { PlainText.isPlain($0) || $0 == "\n" })
    #expect(text.contains("What to do:"))
  }

  @Test("It leads with the verdict and prints the page's numbers")
  func content() {
    let text = TextSummary(study: Studies.leaking()).render()
    #expect(text.contains("LEAK FOUND. This run leaks: gradients of 3 of 4 layers"))
    #expect(text.contains("Information           at least 4.85 bits  conv1 at step 0"))
    #expect(text.contains("Re-identification     98 % (chance 0.4 %)  conv1 at step 0"))
    #expect(text.contains("conv2     3.75 "))
    #expect(text.contains("Warning: conv2 was recorded"))
    #expect(!text.contains("\u{A0}"))
  }

  @Test("Where nothing was found it says so with the smallest effect")
  func quiet() {
    let study = Studies.quiet()
    let text = TextSummary(study: study).render()
    #expect(text.hasPrefix("run.h5, 4 layers, 6 windows, 512 rows, sigma 0.1\n\nNO LEAK DETECTED."))
    #expect(text.contains("\(Numbers.bits(Verdict(study).detectable)) bits in one cell"))
    #expect(text.contains("no finding"))
  }
}
