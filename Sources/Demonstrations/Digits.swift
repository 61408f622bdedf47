private import Foundation
private import HDF5
public import LinearAlgebra

/// The UCI handwritten digits: 1,797 grey images of 8 x 8 pixels in ten classes (samples/digits/README.md).
public struct Digits: Sendable {
  /// Records in the data set.
  public static let count = 1797
  /// Bytes of a packed record: 64 pixels and the label.
  private static let recordBytes = 65

  /// Pixels scaled to 0...1, [rows, 64].
  public let images: Matrix
  /// Digits 0...9.
  public let labels: [Int32]
  /// Position of each row in the data set, which names the record.
  public let records: [Int]

  /// The data set as it is shipped.
  public init() {
    let bytes = Self.unpacked
    images = Matrix(rows: Self.count, columns: 64) { row, column in
      Double(bytes[row * Self.recordBytes + column]) / 16
    }
    labels = (0..<Self.count).map { Int32(bytes[$0 * Self.recordBytes + 64]) }
    records = Array(0..<Self.count)
  }

  private init(images: Matrix, labels: [Int32], records: [Int]) {
    self.images = images
    self.labels = labels
    self.records = records
  }

  /// The records as bytes, [1797, 65].
  package static var unpacked: [UInt8] {
    let text = packed.withUTF8Buffer { Data($0.filter { $0 > 32 }) }
    guard let data = Data(base64Encoded: text),
      let bytes = Zstd.decompress(Array(data), size: count * recordBytes)
    else { preconditionFailure("the embedded digits are damaged: run scripts/embed-digits") }
    return bytes
  }

  /// The rows of these positions.
  public func gathering(_ rows: [Int]) -> Digits {
    Digits(
      images: images.gatheringRows(rows), labels: rows.map { labels[$0] },
      records: rows.map { records[$0] })
  }

  /// A seeded split: one fifth is held out, the rest trains.
  public func split(seed: UInt64) -> (train: Digits, heldOut: Digits) {
    var generator = SeededGenerator(seed: seed, stream: 0x5b11)
    let order = generator.permutation(images.rows)
    let heldOut = images.rows / 5
    return (gathering(Array(order[heldOut...])), gathering(Array(order[..<heldOut])))
  }
}
