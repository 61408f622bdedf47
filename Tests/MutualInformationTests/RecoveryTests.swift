import LinearAlgebra
import MutualInformation
import Testing

@Suite("Recovery")
struct RecoveryTests {
  private func identified(_ scores: Matrix, candidates: Int) -> [Double] {
    var generator = SeededGenerator(seed: 1)
    return Recovery.reidentification(scores, candidates: candidates, using: &generator)
  }

  private func variance(
    _ folds: [PairedFold], features: Matrix, pairing: [Int]? = nil
  ) -> Recovery.Variance {
    RecoveryTarget(features, folds: folds.map { ($0.train, $0.test) })
      .variance(folds, pairing: pairing)
  }

  @Test("a first place counts 1, a shared one its share, any other 0")
  func places() {
    let scores = Matrix(
      rows: 4, columns: 4,
      elements: [
        9, 1, 2, 3,  // alone in front
        5, 5, 1, 0,  // shared by two
        7, 7, 7, 7,  // shared by four
        1, 2, 3, 2.5,  // beaten
      ])
    #expect(identified(scores, candidates: 4) == [1, 0.5, 0.25, 0])
    // More candidates than rows are all rows.
    #expect(identified(scores, candidates: 100) == [1, 0.5, 0.25, 0])
    #expect(identified(scores, candidates: 1) == [1, 1, 1, 1])
  }

  @Test("a score that is not a number identifies nobody")
  func notANumber() {
    let scores = Matrix(rows: 2, columns: 2, elements: [.nan, 1, .nan, 3])
    #expect(identified(scores, candidates: 2) == [0, 0])
  }

  @Test("scores that know nothing find one record in as many as there are candidates")
  func chance() {
    var generator = SeededGenerator(seed: 2)
    let scores = (0..<10).map { _ in generator.normalMatrix(rows: 200, columns: 200) }
    let hits = scores.flatMap {
      Recovery.reidentification($0, candidates: 8, using: &generator)
    }
    #expect(hits.count == 2000)
    // Four standard errors of a share of 1/8 among 2,000: a false alarm in 16,000.
    #expect(abs(mean(hits) - 0.125) < 4 * (0.125 * 0.875 / 2000).squareRoot())
  }

  @Test("candidates are drawn without replacement, afresh for each row")
  func drawing() {
    // Half of the others beat each record: it wins against 3 of them with probability C(50,3)/C(100,3) = 0.1212.
    let scores = Matrix(rows: 101, columns: 101) { row, column in
      row == column ? 0 : (column - row + 101) % 101 <= 50 ? 1 : -1
    }
    var generator = SeededGenerator(seed: 3)
    let hits = (0..<20).flatMap { _ in
      Recovery.reidentification(scores, candidates: 4, using: &generator)
    }
    #expect(abs(mean(hits) - 0.1212) < 4 * (0.1212 * 0.8788 / 2020).squareRoot())
  }

  @Test("recoverable variance of a linear model is its R²")
  func linearModel() throws {
    var generator = SeededGenerator(seed: 4)
    let tokens = generator.normalMatrix(rows: 4000, columns: 3)
    let noise = generator.normalMatrix(rows: 4000, columns: 2)
    // Variances 4 + 1 of signal against 1 + 4 of noise, weighted together: R² = 5/10.
    let features = Matrix(rows: 4000, columns: 2) { row, column in
      column == 0 ? 10 + 2 * tokens[row, 0] + noise[row, 0] : tokens[row, 2] + 2 * noise[row, 1]
    }
    let result = variance(try folds(tokens, tokens), features: features)
    let error = Clustered.standardError(ofMean: result.contributions)
    // Four standard errors; fitting 3 weights on 3,200 rows costs 0.0005.
    #expect(abs(result.value - 0.5) < 4 * error + 0.001)
    #expect(error > 0.002 && error < 0.03)
    #expect(abs(mean(result.contributions) - result.value) < 1e-12)
  }

  @Test("tokens that hold the feature give 1, tokens that know nothing give about 0")
  func extremes() throws {
    var generator = SeededGenerator(seed: 5)
    let tokens = generator.normalMatrix(rows: 500, columns: 2)
    let other = generator.normalMatrix(rows: 500, columns: 2)
    let parts = try folds(tokens, tokens)
    let full = variance(
      parts, features: tokens + Matrix(rows: 500, columns: 2, repeating: 3))
    #expect(abs(full.value - 1) < 1e-12)
    // Two weights fitted on 400 rows cost 2/400; four standard errors of an R² of 500 rows are below 0.02.
    let none = variance(parts, features: other)
    #expect(abs(none.value + 0.005) < 0.02)
    let identity = variance(parts, features: tokens, pairing: Array(0..<500))
    #expect(abs(identity.value - 1) < 1e-12)
    let mixed = variance(
      parts, features: tokens, pairing: pairing(500, folds: 5, seed: 6))
    #expect(abs(mixed.value) < 0.03)
  }

  @Test("prepared features give what the definition gives, for any pairing")
  func definition() throws {
    var generator = SeededGenerator(seed: 9)
    let tokens = generator.normalMatrix(rows: 90, columns: 3)
    let noise = generator.normalMatrix(rows: 90, columns: 5)
    let features = Matrix(rows: 90, columns: 5) { row, column in
      100 + tokens[row, column % 3] + noise[row, column]
    }
    let parts = try folds(tokens, tokens)
    for order in [nil, pairing(90, folds: 5, seed: 10)] {
      var (errors, totals) = (0.0, 0.0)
      for fold in parts {
        let feature = { (row: Int, column: Int) in features[order?[row] ?? row, column] }
        let n = Double(fold.train.count)
        for column in 0..<5 {
          let average = fold.train.reduce(0) { $0 + feature($1, column) } / n
          // Tokens are white on the training rows.
          let weights = (0..<3).map { component in
            fold.train.reduce(0) { $0 + fold.y[$1, component] * feature($1, column) } / n
          }
          for row in fold.test {
            let predicted = (0..<3).reduce(0) { $0 + fold.y[row, $1] * weights[$1] }
            let value = feature(row, column) - average
            errors += (value - predicted) * (value - predicted)
            totals += value * value
          }
        }
      }
      let found = variance(parts, features: features, pairing: order)
      #expect(abs(found.value - (1 - errors / totals)) < 1e-10)
    }
  }

  @Test("columns that are constant in training are left out, even if they vary elsewhere")
  func constantColumns() throws {
    var generator = SeededGenerator(seed: 7)
    let tokens = generator.normalMatrix(rows: 100, columns: 1)
    let (train, test) = (Array(0..<80), Array(80..<100))
    let fold = try PairedFold(x: tokens, y: tokens, train: train, test: test)
    let features = Matrix(rows: 100, columns: 3) { row, column in
      column == 0 ? tokens[row, 0] : column == 1 ? 0.1 : row < 80 ? 7 : Double(row)
    }
    let result = variance([fold], features: features)
    #expect(abs(result.value - 1) < 1e-12)
  }

  @Test("features in which nothing varies have nothing to recover: 0, never NaN")
  func allConstant() throws {
    var generator = SeededGenerator(seed: 8)
    let tokens = generator.normalMatrix(rows: 50, columns: 2)
    let features = Matrix(rows: 50, columns: 2, repeating: 0.1)
    let result = variance(try folds(tokens, tokens), features: features)
    #expect(result.value == 0 && result.contributions == [Double](repeating: 0, count: 50))
  }
}
