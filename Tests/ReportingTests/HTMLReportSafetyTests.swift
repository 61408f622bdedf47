import Foundation
import Reporting
import Results
import Testing

@Suite("A page is well-formed, loads nothing and runs nothing")
struct HTMLReportSafetyTests {
  static func page(_ study: Study) -> (String, Page) {
    let html = HTMLReport(study: study, notes: ["<note> & 'more'"]).render()
    return (html, Page(html))
  }

  @Test("Every page is well-formed XML with distinct ids", arguments: Sample.allCases)
  func wellFormed(sample: Sample) {
    let (_, page) = Self.page(sample.study)
    #expect(page.error == nil)
    let ids = page.elements.compactMap { $0.attributes["id"] }
    #expect(ids.count == Set(ids).count)
    #expect(page.all("h1").count == 1)
    // What refers to an id finds it.
    for element in page.elements {
      let labels =
        element.attributes["aria-labelledby"]?.split(separator: " ").map(String.init) ?? []
      let target = element.attributes["href"].map { [String($0.dropFirst())] } ?? []
      for id in labels + target { #expect(ids.contains(id)) }
    }
  }

  @Test("Only harmless elements and attributes are used", arguments: Sample.allCases)
  func harmless(sample: Sample) {
    let (html, page) = Self.page(sample.study)
    let allowed: Set = [
      "html", "head", "meta", "title", "style", "body", "div", "header", "main", "section", "nav",
      "footer", "article", "h1", "h2", "h3", "p", "a", "span", "strong", "i", "dl", "dt", "dd",
      "ul", "li", "figure", "figcaption", "details", "summary", "table", "caption", "thead",
      "tbody", "tfoot", "tr", "th", "td", "pre", "svg", "desc", "defs", "g", "use", "path",
      "rect", "text",
    ]
    #expect(Set(page.elements.map(\.name)).subtracting(allowed) == [])
    for element in page.elements {
      for (attribute, value) in element.attributes {
        #expect(!attribute.hasPrefix("on"))
        #expect(!["src", "style", "action", "xlink:href", "srcset", "ping"].contains(attribute))
        if attribute == "href" { #expect(value.hasPrefix("#")) }
      }
    }
    let style = page.text("style")
    #expect(!style.contains("url(") && !style.contains("@import"))
    #expect(!html.contains("http:") && !html.contains("https:"))
  }

  @Test("The content security policy admits the one style sheet and nothing else")
  func policy() {
    #expect(
      SHA256.digest(Array("abc".utf8)).prefix(4) == [0xBA, 0x78, 0x16, 0xBF], "FIPS 180-4 example")
    let (_, page) = Self.page(Studies.leaking())
    let digest = Data(SHA256.digest(Array(page.text("style").utf8))).base64EncodedString()
    #expect(
      digest == Stylesheet.digest,
      "The style sheet changed: set Stylesheet.digest to \(digest).")
    let policy = page.all("meta").first {
      $0.attributes["http-equiv"] == "Content-Security-Policy"
    }
    #expect(
      policy?.attributes["content"]
        == "default-src 'none'; style-src 'sha256-\(digest)'; img-src 'none'; base-uri 'none'; form-action 'none'"
    )
    #expect(page.all("style").count == 1)
  }

  @Test("Hostile names arrive as text")
  func hostileNames() {
    let (html, page) = Self.page(Studies.hostile())
    let names = page.all("figcaption").map(\.text)
    #expect(names.contains("<script>alert(1)</script>"))
    #expect(names.contains("\"><img onerror=alert(1) src=x>"))
    #expect(names.contains("a\u{FFFD}b\u{FFFD}\u{FFFD}[31mc"), "bidi, NUL and escape are replaced")
    #expect(page.text("title").contains("</title><script>"))
    #expect(!html.contains("<script"))
    #expect(!html.contains("<img"))
    #expect(page.all("li").contains { $0.text == "</style><script>x</script>" })
    #expect(page.all("pre").contains { $0.text == "{\"</pre><script>\": 1" }, "invalid JSON")
    #expect(html.unicodeScalars.allSatisfy { PlainText.isPlain($0) || $0 == "\n" })
  }

  @Test("Long names are shortened, however they are long")
  func longNames() {
    let (html, page) = Self.page(Studies.hostile())
    #expect(!html.contains(String(repeating: "W", count: 200)))
    #expect(html.contains(String(repeating: "W", count: 30) + "…"))
    let longest = page.all("th").map(\.text.unicodeScalars.count).max() ?? 0
    #expect(longest <= 80)
  }

  @Test("60 layers x 20 windows x 7 measures stay under 2 MB and complete")
  func size() {
    let html = HTMLReport(study: Studies.large()).render()
    #expect(html.utf8.count < 2_000_000)
    let page = Page(html)
    #expect(page.error == nil)
    // 60 layers in four charted measures; 1200 cells in two maps.
    #expect(page.all("figure").count == 240)
    let shaded = page.all("td").filter { ($0.attributes["class"] ?? "").first == "h" }.count
    #expect(shaded + page.all("td", class: "null").count == 2400)
  }
}
