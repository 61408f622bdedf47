private import Foundation

/// A linear axis: a domain in data units, a range in drawing units, ticks at round numbers.
package struct Axis: Sendable {
  /// Data values at the ends.
  package let domain: ClosedRange<Double>
  /// Drawing coordinates of the ends; may run backwards.
  package let start: Double
  package let end: Double
  /// Round numbers inside the domain.
  package let ticks: [Double]
  private let step: Double

  /// Creates an axis over the finite ones of `values`.
  ///
  /// - Parameters:
  ///   - values: What the axis must hold.
  ///   - start: Drawing coordinate of the lower end.
  ///   - end: Drawing coordinate of the upper end.
  ///   - intervals: Ticks wanted, about.
  ///   - extended: Whether the ends move outwards to round numbers.
  ///   - whole: Whether ticks are whole numbers.
  ///   - fixedStep: Distance of ticks, where it is not to be chosen.
  package init(
    values: [Double], start: Double, end: Double, intervals: Int, extended: Bool,
    whole: Bool = false, fixedStep: Double? = nil
  ) {
    let finite = values.filter(\.isFinite).map(Self.drawable)
    var low = finite.min() ?? 0
    var high = finite.max() ?? 1
    if high - low <= abs(high) * 1e-12 {
      let pad = extended ? max(abs(high) * 0.1, 1e-3) : max(abs(high) * 0.02, 1)
      // Whole numbers are steps: there is none before 0.
      low = whole && low >= 0 ? max(0, low - pad) : low - pad
      high += pad
    }
    var step = Self.roundStep((high - low) / Double(intervals))
    if whole { step = max(1, step) }
    if let fixedStep { step = fixedStep }
    if extended {
      // A little below zero is not worth a whole step of empty room.
      if low < -step / 2 || low > 0 { low = (low / step + 1e-9).rounded(.down) * step }
      high = (high / step - 1e-9).rounded(.up) * step
    }
    domain = low...high
    self.start = start
    self.end = end
    self.step = step
    let first = (low / step - 1e-9).rounded(.up)
    ticks = (0...(intervals * 3)).map { (first + Double($0)) * step }
      .filter { $0 <= high + step * 1e-6 }
  }

  /// The drawing coordinate of a value; what lies outside the domain is drawn at its edge.
  package func position(_ value: Double) -> Double {
    let value = min(max(Self.drawable(value), domain.lowerBound), domain.upperBound)
    let share = (value - domain.lowerBound) / (domain.upperBound - domain.lowerBound)
    return start + share * (end - start)
  }

  /// A tick's number, with as many decimals as the step needs.
  package func label(_ tick: Double) -> String {
    if abs(tick) < step * 1e-6 { return "0" }
    if abs(tick) >= 1e6 || step < 1e-4 { return Numbers.plain(tick) }
    return Numbers.fixed(tick, max(0, Int((-log10(step)).rounded(.up))))
  }

  /// Keeps differences of drawn values finite.
  private static func drawable(_ value: Double) -> Double { min(max(value, -1e150), 1e150) }

  /// The smallest of 1, 2, 5 times a power of ten that is at least `size`.
  private static func roundStep(_ size: Double) -> Double {
    let power = pow(10, log10(size).rounded(.down))
    return ([1, 2, 5].first { $0 * power >= size * (1 - 1e-9) } ?? 10) * power
  }
}
