package import Foundation

/// What h5py says is in a file: every object and attribute with its type, shape and bytes.
package struct H5Dump: Decodable, Sendable {
  /// One dataset or attribute.
  package struct Array: Decodable, Sendable {
    /// numpy's name of the type, such as `<f4`.
    package let dtype: String
    /// Lengths of the axes.
    package let shape: [Int]
    /// Little-endian bytes, row-major.
    package let data: Data

    /// The elements, if they are of type `T`.
    package func values<T: BitwiseCopyable>(_: T.Type) -> [T] {
      data.withUnsafeBytes { bytes in
        (0..<bytes.count / MemoryLayout<T>.stride).map {
          bytes.loadUnaligned(fromByteOffset: $0 * MemoryLayout<T>.stride, as: T.self)
        }
      }
    }

    /// The text without its padding.
    package var text: String { String(decoding: data.prefix { $0 != 0 }, as: UTF8.self) }
  }

  /// Paths of the groups.
  package let groups: [String]
  /// Datasets by path.
  package let datasets: [String: Array]
  /// Attributes by `path@name`.
  package let attributes: [String: Array]
  /// Filter ids of the datasets by path, in writing order.
  package let filters: [String: [Int]]

  /// Reads a file with h5py and hdf5plugin.
  package static func ofFile(at path: String) throws -> H5Dump {
    let text = try Python.run("TestSupport/Python/dump.py", path)
    return try JSONDecoder().decode(H5Dump.self, from: Data(text.utf8))
  }
}
