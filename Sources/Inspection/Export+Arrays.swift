private import Foundation
internal import HDF5
internal import SnapshotFormat

extension Export {
  // MARK: npz

  /// A zip archive of stored .npy files (PKWARE's APPNOTE 6.3; zip64 throughout, which numpy and every current unzip read).
  func writeNPZ(to file: SequentialFile) throws(SnapshotError) {
    struct Entry {
      var name: [UInt8]
      var offset, size: Int
      var checksum: UInt32
    }
    var entries: [Entry] = []
    for array in arrays {
      let name = Swift.Array("\(array.name).npy".utf8)
      let head = Self.npyHead(array)
      let size = head.count + array.bytes
      var entry = Entry(name: name, offset: file.length, size: size, checksum: 0)
      try file.write(Zip.localHead(name: name, size: size, checksum: 0) + head)
      entry.checksum = Zip.checksum(head, from: 0)
      try forEachBlock(of: array) { bytes throws(SnapshotError) in
        entry.checksum = Zip.checksum(bytes, from: entry.checksum)
        try file.write(bytes)
      }
      // Known only now.
      try file.patch(Zip.bytes(entry.checksum), at: entry.offset + Zip.checksumOffset)
      entries.append(entry)
    }
    let start = file.length
    for entry in entries {
      try file.write(
        Zip.centralHead(
          name: entry.name, size: entry.size, checksum: entry.checksum, offset: entry.offset))
    }
    try file.write(Zip.end(entries: entries.count, start: start, length: file.length - start))
  }

  /// Version 1.0 of numpy's header: a dictionary, padded so that the data begin at a multiple of 64.
  private static func npyHead(_ array: Array) -> [UInt8] {
    let shape = array.shape.map { "\($0)," }.joined(separator: " ")
    var text =
      "{'descr': '\(array.column.type.numpyName)', 'fortran_order': False, 'shape': (\(shape)), }"
    let missing = (64 - (10 + text.utf8.count + 1) % 64) % 64
    text += String(repeating: " ", count: missing) + "\n"
    var head: [UInt8] = [0x93] + Swift.Array("NUMPY".utf8) + [1, 0]
    head += Zip.bytes(UInt16(text.utf8.count))
    return head + Swift.Array(text.utf8)
  }

  // MARK: safetensors

  /// Eight bytes of length, a JSON header, then the arrays (huggingface/safetensors, format).
  func writeSafetensors(to file: SequentialFile) throws(SnapshotError) {
    var header: [String: Any] = [
      "__metadata__": [
        "format": "ptoken-snapshot \(reader.version)", "run_id": reader.run.id,
        "producer": reader.run.producer,
      ]
    ]
    var offset = 0
    for array in arrays {
      header[array.name] = [
        "dtype": array.column.type.safetensorsName, "shape": array.shape,
        "data_offsets": [offset, offset + array.bytes],
      ]
      offset += array.bytes
    }
    guard
      var text = try? JSONSerialization.data(
        withJSONObject: header, options: [.sortedKeys, .withoutEscapingSlashes])
    else {
      throw SnapshotError(code: .failed, file: file.path, message: "cannot write the header")
    }
    // Data begin at a multiple of eight, by spaces.
    text.append(contentsOf: [UInt8](repeating: 32, count: (8 - text.count % 8) % 8))
    try file.write(Zip.bytes(UInt64(text.count)) + text)
    for array in arrays {
      try forEachBlock(of: array) { bytes throws(SnapshotError) in try file.write(bytes) }
    }
  }
}

extension ElementType {
  /// numpy's name, little-endian.
  fileprivate var numpyName: String {
    switch self {
    case .int8: "|i1"
    case .uint8: "|u1"
    case .int16: "<i2"
    case .uint16: "<u2"
    case .int32: "<i4"
    case .uint32: "<u4"
    case .int64: "<i8"
    case .uint64: "<u8"
    case .float32: "<f4"
    case .float64: "<f8"
    case .string, .other: "|V\(max(1, size))"
    }
  }

  fileprivate var safetensorsName: String {
    switch self {
    case .int8: "I8"
    case .uint8: "U8"
    case .int16: "I16"
    case .uint16: "U16"
    case .int32: "I32"
    case .uint32: "U32"
    case .int64: "I64"
    case .uint64: "U64"
    case .float32: "F32"
    case .float64: "F64"
    case .string, .other: "U8"
    }
  }
}
