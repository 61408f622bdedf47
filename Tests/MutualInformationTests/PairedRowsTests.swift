import LinearAlgebra
import MutualInformation
import Testing

@Suite("PairedRows")
struct PairedRowsTests {
  private func rows(_ n: Int, _ columns: Int, seed: UInt64 = 1) -> Matrix {
    var generator = SeededGenerator(seed: seed)
    return generator.normalMatrix(rows: n, columns: columns)
  }

  private func refusal(_ x: Matrix, _ y: Matrix, groups: [Int]? = nil) -> InformationError? {
    do throws(InformationError) {
      _ = try PairedRows(x: x, y: y, groups: groups)
      return nil
    } catch { return error }
  }

  @Test("rows that differ in number, are not finite or too few are refused with words")
  func refusals() throws {
    #expect(refusal(rows(30, 1), rows(31, 1))?.code == .shape)
    #expect(refusal(rows(30, 1), rows(30, 1), groups: [1])?.code == .shape)
    #expect(refusal(rows(30, 0), rows(30, 1))?.code == .shape)
    #expect(refusal(rows(19, 1), rows(19, 1, seed: 2))?.code == .tooFewRows)
    for value in [Double.nan, .infinity, -.infinity] {
      var bad = rows(30, 2)
      bad[7, 1] = value
      let error = try #require(refusal(rows(30, 1), bad))
      #expect(
        error.code == .notFinite && error.message.contains("y: ")
          && error.message.contains("row 7, column 1"))
    }
    #expect(refusal(rows(30, 1), rows(30, 1, seed: 2)) == nil)
  }

  @Test("columns that do not vary are left out and told of; a constant side carries nothing")
  func constant() throws {
    var x = rows(100, 3)
    for row in 0..<100 { x[row, 1] = 7 }
    let pair = try PairedRows(x: x, y: rows(100, 1, seed: 2))
    #expect(pair.x.columns == 2 && pair.notes.first?.hasPrefix("1 of 3 columns of x") == true)
    // Other libraries add noise to ties, or divide by a deviation of 0, and read a constant as informative.
    let constant = Matrix(rows: 100, columns: 1, repeating: 7)
    for estimator in Estimator.allCases {
      let estimate = try PairedRows(x: constant, y: x).estimate(estimator)
      #expect(estimate.value == 0 && estimate.flags.isSuperset(of: [.constant, .nullNotBeaten]))
      // What was not asked is not answered.
      var options = EstimationOptions()
      options.pairings = 0
      let untested = try PairedRows(x: constant, y: x).estimate(estimator, options: options)
      #expect(untested.null == nil && untested.flags.isDisjoint(with: [.nullNotBeaten]))
    }
  }

  @Test("copies are left out: an independent pair, each row twice, still reads nothing")
  func copies() throws {
    let (x, y) = (rows(400, 2), rows(400, 2, seed: 2))
    let order = Array(0..<400) + Array(0..<400)
    let pair = try PairedRows(x: x.gatheringRows(order), y: y.gatheringRows(order))
    #expect(pair.count == 400 && pair.hasDuplicates && pair.sources == Array(0..<400))
    let once = try PairedRows(x: x, y: y)
    for estimator in [Estimator.ksg, .copula] {
      let (a, b) = (try pair.estimate(estimator), try once.estimate(estimator))
      #expect(a.value == b.value && a.flags.contains(.duplicates) && !b.flags.contains(.duplicates))
    }
  }

  @Test("equal rows of discrete values are no copies")
  func discrete() throws {
    let coins = Matrix(rows: 200, columns: 1) { row, _ in Double(row % 2) }
    #expect(try PairedRows(x: coins, y: coins).count == 200)
    let digits = Matrix(rows: 150, columns: 1) { row, _ in Double(row % 10) }
    #expect(try PairedRows(x: digits, y: digits).count == 150)
  }

  @Test("values that many rows have are no copies, and their information is read")
  func atoms() throws {
    // Half of the rows are 9 on both sides, the others far from that and independent: ln 2.
    let (a, b) = (rows(600, 1), rows(600, 1, seed: 2))
    func mixed(_ side: Matrix) -> Matrix {
      Matrix(rows: 600, columns: 1) { row, _ in row % 2 == 0 ? 9 : side[row, 0] }
    }
    let pair = try PairedRows(x: mixed(a), y: mixed(b))
    #expect(pair.count == 600)
    let found = try pair.estimate(.ksg)
    #expect(abs(found.value - 0.693) < 0.1, "\(found.value)")
  }

  @Test("a record that comes twice with its label is a copy", arguments: [2, 10])
  func labelled(classes: Int) throws {
    let order = Array(0..<300) + [5, 7]
    let labels = Matrix(rows: 302, columns: 1) { row, _ in Double(order[row] % classes) }
    for columns in [1, 3] {
      let x = rows(300, columns).gatheringRows(order)
      #expect(try PairedRows(x: x, y: labels).count == 300)
      #expect(try PairedRows(x: labels, y: x).count == 300)
    }
  }

  @Test("rounded values that come back with other partners are no copies")
  func rounded() throws {
    func tenths(_ side: Matrix) -> Matrix {
      Matrix(rows: 600, columns: 1) { row, _ in (10 * side[row, 0]).rounded() / 10 }
    }
    let (x, y) = (tenths(rows(600, 1)), tenths(rows(600, 1, seed: 2)))
    #expect(try PairedRows(x: x, y: y).count == 600)
    let labels = Matrix(rows: 600, columns: 1) { row, _ in Double(row % 2) }
    #expect(try PairedRows(x: x, y: labels).count == 600)
  }
}
