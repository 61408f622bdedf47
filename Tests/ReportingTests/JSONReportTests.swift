import Foundation
import Reporting
import Results
import Testing

@Suite("JSON holds the study's own numbers")
struct JSONReportTests {
  private func document(_ study: Study, notes: [String] = []) throws -> [String: Any] {
    let text = JSONReport(study: study, notes: notes).render()
    return try #require(
      try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  /// What is checked of a figure; `JSONDecoder` reads numbers exactly, `JSONSerialization` does not.
  private struct Numbers: Decodable {
    struct Cell: Decodable { var figures: [Entry] }
    struct Entry: Decodable {
      var measure: String
      var value_nats: Double?
      var low_nats: Double?
      var null_mean_nats: Double?
      var value_share: Double?
      var low_share: Double?
      var null_mean_share: Double?
      var flags: [String]
    }
    var schema: String
    var notes: [String]
    var cells: [Cell]
  }

  @Test("Figures read back exactly, in nats and shares")
  func exact() throws {
    let study = Studies.leaking()
    let text = JSONReport(study: study, notes: ["a note"]).render()
    let document = try JSONDecoder().decode(Numbers.self, from: Data(text.utf8))
    #expect(document.schema == "ptoken-report/0")
    #expect(document.notes == ["a note"])
    #expect(document.cells.count == study.cells.count)
    for (cell, original) in zip(document.cells, study.cells) {
      #expect(cell.figures.count == original.figures.count)
      for (figure, source) in zip(cell.figures, original.figures) {
        let isNats = source.measure.unit == .nats
        #expect(figure.measure == source.measure.rawValue)
        #expect(figure.value_nats == (isNats ? source.value : nil))
        #expect(figure.low_nats == (isNats ? source.low : nil))
        #expect(figure.null_mean_nats == (isNats ? source.nullMean : nil))
        #expect(figure.value_share == (isNats ? nil : source.value))
        #expect(figure.low_share == (isNats ? nil : source.low))
        #expect(figure.null_mean_share == (isNats ? nil : source.nullMean))
        #expect(figure.flags == source.flags.map(\.name))
      }
    }
  }

  @Test("What is not finite is null, never a text or a missing key")
  func notFinite() throws {
    let document = try document(Studies.single())
    let windows = try #require(document["windows"] as? [[String: Any]])
    #expect(windows[0]["label_entropy_nats"] is NSNull)
    let cells = try #require(document["cells"] as? [[String: Any]])
    #expect(cells[0]["kept_variance_share"] is NSNull)
    _ = try self.document(Studies.hostile())
    _ = try self.document(Studies.empty())
  }

  @Test("The verdict is in the same words as the page")
  func verdict() throws {
    let document = try document(Studies.leaking())
    let verdict = try #require(document["verdict"] as? [String: Any])
    #expect(verdict["outcome"] as? String == "leak_found")
    #expect(
      verdict["headline"] as? String
        == "This run leaks: gradients of 3 of 4 layers carry information about the inputs and the labels."
    )
    let readings = try #require(verdict["readings"] as? [[String: Any]])
    #expect(
      readings.map { $0["value"] as? String } == ["at least 4.85 bits", "98 %", "61 %", "97 %"])
  }

  @Test("Descriptions are JSON where they are valid, text where not; names keep every character")
  func descriptions() throws {
    let leaking = try document(Studies.leaking())
    let run = try #require(leaking["run"] as? [String: Any])
    #expect((run["model"] as? [String: Any])?["kind"] as? String == "cnn")
    let study = Studies.hostile()
    let hostile = try document(study)
    #expect((hostile["run"] as? [String: Any])?["model"] as? String == "{\"</pre><script>\": 1")
    let layers = try #require(hostile["layers"] as? [[String: Any]])
    #expect(layers.map { $0["name"] as? String } == study.layers.map(\.name))
  }

  @Test("Control and bidirectional characters are written as escapes, for terminals")
  func escapes() {
    let text = JSONReport(study: Studies.hostile()).render()
    #expect(text.contains(#"a\u202eb\u0000\u001b[31mc"#))
    #expect(text.unicodeScalars.allSatisfy { PlainText.isPlain($0) || $0 == "\n" })
  }

  @Test("The same study gives the same text, schema first")
  func stable() {
    let first = JSONReport(study: Studies.leaking()).render()
    #expect(first == JSONReport(study: Studies.leaking()).render())
    #expect(
      first.hasPrefix("{\n  \"schema\": \"ptoken-report/0\",\n  \"verdict\": {\n    \"outcome\""))
    #expect(first.contains("\"seed\": 18446744073709551615\n"))
  }
}

@Suite("JSON text of strangers")
struct JSONValueTests {
  @Test(
    "Valid texts come back, keys in order",
    arguments: [
      ("null", "null"), ("true", "true"), ("-2.5", "-2.5"),
      ("[1, [2, {\"a\": []}]]", "[1,[2,{\"a\":[]}]]"),
      ("{\"b\": 1, \"a\": false}", "{\"a\":false,\"b\":1}"),
      ("\"\\u00e9\\ud83d\\ude00\"", "\"é😀\""),
    ])
  func valid(text: String, expected: String) {
    #expect(JSONValue(parsing: text)?.text().filter { $0 != " " && $0 != "\n" } == expected)
  }

  @Test(
    "Invalid texts are refused, endless nesting too",
    arguments: [
      "", " ", "{", "{a:1}", "nul", "\"abc", "1 2", String(repeating: "[", count: 100_000),
    ])
  func invalid(text: String) {
    #expect(JSONValue(parsing: text) == nil)
  }
}
