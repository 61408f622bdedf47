internal import ArgumentParser
private import Foundation

/// Sizes as people write them.
enum ByteCount {
  /// Bytes of a size such as `500kB`, `64MB`, `2GiB` or `1000`; nil of nil.
  static func parse(_ text: String?, _ option: String) throws(ValidationError) -> Int? {
    guard let text else { return nil }
    let digits = text.prefix { $0.isNumber || $0 == "." }
    let unit = text.dropFirst(digits.count).trimmingCharacters(in: .whitespaces).uppercased()
    guard let number = Double(digits), let factor = factor(unit), number * factor >= 1,
      number * factor < 0x1p62
    else {
      throw ValidationError("\(option): expected a size such as 500MB or 2GB, found '\(text)'.")
    }
    return Int(number * factor)
  }

  private static func factor(_ unit: String) -> Double? {
    guard !unit.isEmpty, unit != "B" else { return 1 }
    guard let power = "KMGT".firstIndex(of: unit.first!) else { return nil }
    let exponent = Double("KMGT".distance(from: "KMGT".startIndex, to: power) + 1)
    return switch unit.dropFirst() {
    case "B": pow(1000, exponent)
    case "IB": pow(1024, exponent)
    default: nil
    }
  }
}
