private import Foundation

/// Id and time of a run.
struct RunIdentity {
  let id: String
  let created: String

  /// - Parameter seed: makes an identity that is the same each time; nil: a fresh one.
  init(repeatableFor seed: UInt64?) {
    if let seed {
      let digits = String(seed & 0xffff_ffff_ffff, radix: 16)
      id = "00000000-0000-4000-8000-" + String(repeating: "0", count: 12 - digits.count) + digits
      created = "2026-01-01T00:00:00Z"
    } else {
      id = UUID().uuidString.lowercased()
      created = Date().formatted(.iso8601)
    }
  }
}
