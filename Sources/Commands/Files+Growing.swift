internal import SnapshotFormat

extension Files {
  /// As `requireInput`; a snapshot that is still being recorded is looked for in its journal.
  static func requireSnapshot(_ path: String) throws(SnapshotError) {
    let journal = Names.journal(of: path)
    try requireInput(!exists(path) && exists(journal) ? journal : path)
  }
}
