import LinearAlgebra
import MutualInformation
import Testing

@Suite("PairedFold")
struct PairedFoldTests {
  @Test("training rows become white, held-out rows go through the same map")
  func whitening() throws {
    var generator = SeededGenerator(seed: 1)
    let mix = generator.normalMatrix(rows: 3, columns: 3)
    let rows =
      generator.normalMatrix(rows: 60, columns: 3).times(mix)
      + Matrix(rows: 60, columns: 3, repeating: 1000)
    let (train, test) = (Array(0..<40), Array(40..<60))
    let fold = try PairedFold(x: rows, y: rows, train: train, test: test)
    let white = fold.x.gatheringRows(train)
    // A mean of 1000 costs three of sixteen digits.
    for column in 0..<3 {
      #expect(abs((0..<40).reduce(0) { $0 + white[$1, column] }) < 1e-9)
    }
    let covariance = white.gram(scale: 40)
    for i in 0..<3 { for j in 0..<3 { #expect(abs(covariance[i, j] - (i == j ? 1 : 0)) < 1e-9) } }
    #expect(fold.x == fold.y && fold.train == train && fold.test == test)
    // Held-out rows do not move the map.
    var moved = rows
    moved[50, 1] += 100
    let other = try PairedFold(x: moved, y: rows, train: train, test: test)
    #expect(other.x.gatheringRows(train) == white)
    #expect(other.x.row(50) != fold.x.row(50) && other.x.row(51) == fold.x.row(51))
  }

  @Test("a constant column is refused, whatever its value", arguments: [0.0, 0.1, 1.0 / 3, 1e9])
  func constantColumn(value: Double) {
    var generator = SeededGenerator(seed: 2)
    let good = generator.normalMatrix(rows: 30, columns: 2)
    let bad = Matrix(rows: 30, columns: 2) { $1 == 0 ? value : good[$0, 1] }
    #expect(throws: LinearAlgebraError.self) { try folds(bad, good) }
    #expect(throws: LinearAlgebraError.self) { try folds(good, bad) }
  }

  @Test("columns that depend on each other are refused")
  func dependentColumns() {
    var generator = SeededGenerator(seed: 3)
    let good = generator.normalMatrix(rows: 30, columns: 3)
    let bad = Matrix(rows: 30, columns: 3) { row, column in
      column < 2 ? good[row, column] : good[row, 0] / 3 + 0.7 * good[row, 1]
    }
    #expect(throws: LinearAlgebraError.self) { try folds(bad, good) }
  }
}
