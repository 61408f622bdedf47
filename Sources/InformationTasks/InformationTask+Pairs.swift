private import Foundation
internal import LinearAlgebra

extension InformationTask {
  /// Pairs of many shapes that are in no published list.
  public static var pairs: [InformationTask] {
    [
      cauchy, ring, sawtooth, boxes, cross, scaleMixture, absoluteValue, manyWeak, lowRank,
      clusters, exclusiveOr, channel, steps, zeroInflated, doubling,
    ]
  }

  private static func column(_ values: [Double]) -> Matrix {
    Matrix(rows: values.count, columns: 1, elements: values)
  }

  /// Heavy tails: Cauchy signal and Cauchy noise, whose sum is Cauchy: ln((γ_x + γ_n) / γ_n) each.
  static var cauchy: InformationTask {
    InformationTask(
      "cauchy-2-2", "Cauchy signal plus Cauchy noise in two coordinates; formula",
      truth: 2 * log(1.5)
    ) { n, generator in
      func draw() -> Matrix {
        Matrix(rows: n, columns: 2) { _, _ in tan(.pi * (generator.uniform() - 0.5)) }
      }
      let x = draw()
      return (x, x + 2 * draw())
    }
  }

  /// Points on a circle, the second turned by normal noise: ln 2π - h(noise).
  static var ring: InformationTask {
    let deviation = 0.4
    return InformationTask(
      "ring-2-2", "two points on a circle, an angle with noise apart; formula",
      truth: log(2 * .pi) - 0.5 * log(2 * .pi * M_E * deviation * deviation)
    ) { n, generator in
      var (x, y) = (Matrix(rows: n, columns: 2), Matrix(rows: n, columns: 2))
      for row in 0..<n {
        let angle = 2 * .pi * generator.uniform()
        let turned = angle + deviation * generator.normal()
        (x[row, 0], x[row, 1]) = (cos(angle), sin(angle))
        (y[row, 0], y[row, 1]) = (cos(turned), sin(turned))
      }
      return (x, y)
    }
  }

  /// Periodic: y = 4x + noise, modulo 1, noise uniform on a quarter: ln 4.
  static var sawtooth: InformationTask {
    InformationTask(
      "sawtooth-1-1", "four periods with uniform noise; formula", truth: log(4)
    ) { n, generator in
      let x = (0..<n).map { _ in generator.uniform() }
      return (
        column(x),
        column(x.map { (4 * $0 + 0.25 * generator.uniform()).truncatingRemainder(dividingBy: 1) })
      )
    }
  }

  /// Sharp edges: uniform signal and uniform noise of width w in three coordinates: 3 (w/2 - ln w).
  static var boxes: InformationTask {
    InformationTask(
      "boxes-3-3", "uniform signal plus uniform noise in three coordinates; formula",
      truth: 3 * (0.25 - log(0.5))
    ) { n, generator in
      let x = Matrix(rows: n, columns: 3) { _, _ in generator.uniform() }
      let noise = Matrix(rows: n, columns: 3) { _, _ in 0.5 * generator.uniform() }
      return (x, x + noise)
    }
  }

  /// Two Gaussians of opposite correlation: uncorrelated, but a cross.
  static var cross: InformationTask {
    let rho = 0.9
    // Trapezoids over ±8: the integrand is smooth and vanishes there, so the sum converges beyond all digits shown.
    var truth = 0.0
    let step = 0.02
    for i in -400...400 {
      for j in -400...400 {
        let (x, y) = (step * Double(i), step * Double(j))
        func density(_ r: Double) -> Double {
          exp(-(x * x - 2 * r * x * y + y * y) / (2 * (1 - r * r)))
            / (2 * .pi * (1 - r * r).squareRoot())
        }
        let p = 0.5 * (density(rho) + density(-rho))
        let q = exp(-(x * x + y * y) / 2) / (2 * .pi)
        if p > 0, q > 0 { truth += step * step * p * log(p / q) }
      }
    }
    return InformationTask(
      "cross-1-1", "half of the rows correlate by 0.9, half by -0.9; integrated", truth: truth
    ) { n, generator in
      let x = generator.normalMatrix(rows: n, columns: 1)
      var y = generator.normalMatrix(rows: n, columns: 1)
      for row in 0..<n {
        let sign = generator.uniform() < 0.5 ? -rho : rho
        y[row, 0] = sign * x[row, 0] + (1 - rho * rho).squareRoot() * y[row, 0]
      }
      return (x, y)
    }
  }

  /// A common scale of 1 or 5, nothing else in common.
  static var scaleMixture: InformationTask {
    func log2d(_ squares: Double, _ scale: Double) -> Double {
      -squares / (2 * scale * scale) - 2 * log(scale)
    }
    @Sendable func draw(_ generator: inout SeededGenerator) -> (x: [Double], y: [Double]) {
      let scale = generator.uniform() < 0.5 ? 1.0 : 5.0
      return (
        (0..<2).map { _ in scale * generator.normal() },
        (0..<2).map { _ in scale * generator.normal() }
      )
    }
    var generator = SeededGenerator(seed: 1, stream: 0x5ca1e)
    let draws = 400_000
    var truth = 0.0
    for _ in 0..<draws {
      let (x, y) = draw(&generator)
      let (a, b) = (x.reduce(0) { $0 + $1 * $1 }, y.reduce(0) { $0 + $1 * $1 })
      let joint = logSumExp([log2d(a, 1) + log2d(b, 1), log2d(a, 5) + log2d(b, 5)]) - log(2)
      let apart =
        logSumExp([log2d(a, 1), log2d(a, 5)]) + logSumExp([log2d(b, 1), log2d(b, 5)]) - 2 * log(2)
      truth += (joint - apart) / Double(draws)
    }
    return InformationTask(
      "scale-mixture-2-2", "a common scale of 1 or 5; exact densities over 400,000 draws",
      truth: truth
    ) { n, generator in
      var (x, y) = (Matrix(rows: n, columns: 2), Matrix(rows: n, columns: 2))
      for row in 0..<n {
        let drawn = draw(&generator)
        for column in 0..<2 {
          (x[row, column], y[row, column]) = (drawn.x[column], drawn.y[column])
        }
      }
      return (x, y)
    }
  }

  /// y = |x| + noise: no correlation, h(Y) - h(noise) by integration.
  static var absoluteValue: InformationTask {
    let s = 0.3
    var entropy = 0.0
    let step = 0.002
    for i in -1500...5000 {
      let y = step * Double(i)
      // Folded normal plus normal noise: two terms of an exact convolution.
      let v = 1 + s * s
      let density =
        2 * exp(-y * y / (2 * v)) / (2 * .pi * v).squareRoot()
        * 0.5 * erfc(-(y / (s * v.squareRoot())) / 2.0.squareRoot())
      if density > 0 { entropy -= step * density * log(density) }
    }
    return InformationTask(
      "absolute-1-1", "y = |x| + noise; integrated",
      truth: entropy - 0.5 * log(2 * .pi * M_E * s * s)
    ) { n, generator in
      let x = generator.normalMatrix(rows: n, columns: 1)
      return (x, column(x.elements.map { abs($0) + s * generator.normal() }))
    }
  }

  /// 64 + 64 coordinates that correlate by 0.15 each.
  static var manyWeak: InformationTask {
    let task = gaussian(dimensions: 64, rho: 0.15)
    return InformationTask("many-weak-64-64", task.summary, truth: task.truth) { n, generator in
      task.sample(n, seed: generator.next())
    }
  }

  /// 300 + 500 columns around two factors: the factors' own information, for isotropic noise.
  static var lowRank: InformationTask {
    // Each side sees a factor of variance 100 (1 per column or so) through noise of variance 1 along each direction.
    let (signal, rho) = (4.0, 0.9)
    let seen = rho * signal / (signal + 1)
    return InformationTask(
      "low-rank-300-500", "two correlated factors in 300 and 500 noisy columns; formula",
      truth: -log1p(-seen * seen)
    ) { n, generator in
      func orthonormal(_ d: Int) -> Matrix {
        (try? generator.normalMatrix(rows: d, columns: 2).singularValues().u)
          ?? Matrix(rows: d, columns: 2)
      }
      let (a, b) = (orthonormal(300), orthonormal(500))
      let s = generator.normalMatrix(rows: n, columns: 2)
      let t = rho * s + (1 - rho * rho).squareRoot() * generator.normalMatrix(rows: n, columns: 2)
      let x =
        signal.squareRoot() * s.times(a, transposeOther: true)
        + generator.normalMatrix(rows: n, columns: 300)
      let y =
        signal.squareRoot() * t.times(b, transposeOther: true)
        + generator.normalMatrix(rows: n, columns: 500)
      return (x, y)
    }
  }

  /// Ten classes around their own axes in 20 dimensions.
  static var clusters: InformationTask {
    let (classes, width, distance) = (10, 20, 2.0)
    var generator = SeededGenerator(seed: 2, stream: 0xc1a5)
    let draws = 200_000
    var truth = 0.0
    for _ in 0..<draws {
      // By symmetry the class is 0; only the class axes matter.
      let z = (0..<classes).map { generator.normal() + ($0 == 0 ? distance : 0) }
      truth +=
        (log(Double(classes)) + distance * z[0] - logSumExp(z.map { distance * $0 }))
        / Double(draws)
    }
    return InformationTask(
      "clusters-20-label", "ten classes in 20 dimensions; exact posteriors over 200,000 draws",
      truth: truth
    ) { n, generator in
      var x = generator.normalMatrix(rows: n, columns: width)
      var labels = [Double](repeating: 0, count: n)
      for row in 0..<n {
        let label = Int(generator.next() % UInt64(classes))
        x[row, label] += distance
        labels[row] = Double(label)
      }
      return (x, column(labels))
    }
  }

  /// The label says whether two coordinates have the same sign, one in ten times wrongly: ln 2 - H(0.1).
  static var exclusiveOr: InformationTask {
    InformationTask(
      "exclusive-or-2-label", "label: whether two signs agree, one in ten wrong; formula",
      truth: log(2) + 0.1 * log(0.1) + 0.9 * log(0.9)
    ) { n, generator in
      let x = generator.normalMatrix(rows: n, columns: 2)
      return (
        x,
        column(
          (0..<n).map { row in
            let agree = x[row, 0] * x[row, 1] > 0
            return (generator.uniform() < 0.1) != agree ? 1 : 0
          })
      )
    }
  }

  /// Eight symbols, kept with probability 0.7, else any of the eight.
  static var channel: InformationTask {
    let kept = 0.7 + 0.3 / 8
    return InformationTask(
      "channel-label-label", "eight symbols through a symmetric channel; formula",
      truth: log(8) + kept * log(kept) + 7 * (0.3 / 8) * log(0.3 / 8)
    ) { n, generator in
      let x = (0..<n).map { _ in Double(generator.next() >> 61) }
      return (
        column(x),
        column(x.map { generator.uniform() < 0.7 ? $0 : Double(generator.next() >> 61) })
      )
    }
  }

  /// Gao et al. 2017 (arXiv 1709.06212), experiment I: y uniform on [x, x + 2] for x of m whole numbers.
  static var steps: InformationTask {
    let m = 5.0
    return InformationTask(
      "steps-label-1", "y uniform on [x, x + 2] for five whole numbers x; formula",
      truth: log(m) - (m - 1) * log(2) / m
    ) { n, generator in
      let x = (0..<n).map { _ in (m * generator.uniform()).rounded(.down) }
      return (column(x), column(x.map { $0 + 2 * generator.uniform() }))
    }
  }

  /// After Gao et al. 2017, experiment IV: exponential rates and Poisson counts, 15 % of them set to 0.
  ///
  /// Their formula counts a lost zero as told apart from a true one; integrated here, it is not.
  static var zeroInflated: InformationTask {
    let (lost, step, counts) = (0.15, 0.002, 40)
    func probabilities(_ rate: Double) -> [Double] {
      var all = [Double](repeating: 0, count: counts)
      var term = exp(-rate)
      for k in 0..<counts {
        all[k] = (1 - lost) * term + (k == 0 ? lost : 0)
        term *= rate / Double(k + 1)
      }
      return all
    }
    // Poisson counts of exponential rates are geometric.
    let marginal = (0..<counts).map {
      (1 - lost) * pow(0.5, Double($0 + 1)) + ($0 == 0 ? lost : 0)
    }
    var truth = 0.0
    for i in 0..<10_000 {
      let rate = step * (Double(i) + 0.5)
      for (p, q) in zip(probabilities(rate), marginal) where p > 0 {
        truth += step * exp(-rate) * p * log(p / q)
      }
    }
    return InformationTask(
      "zero-inflated-1-count", "Poisson counts of exponential rates, 15 % lost; integrated",
      truth: truth
    ) { n, generator in
      let x = (0..<n).map { _ in -log(1 - generator.uniform()) }
      return (
        column(x),
        column(
          x.map { rate in
            guard generator.uniform() >= 0.15 else { return 0 }
            var (count, product) = (0.0, generator.uniform())
            while product > exp(-rate) {
              count += 1
              product *= generator.uniform()
            }
            return count
          })
      )
    }
  }

  /// A doubled angle on the circle, with noise of a tenth of a turn: -ln 0.1.
  static var doubling: InformationTask {
    InformationTask(
      "doubling-1-2", "two phases of a doubled angle, with uniform noise of a tenth; formula",
      truth: -log(0.1)
    ) { n, generator in
      let x = (0..<n).map { _ in generator.uniform() }
      var y = Matrix(rows: n, columns: 2)
      for row in 0..<n {
        let phase = 2 * .pi * (2 * x[row] + 0.1 * generator.uniform())
        (y[row, 0], y[row, 1]) = (cos(phase), sin(phase))
      }
      return (column(x), y)
    }
  }
}
