import Foundation
import Reporting
import Results
import Testing

@Suite("Windows of several tables are told apart")
struct TableTests {
  /// One layer, the same three probe steps in tables 0 and 2.
  private static func study() -> Study {
    var windows = [0, 100, 200, 0, 100, 200].map { Studies.window($0) }
    for index in 3..<6 { windows[index].table = 2 }
    return Studies.study(
      layers: ["w"], windows: windows,
      cells: windows.indices.map {
        Study.Cell(
          layer: 0, window: $0, components: 2, keptVariance: 0.8,
          figures: [Studies.figure(.gaussian, $0 == 4 ? 2 : 1)])
      })
  }

  @Test("Groups are by kind and table, probes first")
  func groups() {
    var study = Self.study()
    study.windows.append(Studies.window(0, to: 99, mode: "trace"))
    let groups = StudyView(study).windowGroups
    #expect(groups.map(\.mode) == ["probe", "probe", "trace"])
    #expect(groups.map(\.table) == [0, 2, 0])
    #expect(groups.map(\.windows) == [[0, 1, 2], [3, 4, 5], [6]])
  }

  @Test("Each has charts and a map of its own, under its number")
  func page() {
    let page = Page(HTMLReport(study: Self.study()).render())
    #expect(page.error == nil)
    #expect(
      page.all("h3").map(\.text).filter { $0.hasPrefix("Probe windows of table") }
        == [0, 2, 0, 2].map {
          "Probe windows of table\u{A0}\($0): all rows at the same frozen weights"
        })
    #expect(page.all("figure").count == 2)
    let ids = page.elements.compactMap { $0.attributes["id"] }
    #expect(Set(ids).count == ids.count)
    // Each line has three points, left to right.
    let lines = page.all("path", class: "line").compactMap { $0.attributes["d"] }
      .filter { $0.contains(" ") && !$0.contains("H") }
    let across = lines.map { line in
      line.dropFirst().split(separator: " ").enumerated().filter { $0.offset % 2 == 0 }
        .compactMap { Double($0.element) }
    }
    #expect(across.count == 2)
    for points in across { #expect(points.count == 3 && points == points.sorted()) }
  }

  @Test("Places name the table only where steps do not tell")
  func places() {
    let view = StudyView(Self.study())
    #expect(view.place(layer: 0, window: 4) == "w at step\u{A0}100 of table\u{A0}2")
    let single = StudyView(Studies.leaking())
    #expect(single.place(layer: 0, window: 1) == "conv1 at step\u{A0}200")
  }

  @Test("JSON has each window's table")
  func json() throws {
    let text = JSONReport(study: Self.study()).render()
    let document = try #require(
      try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    let windows = try #require(document["windows"] as? [[String: Any]])
    #expect(windows.map { $0["table"] as? Int } == [0, 0, 0, 2, 2, 2])
  }
}
