import Foundation
import Reporting
import Results
import Testing

@Suite("A layer that was recorded at several gradient stages is one layer")
struct StageTests {
  /// Three layers, raw in three trace windows of table 0 and noised in two probe windows of table 1.
  static func study() -> Study {
    var windows = [0, 100, 200].map { Studies.window($0, to: $0 + 99, mode: "trace") }
    windows += [0, 100].map { Studies.window($0) }
    for index in 3..<5 { windows[index].table = 1 }
    let names = ["a", "b", "c"]
    var study = Studies.study(layers: names + names, windows: windows, cells: [])
    for layer in 0..<6 {
      if layer >= 3 { study.layers[layer].stage = "noised" }
      for window in layer < 3 ? 0..<3 : 3..<5 {
        // Only `a` leaks, at both stages.
        let mapP = layer % 3 == 0 ? 0.01 : 0.6
        study.cells.append(
          Study.Cell(
            layer: layer, window: window, components: 2, keptVariance: 0.8,
            figures: [Studies.figure(.gaussian, 1, mapP: mapP)]))
      }
    }
    return study
  }

  @Test("Names are counted, not stages: 1 of 3 layers")
  func names() {
    #expect(
      Wording(StudyView(Self.study())).headline
        == "This run leaks: gradients of 1 of 3 layers carry information about the inputs.")
    #expect(TextSummary(study: Self.study()).render().hasPrefix("run.h5, 3 layers, 5 windows"))
  }

  @Test("Cells are expected where the layer's table has figures: 3 x 3 + 3 x 2, not 6 x 5")
  func expected() {
    var study = Self.study()
    #expect(StudyView(study).expectedCells == 15)
    #expect(StudyView(study).missingCells == 0)
    #expect(!HTMLReport(study: study).render().contains("no figures."))
    study.cells.removeAll { $0.layer == 4 && $0.window == 4 }
    #expect(StudyView(study).missingCells == 1)
    #expect(HTMLReport(study: study).render().contains("1 of 15 cells"))
  }

  @Test("A map has rows for its table's layers, and for one that was measured nowhere")
  func rows() {
    var study = Self.study()
    #expect(StudyView(study).layers(inTable: 1) == [3, 4, 5])
    study.cells.removeAll { $0.layer == 1 }
    #expect(StudyView(study).layers(inTable: 1) == [1, 3, 4, 5])
    #expect(StudyView(study).layers(inTable: 0) == [0, 1, 2])
  }
}
