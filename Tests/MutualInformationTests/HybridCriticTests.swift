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

  private func hybrid(_ folds: [PairedFold], networks: Int = 1) throws -> [Matrix] {
    try folds.enumerated().map { number, fold in
      var options = EstimationOptions()
      options.seed += UInt64(number)
      return try HybridCritic.heldOutScores(
        fold, units: Array(0..<fold.x.rows), networks: networks, options: options)
    }
  }

  @Test("dependence without correlation: the closed form sees none of it, the hybrid most")
  func absolute() throws {
    let task = try #require(InformationTask.pairs.first { $0.name == "absolute-1-1" })
    let (x, y) = task.sample(1200, seed: 1)
    let folds = try folds(x, y)
    let closed = donskerVaradhan(try folds.map(GaussianInformation.heldOutScores))
    #expect(closed.value < 0.05)
    let hybrid = donskerVaradhan(try hybrid(folds))
    // A lower bound, so above the truth by chance alone; 600 training rows leave a critic a fifth short.
    #expect(hybrid.value > 0.75 * task.truth)
    #expect(hybrid.value < task.truth + 3 * hybrid.clusteredError())
  }

  @Test("Gaussian rows: the closed form is all there is, and the network does not lose it")
  func gaussian() throws {
    let task = InformationTask.gaussian(dimensions: 4, rho: 0.7)
    let (x, y) = task.sample(1200, seed: 2)
    let folds = try folds(x, y)
    let closed = donskerVaradhan(try folds.map(GaussianInformation.heldOutScores))
    let (one, three) = (try hybrid(folds), try hybrid(folds, networks: 3))
    for scores in [one, three] {
      let hybrid = donskerVaradhan(scores)
      #expect(abs(hybrid.value - closed.value) < 3 * closed.clusteredError())
    }
    #expect(one[0].elements != three[0].elements)
    #expect(try hybrid(folds)[0].elements == one[0].elements)
  }

  @Test("independent rows: nothing is claimed")
  func independent() throws {
    var generator = SeededGenerator(seed: 3)
    let (x, y) = (
      generator.normalMatrix(rows: 400, columns: 3), generator.normalMatrix(rows: 400, columns: 3)
    )
    let hybrid = donskerVaradhan(try hybrid(folds(x, y)))
    // Zero to rounding, or no more than chance.
    #expect(hybrid.value <= 2 * hybrid.clusteredError() + 1e-9)
  }
}
