private import Foundation
internal import HDF5

/// Makes a whole file of an unfinished recording, or of one that was damaged.
public enum Recovery {
  /// What was found and kept.
  public struct Report: Sendable, Equatable {
    /// Steps in the new file.
    public var steps: Int
    /// Committed steps that could not be read, and are not in it.
    public var lostSteps: Int
    /// Bytes of a torn tail that were cut off.
    public var cutBytes: Int
    /// Whether it came from a journal.
    public var isFromJournal: Bool
  }

  /// Recovers every step that can be read.
  ///
  /// - Parameters:
  ///   - path: a snapshot file, or the name that an unfinished recording was to have, or its journal.
  ///   - output: the file to write; whole chunks are copied as they are.
  ///   - removesJournal: remove journal and store once the file is whole.
  /// - Throws: `SnapshotError`: as `Reader.init`; `exists` while a recorder is at work; `invalid` where nothing can be kept.
  public static func recover(
    _ path: String, to output: String, force: Bool = false, removesJournal: Bool = false
  ) throws(SnapshotError) -> Report {
    let opened = try Opened(Leftovers.unfinished(beside: path) ?? path)
    guard opened.status != .recording else {
      throw SnapshotError(
        code: .exists, file: path, message: "it is still being recorded",
        remedy: "Wait for the recorder, or stop it.")
    }
    if let breach = opened.breaches.first {
      throw SnapshotError(
        code: .invalid, file: path, object: breach.object, message: breach.message,
        remedy: "Nothing can be recovered where the structure is damaged.",
        requirement: breach.requirement)
    }
    let file = try ReplacingFile(output, force: force)
    // The store makes it anew, and only where nothing is.
    unlink(file.temporary)
    let compression = compression(of: opened)
    let store: ChunkStore
    do throws(SnapshotError) {
      store = try ChunkStore(
        creating: file.temporary, declaration(of: opened, compression), compression: compression)
    } catch {
      throw error.naming(output)
    }
    let journal = (opened.source as? JournalSource)?.journal
    let total = opened.contents.steps.count
    let kept: Int
    do throws(SnapshotError) {
      if journal != nil {
        kept = try readableSteps(opened)
        try RowCopy.appendSteps(kept, of: opened, to: store)
      } else {
        kept = try copyWholeSteps(opened, to: store)
      }
      let sessions = opened.declaration.sessions.map {
        var session = $0
        session.firstStep = min(session.firstStep, kept)
        return session
      }
      try store.finish(
        kept == total ? opened.status : .crashed, sessions: sessions,
        captures: opened.declaration.captures)
    } catch {
      throw [SnapshotError.Code.noSpace, .permission].contains(error.code)
        ? error.naming(output) : error
    }
    try file.commit()
    if removesJournal, let journal {
      if let store = JournalReader.storePath(journal.path, journal.head) {
        Leftovers.removeStore(store)
      }
      unlink(journal.path)
    }
    return Report(
      steps: kept, lostSteps: total - kept, cutBytes: journal?.tornBytes ?? 0,
      isFromJournal: journal != nil)
  }

  /// How the streams of a snapshot are compressed, as far as we write it.
  static func compression(of opened: Opened) -> Writer.Compression {
    if let journal = (opened.source as? JournalSource)?.journal { return journal.compression }
    let layout = opened.declaration.layout
    let filters = layout.tables.flatMap(\.streams).first.map { opened.source.columns[$0].filters }
    return Writer.Compression.allCases.first { $0.filters == filters } ?? .zstd
  }

  /// What a copy of a snapshot declares: the same, laid out as we write it.
  static func declaration(
    of opened: Opened, _ compression: Writer.Compression
  ) -> Declaration {
    var declaration = opened.declaration
    let old = declaration.layout
    declaration.version = Names.version
    declaration.layout = Layout(
      tables: declaration.tables, layers: old.trainable.flatMap { old.columns[$0].width },
      compression: compression)
    return declaration
  }

  /// The steps before the first one that a loss of power has damaged.
  static func readableSteps(_ opened: Opened) throws(SnapshotError) -> Int {
    guard let source = opened.source as? JournalSource else { return opened.contents.steps.count }
    let layout = opened.declaration.layout
    var steps = opened.contents.steps.count
    for position in layout.steps + [layout.trainable].compactMap({ $0 }) {
      if let row = source.firstDamagedRow(position) { steps = min(steps, row) }
    }
    for (number, table) in layout.tables.enumerated() {
      for position in table.perObservation {
        guard let row = source.firstDamagedRow(position) else { continue }
        let step = opened.contents.tables[number].first { $0.rows.contains(row) }?.step
        steps = min(steps, step ?? steps)
      }
      guard let members = table.members else { continue }
      let own = try MemberRows(opened, table: number, members)
      let place = own.unknown.min() ?? own.ranges.count
      let damaged = members.all.compactMap { source.firstDamagedRow($0) }.min()
      let first = damaged.flatMap { row in own.ranges.firstIndex { $0.contains(row) } }
      let kept = min(place, first ?? own.ranges.count)
      if kept < own.ranges.count { steps = min(steps, opened.contents.tables[number][kept].step) }
    }
    return steps
  }

  /// Copies the steps of a finished file whose rows can all be read; returns how many.
  private static func copyWholeSteps(
    _ opened: Opened, to store: ChunkStore
  ) throws(SnapshotError) -> Int {
    let damaged = try damagedSteps(opened)
    let count = opened.contents.steps.count
    guard !damaged.isEmpty else {
      try RowCopy.appendSteps(count, of: opened, to: store)
      return count
    }
    let kept = (0..<count).filter { !damaged.contains($0) }
    try StepCopy(sources: [opened], to: store).append(
      kept.map { StepCopy.Step(parts: [.init(source: 0, step: $0)]) })
    return kept.count
  }

  /// The steps that have rows or members that cannot be read.
  private static func damagedSteps(_ opened: Opened) throws(SnapshotError) -> Set<Int> {
    var damaged: Set<Int> = []
    let source = opened.source
    for (number, table) in opened.declaration.layout.tables.enumerated() {
      let steps = opened.contents.tables[number]
      func note(_ position: Int, _ ranges: [Range<Int>]) throws(SnapshotError) {
        let rows = try source.damagedRows(position, rows: 0..<(ranges.last?.upperBound ?? 0))
        damaged.formUnion(places(of: rows, in: ranges).map { steps[$0].step })
      }
      for position in table.perObservation { try note(position, steps.map(\.rows)) }
      guard let columns = table.members else { continue }
      let members = try MemberRows(opened, table: number, columns)
      damaged.formUnion(members.unknown.map { steps[$0].step })
      for position in columns.all.dropFirst() { try note(position, members.ranges) }
    }
    return damaged
  }

  /// The ranges that share rows with any of others; both ascend.
  private static func places(of rows: [Range<Int>], in ranges: [Range<Int>]) -> Set<Int> {
    var found: Set<Int> = []
    var first = 0
    for part in rows {
      while first < ranges.count, ranges[first].upperBound <= part.lowerBound { first += 1 }
      let meeting = ranges.indices[first...].prefix { ranges[$0].lowerBound < part.upperBound }
      found.formUnion(meeting.filter { !ranges[$0].isEmpty })
    }
    return found
  }
}
