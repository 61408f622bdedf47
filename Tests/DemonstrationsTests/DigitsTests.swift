import Demonstrations
import Foundation
import HDF5
import LinearAlgebra
import Testing

@Suite("Digits")
struct DigitsTests {
  private let digits = Digits()

  @Test("the embedded records equal samples/digits/digits.bin.zst")
  func sample() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let packed = try Data(contentsOf: root.appending(path: "samples/digits/digits.bin.zst"))
    let bytes = try #require(Zstd.decompress(packed, size: 1797 * 65))
    #expect(Digits.unpacked == bytes)
  }

  @Test("there are 1,797 digits, of the known number in each class")
  func classes() {
    let counts = (0..<10).map { label in digits.labels.count { $0 == label } }
    #expect(counts == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180])
    #expect(digits.images.rows == 1797 && digits.images.columns == 64)
    #expect(digits.records == Array(0..<1797))
  }

  @Test("pixels are 0 to 1 in sixteenths; the first image is the known zero")
  func pixels() {
    let pixels = digits.images.elements.map { $0 * 16 }
    #expect(pixels.allSatisfy { (0...16).contains($0) && $0.rounded() == $0 })
    #expect(digits.images.elements.max() == 1)
    let first = digits.images.row(0).prefix(16).map { Int($0 * 16) }
    #expect(first == [0, 0, 5, 13, 9, 1, 0, 0, 0, 0, 13, 15, 10, 15, 5, 0])
    #expect(digits.labels.prefix(3) == [0, 1, 2])
  }

  @Test("a split holds out one fifth, each record on one side, by its seed")
  func split() {
    let (train, heldOut) = digits.split(seed: 1)
    #expect(heldOut.records.count == 359 && train.records.count == 1438)
    #expect((train.records + heldOut.records).sorted() == digits.records)
    #expect(digits.split(seed: 1).heldOut.records == heldOut.records)
    #expect(digits.split(seed: 2).heldOut.records != heldOut.records)
    for (row, record) in heldOut.records.enumerated() {
      #expect(heldOut.images.row(row).elementsEqual(digits.images.row(record)))
      #expect(heldOut.labels[row] == digits.labels[record])
    }
  }
}
