private import Foundation

/// What an earlier recorder of the same name left behind.
package enum Leftovers {
  /// The journal of a recording that was not finished, beside a file of its name: a finished one that was to be replaced or
  /// gone on with. Nil where there is none, or where the file is whole and the journal left over.
  package static func unfinished(beside path: String) -> String? {
    let journal = Names.journal(of: path)
    let manager = FileManager.default
    guard manager.fileExists(atPath: path), manager.fileExists(atPath: journal),
      !JournalReader.isStillborn(journal), let store = JournalReader.storePath(journal),
      manager.fileExists(atPath: store)
    else { return nil }
    return journal
  }

  /// The files that a snapshot is made of, whether they are there or not: itself, its journal and its store.
  package static func files(of path: String) -> [String] {
    let journal = Names.isJournal(path) ? path : Names.journal(of: path)
    return [Names.snapshot(of: journal), journal]
      + [JournalReader.storePath(journal) ?? Names.store(of: Names.snapshot(of: journal))]
  }

  /// Refuses to make room for a new recording where there is something to lose.
  ///
  /// - Throws: `exists` if another recorder is at work, or if an unfinished recording is there and `force` was not said.
  static func requireNone(for path: String, force: Bool) throws(SnapshotError) {
    let journal = Names.journal(of: path)
    guard FileManager.default.fileExists(atPath: journal) else { return }
    guard !JournalReader.isLocked(journal) else {
      throw SnapshotError(
        code: .exists, file: path, message: "another recorder is writing it",
        remedy: "Wait for it, or choose another name.")
    }
    guard !JournalReader.isStillborn(journal) else { return }
    let store = JournalReader.storePath(journal)
    // A recorder that died after the file had its name left only this.
    let isFinished = store.map { !FileManager.default.fileExists(atPath: $0) } ?? false
    guard force || (isFinished && FileManager.default.fileExists(atPath: path)) else {
      throw SnapshotError(
        code: .unfinished, file: path, message: "an unfinished recording of this name is here",
        remedy:
          "Make a file of it with ptoken-inspect recover \(path), go on with it by --resume, or discard it with --force."
      )
    }
  }

  /// Makes room for a new recording.
  ///
  /// - Throws: as `requireNone`.
  static func clear(for path: String, force: Bool) throws(SnapshotError) {
    try requireNone(for: path, force: force)
    let journal = Names.journal(of: path)
    let store = JournalReader.isStillborn(journal) ? nil : JournalReader.storePath(journal)
    unlink(journal)
    if let store { removeStore(store) }
  }

  /// Removes a store, and the space that was set aside beside it.
  static func removeStore(_ path: String) {
    unlink(path)
    unlink(path + ".reserve")
  }
}
