private import Foundation

/// Sizes of files.
package enum FileSize {
  /// Bytes of a file; 0 where there is none.
  package static func of(_ path: String) -> Int {
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    return (attributes?[.size] as? NSNumber)?.intValue ?? 0
  }

  /// Bytes of a snapshot: of the file, or of the journal and the store of one that is not finished.
  static func of(snapshot path: String) -> Int {
    let ending = ".journal"
    let isJournal = path.hasSuffix(ending)
    let name = isJournal ? String(path.dropLast(ending.count)) : path
    if !isJournal, FileManager.default.fileExists(atPath: path) { return of(path) }
    return of(name + ending) + of(name + ".partial")
  }
}
