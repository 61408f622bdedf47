private import Foundation

/// Numbers as people read them: two or three significant digits, a unit where one is needed.
///
/// Units hang on a no-break space and negative numbers carry a true minus sign. What is not finite is "–".
package enum Numbers {
  /// What stands for a number that there is none of.
  package static let missing = "–"

  /// Bits in one nat.
  private static let bitsPerNat = 1 / M_LN2

  /// `nats` in bits.
  package static func inBits(_ nats: Double) -> Double { nats * bitsPerNat }

  /// `nats` as a number of bits, without the unit.
  package static func bits(_ nats: Double) -> String { plain(inBits(nats)) }

  /// `nats` as a number of bits with the unit.
  package static func bitsWithUnit(_ nats: Double) -> String {
    nats.isFinite ? bits(nats) + "\u{A0}bits" : missing
  }

  /// `value` with about three significant digits, by powers of ten where it is very large or very small.
  package static func plain(_ value: Double) -> String {
    guard value.isFinite else { return missing }
    let size = abs(value)
    if size == 0 { return "0" }
    if size >= 1e6 || size < 1e-4 { return power(value) }
    return fixed(value, size >= 100 ? 0 : size >= 10 ? 1 : size >= 0.1 ? 2 : size >= 0.01 ? 3 : 4)
  }

  /// `share` in percent.
  package static func percent(_ share: Double) -> String {
    guard (share * 100).isFinite else { return missing }
    return percentNumber(share) + "\u{A0}%"
  }

  /// `share` in percent, without the sign.
  private static func percentNumber(_ share: Double) -> String {
    let percent = share * 100
    let size = abs(percent)
    if size >= 1e6 { return plain(percent) }
    if share < 1, percent >= 99.95 { return ">99.9" }
    if size == 0 || (percent < 0 && size < 0.01) { return "0" }
    if size < 0.01 { return "<0.01" }
    if size < 0.1 { return fixed(percent, 2) }
    if size < 10, abs(percent - percent.rounded()) < 1e-9 { return fixed(percent, 0) }
    return fixed(percent, size < 10 || (size > 99 && size < 100) ? 1 : 0)
  }

  /// `value` as short as it reads back exactly; for options, which are repeated and not estimated.
  package static func exact(_ value: Double) -> String {
    guard value.isFinite else { return missing }
    let text = "\(value)"
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }

  /// `value` with `decimals` digits after the point.
  package static func fixed(_ value: Double, _ decimals: Int) -> String {
    let text = String(format: "%.\(decimals)f", value)
    return text.hasPrefix("-") ? "−" + text.dropFirst() : text
  }

  private static func power(_ value: Double) -> String {
    let parts = String(format: "%.1e", value).split(separator: "e")
    guard parts.count == 2, let exponent = Int(parts[1]) else { return missing }
    let mantissa = parts[0].hasPrefix("-") ? "−" + parts[0].dropFirst() : String(parts[0])
    let superscripts = Array("⁰¹²³⁴⁵⁶⁷⁸⁹")
    let digits = "\(abs(exponent))".compactMap(\.wholeNumberValue).map { superscripts[$0] }
    return "\(mantissa)×10\(exponent < 0 ? "⁻" : "")\(String(digits))"
  }
}
