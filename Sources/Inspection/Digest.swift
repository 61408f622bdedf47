private import Crypto
internal import HDF5
internal import Results
internal import SnapshotFormat

/// SHA-256 of datasets' elements, little-endian and row-major, as readings state them.
enum Digest {
  static func of(_ bytes: some Sequence<UInt8>) -> JSONValue {
    text(SHA256.hash(data: Array(bytes)))
  }

  /// Digest of a snapshot's column, read in blocks.
  static func of(_ column: SnapshotColumn, in reader: Reader) throws(SnapshotError) -> JSONValue {
    var hash = SHA256()
    try reader.forEachBlock(of: column) { _, bytes in hash.update(data: bytes) }
    return text(hash.finalize())
  }

  /// Digest of any dataset, read in blocks of its first axis.
  static func of(_ dataset: borrowing Dataset) throws(HDF5Error) -> JSONValue {
    let shape = try dataset.shape()
    let rows = shape.first ?? 1
    let rowBytes = shape.dropFirst().reduce(dataset.elementType.size, *)
    let block = Block.rows(rowBytes: rowBytes, chunkRows: dataset.chunkShape?.first ?? 1)
    var hash = SHA256()
    for part in (0..<(shape.contains(0) ? 0 : rows)).split(every: block) {
      var bytes = [UInt8](repeating: 0, count: part.count * rowBytes)
      var failure: HDF5Error?
      bytes.withUnsafeMutableBytes { buffer in
        do throws(HDF5Error) {
          try dataset.readBytes(
            into: buffer, start: [part.lowerBound] + shape.dropFirst().map { _ in 0 },
            count: [part.count] + shape.dropFirst())
        } catch {
          failure = error
        }
      }
      if let failure { throw failure }
      hash.update(data: bytes)
    }
    return text(hash.finalize())
  }

  private static func text(_ digest: SHA256.Digest) -> JSONValue {
    .string("sha256:" + Hexadecimal.text(Array(digest)))
  }
}
