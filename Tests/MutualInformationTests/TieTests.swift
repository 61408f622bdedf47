import Foundation
import InformationTasks
import LinearAlgebra
import MutualInformation
import Testing

/// Rows whose values repeat: rounded ones, counts, classes.
@Suite("Ties")
struct TieTests {
  private func rounded(_ rows: Matrix, _ step: Double) -> Matrix {
    Matrix(rows: rows.rows, columns: rows.columns) { (rows[$0, $1] / step).rounded() * step }
  }

  // The information of values of correlation 0.3 rounded to a tenth, summed over the grid, is 0.0471 nats. At 2,000 rows
  // errors are 0.016: four of them, and 0.02 that neighbours understate. Counted as they are, ties read several times that.
  @Test(
    "rounding costs no accuracy", arguments: [Estimator.ksg, .ksg2, .latent, .auto, .ross])
  func rounding(estimator: Estimator) throws {
    var generator = SeededGenerator(seed: 5)
    let x = generator.normalMatrix(rows: 2000, columns: 1)
    let noise = generator.normalMatrix(rows: 2000, columns: 1)
    var y = 0.3 * x + 0.91.squareRoot() * noise
    var truth = 0.0471
    if estimator == .ross {
      // A label that tells nothing of the rounded values.
      y = Matrix(rows: 2000, columns: 1) { row, _ in Double(row % 4) }
      truth = 0
    } else {
      y = rounded(y, 0.1)
    }
    let found = try PairedRows(x: rounded(x, 0.1), y: y).estimate(estimator)
    #expect(abs(found.value - truth) < 0.07)
    #expect(found.low < truth && truth < found.high + 0.02)
  }

  @Test("spread values keep their order and their middle, and the same seed gives the same")
  func spreading() {
    let rows = Matrix(rows: 40, columns: 2) { row, column in
      column == 0 ? Double(row / 2) : Double(row)
    }
    let spread = TieSpreading.columns(rows, seed: 1, stream: 0)
    for row in 0..<40 {
      #expect(abs(spread[row, 0] - rows[row, 0]) <= 0.5 && spread[row, 1] == rows[row, 1])
    }
    #expect(Set((0..<40).map { spread[$0, 0] }).count == 40)
    #expect(TieSpreading.columns(rows, seed: 1, stream: 0).elements == spread.elements)
    #expect(TieSpreading.columns(rows, seed: 2, stream: 0).elements != spread.elements)
    // Few values are left as they are.
    let few = Matrix(rows: 40, columns: 1) { row, _ in Double(row % 9) }
    #expect(TieSpreading.columns(few, seed: 1, stream: 0).elements == few.elements)
  }

  @Test(
    "values that repeat by nature are no copies, in any unit; copied rows are",
    arguments: [1, 0.01])
  func copies(unit: Double) throws {
    var generator = SeededGenerator(seed: 9)
    let x = rounded(generator.normalMatrix(rows: 3000, columns: 1), 0.1)
    let scaled = Matrix(rows: 3000, columns: 1) { row, _ in (10 * x[row, 0]).rounded() * unit }
    let above = Matrix(rows: 3000, columns: 1) { row, _ in x[row, 0] > 1 ? 0.5 : 0 }
    #expect(try PairedRows(x: scaled, y: above).count == 3000)
    // Indicators of a class, and its number.
    let label = Matrix(rows: 3000, columns: 1) { row, _ in Double(row % 30) }
    let indicators = Matrix(rows: 3000, columns: 30) { $0 % 30 == $1 ? unit : 0 }
    #expect(try PairedRows(x: indicators, y: label).count == 3000)
    // Data that were laid out five times.
    let (a, b) = InformationTask.gaussian(dimensions: 1, rho: 0.5).sample(400, seed: 1)
    let times = (0..<2000).map { $0 % 400 }
    let copied = try PairedRows(x: a.gatheringRows(times), y: b.gatheringRows(times))
    #expect(copied.count == 400 && copied.hasDuplicates)
  }

  @Test("counting says how high pairs of values that were not seen may have put it")
  func unseen() throws {
    // Three in ten of y are x, the others any of 30: 0.493 nats, and most of 900 pairs occur once or never.
    var generator = SeededGenerator(seed: 2)
    let classes = (0..<1000).map { _ -> (Double, Double) in
      let x = Int(generator.uniform() * 30)
      return (Double(x), Double(generator.uniform() < 0.3 ? x : Int(generator.uniform() * 30)))
    }
    let x = Matrix(rows: 1000, columns: 1) { row, _ in classes[row].0 }
    let y = Matrix(rows: 1000, columns: 1) { row, _ in classes[row].1 }
    let found = try PairedRows(x: x, y: y).estimate(.plugin)
    #expect(found.flags.contains(.fewRows) && found.low < 0.493 && found.value > 0.6)
    // A map leaves nothing unseen.
    let same = try PairedRows(x: x, y: x).estimate(.plugin)
    #expect(!same.flags.contains(.fewRows) && same.low > 3.3)
  }
}
