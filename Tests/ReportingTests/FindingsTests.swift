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
