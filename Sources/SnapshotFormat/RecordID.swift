private import Crypto
private import Foundation

/// A keyed hash that stands for a record: equal for equal records of a run, meaningless without the key.
public struct RecordID: Sendable, Hashable {
  /// Bytes of an id.
  public static let size = 16
  /// The first half, big-endian: enough to assign folds by.
  public let high: UInt64
  /// The second half, big-endian.
  public let low: UInt64

  /// An id from its 16 bytes.
  init(_ bytes: some Collection<UInt8>) {
    high = bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    low = bytes.dropFirst(8).prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// Ids from their bytes, one after the other.
  package static func list(_ bytes: [UInt8]) -> [RecordID] {
    stride(from: 0, to: bytes.count, by: size).map { RecordID(bytes[$0..<$0 + size]) }
  }

  /// The 16 bytes.
  public var bytes: [UInt8] { Self.bytes(CollectionOfOne(self)) }

  /// Ids one after the other, 16 bytes each.
  static func bytes(_ ids: some Collection<RecordID>) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: size * ids.count) { buffer, count in
      let bytes = UnsafeMutableRawBufferPointer(buffer)
      for id in ids {
        bytes.storeBytes(of: id.high.bigEndian, toByteOffset: count, as: UInt64.self)
        bytes.storeBytes(of: id.low.bigEndian, toByteOffset: count + 8, as: UInt64.self)
        count += size
      }
    }
  }

  /// The bytes as lower-case hexadecimal.
  public var hexadecimal: String { Hexadecimal.text(bytes) }
}

/// The secret that record ids are made with: HMAC-SHA-256, cut to 128 bits.
///
/// Whoever holds the key can tell whether a known record took part; without it, ids cannot be linked to
/// records or across runs. Keep it out of the file.
public struct RecordKey: Sendable {
  private let key: [UInt8]

  /// A key of 32 fresh random bytes.
  public static func random() -> RecordKey {
    var generator = SystemRandomNumberGenerator()
    return RecordKey(bytes: (0..<32).map { _ in UInt8.random(in: 0...255, using: &generator) })
  }

  /// A key from given bytes, for runs that must agree on ids.
  public init(bytes: [UInt8]) { key = bytes }

  /// The id of a record that is known by `name` (any bytes that identify it in its data set).
  public func id(of name: some Collection<UInt8>) -> RecordID {
    let code = HMAC<SHA256>.authenticationCode(
      for: Array(name), using: SymmetricKey(data: key))
    return RecordID(Array(code))
  }
}

/// SHA-256 of files, streamed.
public enum FileDigest {
  /// Lower-case hexadecimal SHA-256 of a file's bytes.
  public static func sha256(of path: String) throws(SnapshotError) -> String {
    do {
      let handle = try FileHandle(forReadingFrom: URL(filePath: path))
      defer { try? handle.close() }
      var hash = SHA256()
      while let block = try handle.read(upToCount: 1 << 20), !block.isEmpty {
        hash.update(data: block)
      }
      return Hexadecimal.text(Array(hash.finalize()))
    } catch {
      throw SnapshotError(
        code: .failed, file: path, message: "cannot read: \(error.localizedDescription)")
    }
  }
}

/// Bytes as text.
package enum Hexadecimal {
  /// The bytes that a text of lower-case digits stands for; nil for any other text.
  package static func bytes(_ text: String) -> [UInt8]? {
    let digits = text.utf8.map { byte -> UInt8? in
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
      default: nil
      }
    }
    guard digits.count % 2 == 0, !digits.contains(nil) else { return nil }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0]! << 4 | digits[$0 + 1]! }
  }

  /// Two lower-case digits for each byte.
  package static func text(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef")
    return String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
  }
}
