import InformationTasks
import LinearAlgebra
import MutualInformation
import Testing

@Suite("The hybrid's critic in folds")
struct HybridCriticTests {
  private func folds(_ x: Matrix, _ y: Matrix) throws -> [PairedFold] {
    try (0..<2).map { fold in
      try PairedFold(
        x: x, y: y, train: (0..<x.rows).filter { $0 % 2 != fold },
        test: (0..<x.rows).filter { $0 % 2 == fold })
    }
  }

  private func bound(_ scores: [Matrix]) -> Estimate { GaussianInformation.donskerVaradhan(scores) }

  @Test("dependence without correlation: the closed form sees none of it, the hybrid most")
  func absolute() throws {
    let task = try #require(InformationTask.pairs.first { $0.name == "absolute-1-1" })
    let (x, y) = task.sample(1200, seed: 1)
    let folds = try folds(x, y)
    let closed = bound(try GaussianInformation.heldOutScores(folds))
    #expect(closed.value < 0.05)
    let hybrid = bound(
      try HybridCritic.heldOutScores(folds, units: Array(0..<1200), options: .init()))
    // A lower bound, so above the truth by chance alone; 600 training rows leave a critic a fifth short.
    #expect(hybrid.value > 0.75 * task.truth)
    #expect(hybrid.value < task.truth + 3 * hybrid.clusteredError())
  }

  @Test("Gaussian rows: the closed form is all there is, and the network does not lose it")
  func gaussian() throws {
    let task = InformationTask.gaussian(dimensions: 4, rho: 0.7)
    let (x, y) = task.sample(1200, seed: 2)
    let folds = try folds(x, y)
    let closed = bound(try GaussianInformation.heldOutScores(folds))
    let options = EstimationOptions()
    let one = try HybridCritic.heldOutScores(folds, units: Array(0..<1200), options: options)
    let three = try HybridCritic.heldOutScores(
      folds, units: Array(0..<1200), networks: 3, options: options)
    for scores in [one, three] {
      let hybrid = bound(scores)
      #expect(abs(hybrid.value - closed.value) < 3 * closed.clusteredError())
    }
    #expect(one[0].elements != three[0].elements)
    let again = try HybridCritic.heldOutScores(folds, units: Array(0..<1200), options: options)
    #expect(again[0].elements == one[0].elements)
  }

  @Test("independent rows: nothing is claimed")
  func independent() throws {
    var generator = SeededGenerator(seed: 3)
    let (x, y) = (
      generator.normalMatrix(rows: 400, columns: 3), generator.normalMatrix(rows: 400, columns: 3)
    )
    let hybrid = bound(
      try HybridCritic.heldOutScores(
        try folds(x, y), units: Array(0..<400), options: .init()))
    // Zero to rounding, or no more than chance.
    #expect(hybrid.value <= 2 * hybrid.clusteredError() + 1e-9)
  }
}
