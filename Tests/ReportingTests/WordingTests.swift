import Foundation
import Reporting
import Results
import Testing

@Suite("Sentences follow from the verdict")
struct WordingTests {
  private func wording(_ study: Study) -> Wording { Wording(StudyView(study)) }

  @Test("No finding is 'not detected', with rows, sigma and the smallest effect, and never 'safe'")
  func quiet() {
    let study = Studies.quiet()
    let wording = wording(study)
    #expect(wording.badge == "No leak detected")
    #expect(wording.headline == "No leak was detected in the gradients of all 4 layers.")
    let bits = Numbers.bits(Verdict(study).detectable)
    #expect(wording.explanation.contains("\(bits)\u{A0}bits"))
    #expect(wording.explanation.contains("512\u{A0}rows per window and noise of sigma 0.1"))
    #expect(wording.explanation.contains("not proof of absence"))
    #expect(wording.whereToLook.isEmpty)
    #expect(wording.readings.allSatisfy { $0.status == .notFound })
    let page = HTMLReport(study: study).render() + TextSummary(study: study).render()
    #expect(page.range(of: #"\bsafe"#, options: [.regularExpression, .caseInsensitive]) == nil)
  }

  @Test("A bound of a critic that found nothing is not quoted")
  func emptyBound() {
    var study = Studies.single()
    var bound = Studies.figure(.donskerVaradhan, 3e-13)
    (bound.low, bound.high) = (3e-13, 3e-13)
    study.cells[0].figures.append(bound)
    let information = wording(study).readings.first { $0.topic == .information }
    #expect(information?.value.contains("×10") == false)
    #expect(information?.sentence.contains("at least") == false)
  }

  @Test("Nothing tested says so, and why")
  func notTested() {
    #expect(wording(Studies.empty()).headline == "Leakage was not tested.")
    #expect(wording(Studies.empty()).explanation.contains("no gradients"))
    var study = Studies.single()
    study.cells = []
    #expect(
      wording(study).explanation
        == "No layer could be measured in any window; the warnings say why.")
    study = Studies.single()
    study.cells[0].figures[0].mapP = .nan
    #expect(wording(study).explanation.contains("No figure was compared with mismatched pairs"))
    #expect(wording(study).badge == "Not tested")
  }

  @Test("Too few pairings for any finding is said, instead of an effect size")
  func tooFewPairings() {
    var study = Studies.quiet()
    study.provenance.settings.pairings = 9
    #expect(
      wording(study).explanation.hasPrefix(
        "Nothing could have been found: from 9 mismatched pairings no p-value can be below 0.10"))
    study.provenance.settings.pairings = 19
    #expect(wording(study).explanation.hasPrefix("None of 92 tested figures stands out"))
  }

  @Test("A leak of labels alone is not called one of inputs")
  func labelsOnly() {
    var study = Studies.leaking()
    for cell in study.cells.indices {
      for index in study.cells[cell].figures.indices
      where study.cells[cell].figures[index].measure != .label {
        study.cells[cell].figures[index].mapP = .nan
      }
    }
    #expect(
      wording(study).headline
        == "This run leaks: gradients of 3 of 4 layers carry information about the labels.")
    #expect(wording(study).readings[0].status == .notFound)
  }

  @Test("Estimates are 'about', lower bounds and saturated figures 'at least'")
  func claims() {
    #expect(Wording.claim(Studies.figure(.gaussian, log(2) * 4.1)) == "about 4.10\u{A0}bits")
    #expect(Wording.claim(Studies.figure(.ksg, log(2))) == "about 1.00\u{A0}bits")
    #expect(
      Wording.claim(Studies.figure(.donskerVaradhan, log(2) * 3.2)) == "at least 3.20\u{A0}bits")
    #expect(
      Wording.claim(
        Studies.figure(.gaussian, log(2) * 8, ceiling: log(2) * 9, flags: [.saturated]))
        == "at least 8.00\u{A0}bits, saturated")
  }

  @Test("A saturated figure above its ceiling claims the ceiling")
  func aboveCeiling() {
    #expect(
      Wording.claim(
        Studies.figure(.gaussian, log(2) * 8, ceiling: log(2) * 7, flags: [.saturated]))
        == "at least 7.00\u{A0}bits, saturated")
    #expect(
      Wording.claim(Studies.figure(.gaussian, log(2) * 8, ceiling: .nan, flags: [.saturated]))
        == "at least 8.00\u{A0}bits, saturated")
  }

  @Test("A lower bound of 0 or less is said in words; an estimate keeps its sign")
  func negativeBounds() {
    #expect(Wording.claim(Studies.figure(.label, -0.16)) == "no lower bound above 0")
    #expect(Wording.claim(Studies.figure(.donskerVaradhan, 0)) == "no lower bound above 0")
    #expect(Wording.claim(Studies.figure(.gaussian, -log(2))) == "about −1.00\u{A0}bits")
    var study = Studies.leaking(traces: false)
    for cell in study.cells.indices {
      for index in study.cells[cell].figures.indices
      where study.cells[cell].figures[index].measure == .label {
        study.cells[cell].figures[index].value = -0.16
        study.cells[cell].figures[index].mapP = 1
      }
    }
    #expect(
      wording(study).readings[3].sentence.hasSuffix(
        "no lower bound above 0 on the 3.32\u{A0}bits of the label."))
    let page = HTMLReport(study: study).render()
    #expect(page.contains("In no cell is there a lower bound above 0"))
    #expect(!page.contains("at least −"))
  }

  @Test("Labels of one class are not measured, however often they are guessed right")
  func oneClass() {
    var study = Studies.leaking()
    for window in study.windows.indices {
      (study.windows[window].labelEntropy, study.windows[window].labelChance) = (0, 1)
    }
    let reading = wording(study).readings[3]
    #expect(reading.status == .notMeasured && reading.value == Numbers.missing)
    #expect(reading.sentence.contains("one class only"))
    #expect(HTMLReport(study: study).render().contains("one class only: there is nothing to tell"))
    // One window with classes is enough to measure.
    study.windows[1].labelEntropy = log(2)
    #expect(wording(study).readings[3].place?.window == 1)
  }

  @Test("Readings state value, candidates and chance")
  func readings() {
    let readings = wording(Studies.leaking()).readings
    // 4.2 x 0.8 nats = 4.85 bits.
    #expect(
      readings[0].sentence.hasPrefix(
        "a token of the gradient carries at least 4.85\u{A0}bits about its input, by a bound"))
    #expect(readings[0].sentence.contains("a Gaussian model says about 6.06\u{A0}bits"))
    #expect(
      readings[1].sentence
        == "the right record was picked out of 256 in 98\u{A0}% of cases; chance 0.4\u{A0}%.")
    #expect(
      readings[2].sentence
        == "61\u{A0}% of the input's variance can be reconstructed by a linear probe.")
    // 2.2 nats = 3.17 bits; ln 10 nats = 3.32 bits.
    #expect(
      readings[3].sentence
        == "labels are guessed right in 97\u{A0}%, blind guessing 10\u{A0}%; at least 3.17 of 3.32\u{A0}bits of the label."
    )
  }

  @Test("Where to look names layer, step and kind of window")
  func whereToLook() {
    let text = wording(Studies.leaking()).whereToLook
    #expect(text.hasPrefix("Look first at conv1 at step\u{A0}0 (probe, epoch\u{A0}0)"))
  }

  @Test("A place outside the study is never counted or named")
  func invalidPlaces() {
    let wording = wording(Studies.hostile())
    #expect(wording.headline.hasPrefix("This run leaks: gradients of all 6 layers"))
    #expect(!wording.whereToLook.contains("layer -1"))
  }
}
