import Recording
import SnapshotFormat
import Testing

@Suite("Sketch")
struct SketchTests {
  /// The definition, written out again: nonzero k of element j hashes the number j * nonzeros + k + 1 of SplitMix64's
  /// sequence from the seed; its upper half, scaled to the width, is the place and its lowest bit the sign.
  private func naive(_ values: [Float], width: Int, nonzeros: Int, seed: UInt64) -> [Float] {
    var sums = [Double](repeating: 0, count: width)
    var state = seed
    for value in values {
      for _ in 0..<nonzeros {
        state = state &+ 0x9e37_79b9_7f4a_7c15
        var z = (state ^ (state >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        z = z ^ (z >> 31)
        let place = Int(((z >> 32) * UInt64(width)) >> 32)
        sums[place] += z % 2 == 0 ? Double(value) : -Double(value)
      }
    }
    return sums.map { Float($0 / Double(nonzeros).squareRoot()) }
  }

  private func sketch(_ width: Int, _ nonzeros: Int, seed: UInt64, inputs: Int) -> Sketch {
    Sketch(SketchDescriptor(width: width, nonzeros: nonzeros, seed: seed), inputs: inputs)
  }

  /// Numbers in -1...1 without pattern, the same on every machine.
  private func numbers(_ count: Int, seed: UInt64) -> [Float] {
    var state = seed
    return (0..<count).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Float(state >> 40) / Float(1 << 23) - 1
    }
  }

  @Test("the sketch of a known row never changes: readers in other languages agree with it")
  func golden() {
    // By an independent implementation in Python; all sums are exact.
    let result = sketch(5, 4, seed: 7, inputs: 6)([1, 2, 4, 8, 16, 32])
    #expect(result == [-19.5, -24.5, -12.5, -16, 6.5])
  }

  @Test(
    "it equals its definition",
    arguments: [(256, 4, 0), (7, 1, 1), (1, 3, 2), (100, 16, .max)] as [(Int, Int, UInt64)])
  func equalsDefinition(width: Int, nonzeros: Int, seed: UInt64) {
    let values = numbers(1000, seed: 3)
    let found = sketch(width, nonzeros, seed: seed, inputs: 1000)(values)
    let expected = naive(values, width: width, nonzeros: nonzeros, seed: seed)
    // Scaling by 1/sqrt or by its division differ in the last place of a double, at most one of a float.
    for (a, b) in zip(found, expected) { #expect(abs(a - b) <= max(abs(b), 1) * 0x1p-23) }
    #expect(found.count == width)
  }

  @Test("rows are sketched one by one")
  func rows() {
    let sketch = sketch(16, 4, seed: 1, inputs: 50)
    let (a, b) = (numbers(50, seed: 1), numbers(50, seed: 2))
    #expect(sketch(a + b) == sketch(a) + sketch(b))
    #expect(sketch([]) == [])
  }

  @Test("it is linear")
  func linearity() {
    let sketch = sketch(32, 4, seed: 2, inputs: 300)
    let (a, b) = (numbers(300, seed: 3), numbers(300, seed: 4))
    let combined = sketch(zip(a, b).map { 2 * $0 - 3 * $1 })
    for (found, parts) in zip(combined, zip(sketch(a), sketch(b))) {
      // Single precision of sums of some 40 numbers of order 3.
      #expect(abs(found - (2 * parts.0 - 3 * parts.1)) < 2e-5)
    }
  }

  private func product(_ a: [Float], _ b: [Float]) -> Double {
    zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
  }

  @Test("inner products and norms are right on average, with a spread within the stated bound")
  func unbiased() {
    let (a, b) = (numbers(400, seed: 5), zip(numbers(400, seed: 5), numbers(400, seed: 6)).map(+))
    let (width, seeds) = (64, 600)
    var (products, norms): ([Double], [Double]) = ([], [])
    for seed in 0..<seeds {
      let sketch = sketch(width, 4, seed: UInt64(seed), inputs: 400)
      let (sa, sb) = (sketch(a), sketch(b))
      products.append(product(sa, sb))
      norms.append(product(sa, sa))
    }
    for (found, truth, bound) in [
      (products, product(a, b), 2 * product(a, a) * product(b, b) / Double(width)),
      (norms, product(a, a), 2 * product(a, a) * product(a, a) / Double(width)),
    ] {
      let mean = found.reduce(0, +) / Double(seeds)
      // Four standard errors at the stated variance: a false alarm in 16,000 for random seeds.
      #expect(abs(mean - truth) < 4 * (bound / Double(seeds)).squareRoot())
      let variance = found.reduce(0) { $0 + ($1 - truth) * ($1 - truth) } / Double(seeds)
      // A sample variance of 600 has a relative error of 6 %, somewhat more for these tails.
      #expect(variance < 1.3 * bound)
      #expect(variance > 0.2 * bound)
    }
  }

  @Test("other seeds give other sketches")
  func seeds() {
    let values = numbers(100, seed: 7)
    #expect(
      sketch(16, 4, seed: 1, inputs: 100)(values) != sketch(16, 4, seed: 2, inputs: 100)(values))
  }
}
