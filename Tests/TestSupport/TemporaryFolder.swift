import Foundation

/// A folder of a test's own.
package struct TemporaryFolder: Sendable {
  /// Path of the folder.
  package let path: String

  /// Path of a file in the folder.
  package func file(_ name: String) -> String { "\(path)/\(name)" }

  /// Names of everything in the folder, hidden files too, in alphabetical order.
  package func contents() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path).sorted()
  }

  /// Bytes of a file in the folder.
  package func bytes(_ name: String) throws -> [UInt8] {
    try [UInt8](Data(contentsOf: URL(filePath: file(name))))
  }

  /// Writes a file in the folder; returns its path.
  @discardableResult
  package func write(_ name: String, _ bytes: some Sequence<UInt8>) throws -> String {
    try Data(bytes).write(to: URL(filePath: file(name)))
    return file(name)
  }
}

/// Makes a folder, passes it to `body` and removes it with everything in it.
package func withTemporaryFolder<R>(_ body: (TemporaryFolder) throws -> R) throws -> R {
  let path = FileManager.default.temporaryDirectory
    .appending(path: "ptoken-test-\(UUID().uuidString)").path(percentEncoded: false)
  try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: path) }
  return try body(TemporaryFolder(path: path))
}
