private import Foundation
internal import HDF5

extension Writer {
  /// Goes on with a recording: one whose recorder died (from its journal), or a finished file.
  ///
  /// The committed steps are copied, whole chunks as they are; a torn tail is cut off first. The file says where the new
  /// session began and how much was cut. Until `close`, an existing file stays as it was;
  /// a complete one stays so for good if no step is added.
  ///
  /// - Parameters:
  ///   - path: the name that the file has, or was to have.
  ///   - started: when this session began: ISO 8601, UTC.
  /// - Throws: as `Reader.init`; `exists` while another recorder is at work.
  public convenience init(
    resuming path: String, started: String,
    synchronization: Synchronization = .interval(seconds: 5), rank: UInt16 = 0
  ) throws(SnapshotError) {
    // A session that was killed after the file had been finished goes before what the file has.
    let opened = try Opened(Leftovers.unfinished(beside: path) ?? path)
    if let breach = opened.breaches.first {
      throw SnapshotError(
        code: .invalid, file: path, object: breach.object, message: breach.message,
        remedy: "List every fault with ptoken-inspect validate.", requirement: breach.requirement)
    }
    let journalPath = Names.journal(of: path)
    guard opened.status != .recording, !JournalReader.isLocked(journalPath),
      !JournalReader.isLocked(journalPath + ".new")
    else {
      throw SnapshotError(
        code: .exists, file: path, message: "another recorder is writing it",
        remedy: "Wait for it, or choose another name.")
    }
    guard DescriptionRules.isTime(started) else {
      throw SnapshotError(
        code: .invalid, file: path, object: "/sessions/started",
        message: "expected an ISO 8601 time in UTC, found '\(started.prefix(40))'",
        requirement: "R-018")
    }
    let journal = (opened.source as? JournalSource)?.journal
    let steps = try Recovery.readableSteps(opened)
    let compression = Recovery.compression(of: opened)
    var declaration = Recovery.declaration(of: opened, compression)
    declaration.sessions.append(
      Session(
        firstStep: steps, started: started, cutBytes: UInt64(journal?.tornBytes ?? 0), rank: rank))
    let oldStore = journal.flatMap { JournalReader.storePath($0.path, $0.head) }
    var newStore = Names.store(of: path)
    if newStore == oldStore { newStore += "-2" }
    unlink(journalPath + ".new")
    try self.init(
      path: path, declaration: declaration, compression: compression,
      synchronization: synchronization, journalPath: journalPath + ".new", storePath: newStore)
    do throws(SnapshotError) {
      let last = steps > 0 ? opened.contents.steps[steps - 1] : nil
      try adopt(steps: steps, last: last) { store throws(SnapshotError) in
        try RowCopy.appendSteps(steps, of: opened, to: store)
      }
      guard rename(journalPath + ".new", journalPath) == 0 else {
        throw SnapshotError(number: errno, "cannot rename", path)
      }
    } catch {
      unlink(journalPath + ".new")
      unlink(newStore)
      abandon()
      throw error.naming(path)
    }
    if opened.status == .complete { completeSteps = steps }
    if let oldStore, oldStore != newStore { Leftovers.removeStore(oldStore) }
  }
}
