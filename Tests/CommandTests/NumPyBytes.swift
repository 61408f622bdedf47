import Foundation
import TestSupport

/// Files as numpy writes them.
enum NumPyBytes {
  /// Writes a .npy file of version 1.
  static func save(
    _ bytes: [UInt8], _ type: String, shape: String, to name: String, in folder: TemporaryFolder,
    order: String = "False"
  ) throws {
    var header = "{'descr': '\(type)', 'fortran_order': \(order), 'shape': (\(shape)), }"
    while (10 + header.utf8.count + 1) % 64 != 0 { header += " " }
    header += "\n"
    let length = header.utf8.count
    let data =
      Data([0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(length & 255), UInt8(length >> 8)])
      + Data(header.utf8) + Data(bytes)
    try folder.write(name, data)
  }
}
