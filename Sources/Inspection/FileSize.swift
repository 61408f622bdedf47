private import Foundation
internal import SnapshotFormat

/// Sizes of files.
package enum FileSize {
  /// Bytes of a file; 0 where there is none.
  package static func of(_ path: String) -> Int {
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    return (attributes?[.size] as? NSNumber)?.intValue ?? 0
  }

  /// Bytes of a snapshot: of the file, or of the journal and the store of one that is not finished.
  static func of(snapshot path: String) -> Int {
    let files = Leftovers.files(of: path)
    if path == files[0], FileManager.default.fileExists(atPath: path) { return of(path) }
    return files.dropFirst().reduce(0) { $0 + of($1) }
  }
}
