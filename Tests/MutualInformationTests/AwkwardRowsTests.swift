import Foundation
import InformationTasks
import LinearAlgebra
import MutualInformation
import Testing

/// Rows that estimators once trapped on, or read with more confidence than they had.
@Suite("Awkward rows")
struct AwkwardRowsTests {
  private func normal(_ rows: Int, seed: UInt64) -> Matrix {
    var generator = SeededGenerator(seed: seed)
    return generator.normalMatrix(rows: rows, columns: 1)
  }

  private func column(_ rows: Int, _ value: (Int) -> Double) -> Matrix {
    Matrix(rows: rows, columns: 1) { row, _ in value(row) }
  }

  private func estimate(
    _ x: Matrix, _ y: Matrix, _ estimator: Estimator, groups: [Int]? = nil,
    _ change: (inout EstimationOptions) -> Void = { _ in }
  ) throws -> Estimate {
    var options = EstimationOptions()
    options.pairings = 39
    options.steps = 300
    change(&options)
    return try PairedRows(x: x, y: y, groups: groups).estimate(estimator, options: options)
  }

  @Test(
    "groups as uneven as can be are estimated or refused, never trapped",
    arguments: [
      [200, 200, 1, 1], [50, 1, 1, 1, 1], [100, 90, 1, 1, 1, 1], [100, 1, 1, 1], [300, 5, 4, 3, 2],
      [500, 10, 5, 1], [60, 1, 1, 1, 1, 1, 1, 1], [40, 4, 4, 4],
    ], [Estimator.hybrid, .mine, .latent, .ksg, .gaussian])
  func uneven(sizes: [Int], estimator: Estimator) throws {
    let groups = sizes.enumerated().flatMap { Array(repeating: $0, count: $1) }
    let x = normal(groups.count, seed: 1)
    let noise = normal(groups.count, seed: 2)
    let y = column(groups.count) { x[$0, 0] + noise[$0, 0] }
    for (folds, seed) in [(2, 1), (2, 2), (5, 1), (5, 2), (5, 3)] {
      do {
        let found = try estimate(x, y, estimator, groups: groups) {
          ($0.folds, $0.seed) = (folds, UInt64(seed))
        }
        #expect(found.value.isFinite && found.low <= found.high)
        #expect(found.flags.contains(.fewRows))
        #expect(found.notes.contains { $0.contains("\(sizes.count) records or groups,") })
      } catch let error as InformationError { #expect(error.code == .tooFewRows) }
    }
  }

  @Test("groups too few to be paired anew are not said to show nothing")
  func untested() throws {
    let groups = (0..<600).map { $0 / 120 }
    let x = normal(600, seed: 1)
    let noise = normal(600, seed: 2)
    let y = column(600) { x[$0, 0] + 0.3 * noise[$0, 0] }
    // One group in each untouched fold: its only pairing is the recorded one.
    let critic = try estimate(x, y, .logistic, groups: groups)
    let null = try #require(critic.null)
    #expect(null.p == 1 && null.least == 1)
    #expect(!critic.flags.contains(.nullNotBeaten))
    #expect(critic.notes.contains { $0.hasPrefix("Not tested at 5 %") })
    // All five are paired anew here: 120 orders.
    let neighbours = try estimate(x, y, .ksg, groups: groups)
    #expect(try #require(neighbours.null).p <= 0.05)
    let few = try estimate(x, y, .ksg) { $0.pairings = 10 }
    #expect(!few.flags.contains(.nullNotBeaten) && few.notes.contains { $0.contains("0.091") })
  }

  @Test(
    "one rare value, or a column that varies in one group only, is no fault of the rows",
    arguments: [Estimator.auto, .hybrid, .latent])
  func rare(estimator: Estimator) throws {
    for n in [20, 23, 100] {
      let rare = column(n) { $0 == n / 2 ? 1 : 0 }
      let found = try estimate(rare, normal(n, seed: 3), estimator)
      // Three times 1 / √n, which is the order of a neighbour estimate's error.
      #expect(abs(found.value) < 3 / Double(n).squareRoot() && found.low < found.high)
      #expect(found.flags.contains(.nullNotBeaten))
    }
    let (groups, y) = ((0..<300).map { $0 / 30 }, normal(300, seed: 4))
    let local = normal(300, seed: 5)
    let x = Matrix(rows: 300, columns: 2) { row, column in
      column == 0 ? y[row, 0] + local[row, 0] : groups[row] == 3 ? local[row, 0] : 0
    }
    #expect(try estimate(x, y, estimator, groups: groups).value > 0.1)
  }

  @Test("a critic that found nothing has an error all the same")
  func nothing() throws {
    let rare = column(100) { $0 % 20 == 0 ? 1 : 0 }
    let found = try estimate(rare, normal(100, seed: 6), .hybrid)
    // √(1 / 2) / 100 and more, each way.
    #expect(found.high - found.low > 0.027)
  }

  @Test("a monotone map, however steep, leaves the hybrid its network")
  func steep() throws {
    let z = normal(400, seed: 7)
    let noise = normal(400, seed: 8)
    let y = column(400) { z[$0, 0] * z[$0, 0] + 0.1 * noise[$0, 0] }
    let plain = try estimate(z, y, .hybrid).value
    let mapped = try estimate(column(400) { exp(100 * z[$0, 0]) }, y, .hybrid).value
    #expect(plain > 1 && abs(mapped - plain) < 0.3)
  }

  @Test("x with itself reads no more than so many rows can vouch for", arguments: [20, 50, 200])
  func ceilings(n: Int) throws {
    let x = normal(n, seed: UInt64(n))
    for estimator in [Estimator.auto, .hybrid, .ksg, .ksg2] {
      let found = try estimate(x, x, estimator) { $0.neighbours = [1] }
      #expect(found.flags.contains(.saturated) && found.high == .infinity, "\(estimator)")
      #expect(found.value <= found.ceiling + 1e-9 && found.low <= found.ceiling)
      #expect(abs(found.value - found.contributions.reduce(0, +) / Double(n)) < 1e-9)
    }
  }

  @Test("a label stays one in parts of its rows, and the curve with it")
  func labels() throws {
    var generator = SeededGenerator(seed: 9)
    let label = column(1000) { _ in Double(generator.next() % 50) }
    let noise = normal(1000, seed: 10)
    let rows = try PairedRows(x: label, y: column(1000) { label[$0, 0] + noise[$0, 0] })
    let curve = try rows.curve(.ross)
    #expect(curve.map(\.rows) == [250, 500])
  }

  @Test(
    "a transform that an estimator has no use for is refused",
    arguments: [Estimator.auto, .hybrid, .latent, .plugin])
  func transforms(estimator: Estimator) {
    let x = normal(100, seed: 11)
    let error = #expect(throws: InformationError.self) {
      try estimate(x, x, estimator) { $0.transform = .ranks }
    }
    #expect(error?.code == .unsuitable)
  }

  @Test("one column that both sides share is more than can be told, however many others there are")
  func sharedColumn() throws {
    var generator = SeededGenerator(seed: 1)
    let shared = generator.normalMatrix(rows: 1000, columns: 1)
    let x = shared.appendingColumns(generator.normalMatrix(rows: 1000, columns: 3))
    let y = shared.appendingColumns(generator.normalMatrix(rows: 1000, columns: 3))
    for estimator in [Estimator.gaussian, .copula] {
      let found = try PairedRows(x: x, y: y).estimate(estimator)
      #expect(found.flags.contains(.saturated) && found.high == .infinity)
    }
    // Of a label all there is to know is its entropy.
    let label = Matrix(rows: 1000, columns: 1) { row, _ in Double(row % 2) }
    let all = try PairedRows(x: label, y: label).estimate(.copula)
    #expect(abs(all.value - log(2)) < 1e-9 && !all.flags.contains(.saturated))
  }

  @Test("indicators of every class are tested as those of all but one are")
  func indicators() throws {
    var generator = SeededGenerator(seed: 4)
    let rows = 400
    func class_(_ row: Int) -> Int { row % 3 }
    let y = Matrix(rows: rows, columns: 1) { row, _ in
      generator.normal() + (class_(row) == 0 ? 0.6 : 0)
    }
    let p = try [3, 2].map { columns in
      let x = Matrix(rows: rows, columns: columns) { class_($0) == $1 ? 1 : 0 }
      return try PairedRows(x: x, y: y).estimate(.hybrid).null!.p
    }
    #expect(p[0] < 0.05 && p[1] < 0.05)
  }

  @Test("a Gaussian figure does not change with standard units, heavy tails and all")
  func standardUnits() throws {
    let (x, y) = InformationTask.gaussian(dimensions: 1, rho: 0.6).sample(1000, seed: 1)
    let heavy = Matrix(rows: 1000, columns: 1) { row, _ in pow(x[row, 0], 5) }
    var options = EstimationOptions()
    let plain = try PairedRows(x: heavy, y: y).estimate(.gaussian, options: options)
    options.transform = .standard
    let standard = try PairedRows(x: heavy, y: y).estimate(.gaussian, options: options)
    #expect(abs(plain.value - standard.value) < 1e-9)
  }

  @Test("numbers that squares or networks cannot take are refused, with a remedy")
  func extremes() throws {
    let (x, y) = InformationTask.gaussian(dimensions: 1, rho: 0.6).sample(100, seed: 1)
    #expect(throws: InformationError.self) { try PairedRows(x: 1e-170 * x, y: y) }
    var options = EstimationOptions()
    options.transform = EstimationOptions.Transform.none
    #expect(throws: InformationError.self) {
      try PairedRows(x: 1e30 * x, y: y).estimate(.mine, options: options)
    }
  }

  @Test("a part of the rows that cannot be estimated does not end the curve, nor the estimate")
  func partOfACurve() throws {
    var generator = SeededGenerator(seed: 1)
    let a = generator.normalMatrix(rows: 400, columns: 1)
    var b = a
    b[5, 0] += 1
    let pair = try PairedRows(
      x: a.appendingColumns(b), y: a + generator.normalMatrix(rows: 400, columns: 1))
    #expect(try pair.estimate(.gaussian).value > 0)
    #expect(try pair.curve(.gaussian).count <= 1)
  }
}
