import Reporting
import Results
import Testing

@Suite("A score is found only with a finding of its own question")
struct FindingsTests {
  /// One cell: information about input and label at these map p-values, and scores above their nulls.
  private func study(inputs: Double, labels: Double, recovered: Double = 0.3) -> Study {
    Studies.study(
      layers: ["w"], windows: [Studies.window(7)],
      cells: [
        Study.Cell(
          layer: 0, window: 0, components: 2, keptVariance: 0.8,
          figures: [
            Studies.figure(.gaussian, 1, mapP: inputs),
            Studies.figure(.label, 1, mapP: labels, ceiling: 2.3),
            Studies.figure(.labelAccuracy, 0.6, null: 0.1),
            Studies.figure(.reidentification, 0.3, null: 0.004),
            Studies.figure(.recoverableVariance, recovered, null: -0.2),
          ])
      ])
  }

  private func found(_ study: Study) -> [String] {
    Wording(StudyView(study)).readings.filter { $0.status == .found }.map(\.topic.rawValue)
  }

  @Test("Leaking inputs say nothing of labels")
  func inputsOnly() {
    let study = study(inputs: 0.01, labels: 0.3)
    #expect(
      Verdict(study).strongest.map(\.figure.measure)
        == [.gaussian, .reidentification, .recoverableVariance])
    #expect(found(study) == ["information", "reidentification", "recoverable_variance"])
  }

  @Test("Leaking labels say nothing of inputs")
  func labelsOnly() {
    let study = study(inputs: 0.3, labels: 0.01)
    #expect(Verdict(study).strongest.map(\.figure.measure) == [.label, .labelAccuracy])
    #expect(found(study) == ["label"])
  }

  @Test("A finding of another cell does not count")
  func otherCell() {
    var study = study(inputs: 0.01, labels: 0.01)
    var other = study.cells[0]
    other.window = 1
    other.figures.removeAll { $0.measure.kind == .score }
    study.windows.append(Studies.window(8))
    study.cells[0].figures.removeAll { $0.measure.kind != .score }
    study.cells.append(other)
    #expect(Verdict(study).strongest.map(\.figure.measure) == [.gaussian, .label])
  }

  @Test(
    "Recoverable variance must lie above 0, not only above its null: low ends -0.04, 0.006",
    arguments: [(-0.019, false), (0.027, true)])
  func aboveZero(recovered: Double, isFound: Bool) {
    let study = study(inputs: 0.01, labels: 0.3, recovered: recovered)
    #expect(found(study).contains("recoverable_variance") == isFound)
  }

  @Test("A score without a null never counts")
  func noNull() {
    var study = study(inputs: 0.01, labels: 0.01)
    for index in study.cells[0].figures.indices { study.cells[0].figures[index].nullMean = .nan }
    #expect(Verdict(study).strongest.map(\.figure.measure) == [.gaussian, .label])
  }

  @Test("Marks of scores without a finding of their question are hollow, and the legend says why")
  func hollow() {
    let page = HTMLReport(study: study(inputs: 0.01, labels: 0.3)).render()
    #expect(
      page.contains("hollow: interval reaches the null, or no finding about labels in that cell"))
    #expect(!page.contains("no finding about the input in that cell"))
  }
}

@Suite("What was not tested is not called a result of a test")
struct NotTestedTests {
  /// Without pairings as `ptoken-analyze --pairings 0` leaves it, or with 9.
  private static func study(pairings: Int) -> Study {
    var study = Studies.leaking()
    study.provenance.settings.pairings = pairings
    for cell in study.cells.indices {
      for index in study.cells[cell].figures.indices {
        study.cells[cell].figures[index].mapP = pairings == 0 ? .nan : 0.1
        study.cells[cell].figures[index].flags = []
      }
    }
    return study
  }

  @Test("Readings, legends and terminal say 'not tested'", arguments: [0, 9])
  func words(pairings: Int) {
    let study = Self.study(pairings: pairings)
    let readings = Wording(StudyView(study)).readings
    #expect(readings.map(\.status.rawValue) == Array(repeating: "not_tested", count: 4))
    #expect(readings.allSatisfy { $0.sentence.hasPrefix("Not tested. The largest figure") })
    let page = HTMLReport(study: study).render()
    #expect(page.contains("(in brackets, hatched): not tested"))
    #expect(page.contains("hollow: not tested"))
    #expect(!page.contains("not distinguishable"))
    #expect(!page.contains("hollow: interval") && !page.contains("hollow: not a finding"))
    #expect(!page.contains("No finding."))
    let text = TextSummary(study: study).render()
    #expect(text.contains("not tested") && !text.contains("no finding"))
    #expect(JSONReport(study: study).render().contains(#""status": "not_tested""#))
  }

  @Test("Where something was tested, the words are those of a test")
  func tested() {
    let page = HTMLReport(study: Studies.quiet()).render()
    #expect(page.contains("not distinguishable from mismatched pairs"))
    #expect(!page.contains("hollow: not tested"))
  }

  @Test("Too few pairings find nothing, whatever p-values a file states")
  func forgedP() {
    var study = Studies.leaking()
    study.provenance.settings.pairings = 9
    #expect(Verdict(study).strongest.isEmpty)
    #expect(Verdict(study).cellsWithFindings == 0)
    #expect(Wording(StudyView(study)).readings.allSatisfy { $0.status == .notTested })
  }
}
