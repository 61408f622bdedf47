internal import SnapshotFormat

extension Files {
  /// As `requireInput`; a snapshot that is still being recorded is looked for in its journal.
  static func requireSnapshot(_ path: String) throws(SnapshotError) {
    let journal = path + ".journal"
    try requireInput(!exists(path) && exists(journal) ? journal : path)
  }
}
