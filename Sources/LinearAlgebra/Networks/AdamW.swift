private import Foundation

/// Adam with decoupled weight decay (Loshchilov & Hutter 2019, arXiv 1711.05101), linear warm-up, cosine decay and
/// clipping by the global norm; keeps a running mean of the parameters (Polyak & Juditsky 1992, doi:10.1137/0330046).
package final class AdamW<Scalar: NetworkScalar> {
  /// How it steps.
  package struct Options: Sendable {
    /// Rate after the warm-up.
    package var rate = 1e-3
    /// Steps over which the rate grows from 0.
    package var warmUp = 0
    /// Steps after which the rate has fallen to `lastRate` of itself along half a cosine; 0: it stays.
    package var decaySteps = 0
    /// Share of the rate that is left then.
    package var lastRate = 0.05
    /// Decay of the first moment.
    package var beta1 = 0.9
    /// Decay of the second moment.
    package var beta2 = 0.999
    /// Decay of weights, times the rate, at each step.
    package var weightDecay = 1e-4
    /// Largest Euclidean norm of a gradient; infinite: not clipped.
    package var clip = Double.infinity
    /// Steps that the running mean remembers, about; 0: it is the parameters themselves.
    package var averaged = 0

    /// The usual options.
    package init() {}
  }

  private let options: Options
  private let first: Buffer<Scalar>
  private let second: Buffer<Scalar>
  /// Running mean of the parameters, corrected for its start.
  package let mean: Buffer<Scalar>
  private var step = 0

  /// An optimizer of so many parameters.
  package init(count: Int, options: Options = .init()) {
    self.options = options
    first = Buffer(count: count)
    second = Buffer(count: count)
    mean = Buffer(count: count)
  }

  /// The rate of a step, from 1.
  package func rate(at step: Int) -> Double {
    let warm = options.warmUp > 0 ? min(1, Double(step) / Double(options.warmUp)) : 1
    guard options.decaySteps > 0 else { return options.rate * warm }
    let part = min(1, Double(step) / Double(options.decaySteps))
    let cosine = 0.5 * (1 + cos(.pi * part))
    return options.rate * warm * (options.lastRate + (1 - options.lastRate) * cosine)
  }

  /// Moves the parameters against their gradient.
  package func update(_ parameters: Buffer<Scalar>, gradient: Buffer<Scalar>) {
    step += 1
    var factor = 1.0
    if options.clip.isFinite {
      let norm = Kernels.squaredNorm(gradient.start, gradient.count).squareRoot()
      if norm > options.clip { factor = options.clip / norm }
      // A gradient that is no number moves nothing.
      if !norm.isFinite { factor = 0 }
    }
    let rate = rate(at: step)
    let correction = (1 - pow(options.beta2, Double(step))).squareRoot()
    let keep =
      options.averaged > 0 ? min(1 - 1 / Double(step), 1 - 1 / Double(options.averaged)) : 0
    Kernels.step(
      parameters.start, gradient.start, first.start, second.start, mean.start,
      Kernels.Step(
        factor: Scalar(factor), beta1: Scalar(options.beta1), beta2: Scalar(options.beta2),
        size: Scalar(rate * correction / (1 - pow(options.beta1, Double(step)))),
        floor: Scalar(1e-8 * correction), decay: Scalar(1 - rate * options.weightDecay),
        keep: Scalar(keep)), parameters.count)
  }
}

extension Kernels {
  struct Step<S: NetworkScalar> {
    var factor, beta1, beta2, size, floor, decay, keep: S
  }

  @specialized(where S == Float)
  @specialized(where S == Double)
  static func step<S: NetworkScalar>(
    _ parameters: UnsafeMutablePointer<S>, _ gradient: UnsafePointer<S>,
    _ first: UnsafeMutablePointer<S>, _ second: UnsafeMutablePointer<S>,
    _ mean: UnsafeMutablePointer<S>, _ step: Step<S>, _ count: Int
  ) {
    // A factor of 0 stands for a gradient that is no number: 0 times that would be none either.
    guard step.factor > 0 else { return }
    for index in 0..<count {
      let g = gradient[index] * step.factor
      let m = step.beta1 * first[index] + (1 - step.beta1) * g
      let v = step.beta2 * second[index] + (1 - step.beta2) * g * g
      first[index] = m
      second[index] = v
      let p = parameters[index] * step.decay - step.size * m / (v.squareRoot() + step.floor)
      parameters[index] = p
      mean[index] = step.keep * mean[index] + (1 - step.keep) * p
    }
  }

  @specialized(where S == Float)
  @specialized(where S == Double)
  static func squaredNorm<S: NetworkScalar>(_ values: UnsafePointer<S>, _ count: Int) -> Double {
    var sum = 0.0
    for index in 0..<count { sum += Double(values[index]) * Double(values[index]) }
    return sum
  }
}
