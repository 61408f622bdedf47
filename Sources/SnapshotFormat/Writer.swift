private import Foundation
internal import HDF5

/// Writes one snapshot file, step by step.
///
/// A step is appended whole or not at all, and is safe once `append` returns: if the process dies, the journal beside the
/// file has it, and `ptoken-inspect recover` makes a file of it. The file appears under its name when it is closed. A
/// writer that is dropped without `close` closes as crashed. Not thread-safe: one caller at a time.
public final class Writer {
  /// How streams are compressed. Columns of steps, observations and members are always zstd.
  public enum Compression: String, Sendable, CaseIterable {
    /// Whole chunks as they are, without a checksum; the last chunk, partly filled, is deflated and has one.
    case none
    /// Shuffle and zlib's deflate at level 4; for readers without Zstandard.
    case deflate
    /// Shuffle and Zstandard at level 3.
    case zstd

    var filters: [Filter] {
      switch self {
      case .none: [.shuffle, .deflate(1), .fletcher32]
      case .deflate: [.shuffle, .deflate(4), .fletcher32]
      case .zstd: [.shuffle, .zstd(3), .fletcher32]
      }
    }

    /// Filters that whole chunks skip: bit i for filter i.
    var wholeChunkMask: UInt32 { self == .none ? 0b111 : 0 }
  }

  /// What a loss of power may cost. The death of the process costs nothing in any case.
  public enum Synchronization: Sendable, Equatable {
    /// Nothing: each step is on stable storage when `append` returns.
    case commit
    /// The steps of the last so many seconds.
    case interval(seconds: Double)
    /// What the operating system had not written yet, the finished file included.
    case never
  }

  /// Name that the file will have once it is closed.
  public let path: String
  let declaration: Declaration
  let layout: Layout
  private let compression: Compression
  private let synchronization: Synchronization
  private var store: ChunkStore?
  private var journal: JournalWriter?
  private var reserve: SpaceReserve?
  private var update = JournalUpdate()
  /// Where every chunk lies that the journal has named.
  private var chunks: [(column: Int, row: Int, chunk: StoredChunk)] = []
  private(set) var lastIndex = Int.min
  private var lastSynchronized = ContinuousClock.now
  /// Steps of the finished, complete file that is gone on with; nil for any other recording.
  var completeSteps: Int?
  /// What went wrong after a step was committed.
  private var deferred: SnapshotError?
  /// Set when a step could be written only in part: nothing may follow it.
  private var isTorn = false

  /// Steps committed so far, those of earlier sessions included.
  public private(set) var committedSteps = 0
  /// The tables, in order.
  public var tables: [TableDescription] { declaration.tables }
  /// The last step of the session before, where a recording was resumed.
  public private(set) var resumedAfter: StepDescription?

  /// Starts a file.
  ///
  /// - Parameters:
  ///   - path: name that the file will have once it is closed.
  ///   - rank: rank of this process among those that record the run.
  ///   - recordsFrozenLayers: whether the file says which layers are frozen at each step.
  ///   - force: replace an existing file, and discard an unfinished recording of this name.
  /// - Throws: `SnapshotError`: `exists`, `notFound`, `permission`, `noSpace`; `invalid` for a description
  ///   that the specification does not allow.
  public convenience init(
    path: String, run: RunDescription, tables: [TableDescription],
    compression: Compression = .zstd, synchronization: Synchronization = .interval(seconds: 5),
    rank: UInt16 = 0, recordsFrozenLayers: Bool = false, force: Bool = false
  ) throws(SnapshotError) {
    let json = try DescriptionRules.check(run: run, tables: tables, file: path)
    var declaration = Declaration()
    declaration.run = run
    declaration.tables = tables
    declaration.json = json
    declaration.sessions = [
      Session(firstStep: 0, started: run.created, cutBytes: 0, rank: rank)
    ]
    declaration.layout = Layout(
      tables: tables, layers: recordsFrozenLayers ? declaration.json.layers?.count : nil,
      compression: compression)
    try ReplacingFile.check(path, force: force)
    try Leftovers.clear(for: path, force: force)
    try self.init(
      path: path, declaration: declaration, compression: compression,
      synchronization: synchronization, journalPath: Names.journal(of: path),
      storePath: Names.store(of: path))
    try start()
  }

  /// Creates journal and store.
  init(
    path: String, declaration: Declaration, compression: Compression,
    synchronization: Synchronization, journalPath: String, storePath: String
  ) throws(SnapshotError) {
    self.path = path
    self.declaration = declaration
    self.compression = compression
    self.synchronization = synchronization
    layout = declaration.layout
    do throws(SnapshotError) {
      journal = try JournalWriter.create(
        journalPath, declaration, compression, store: storePath)
    } catch {
      throw error.naming(path)
    }
    do throws(SnapshotError) {
      // Without a journal of ours it is a leftover.
      unlink(storePath)
      let store = try ChunkStore(creating: storePath, declaration, compression: compression)
      reserve = try SpaceReserve(beside: storePath, for: path, bytes: store.reserveBytes)
      self.store = store
    } catch {
      unlink(journalPath)
      unlink(storePath)
      journal = nil
      throw error.naming(path)
    }
  }

  /// Makes an empty recording known: from here on a crash leaves a journal that can be read.
  private func start() throws(SnapshotError) {
    do throws(SnapshotError) {
      update.reset()
      try journal!.append(update, steps: 0)
      if synchronization != .never {
        try journal!.synchronize()
        OutputFile.synchronizeFolder(of: path)
      }
    } catch {
      discard()
      throw error.naming(path)
    }
  }

  /// Bytes of the file so far, and of the rows that are to become chunks of it.
  public var bytes: Int {
    guard let store else { return 0 }
    var status = stat()
    let stored = stat(store.path, &status) == 0 ? Int(status.st_size) : 0
    return store.states.reduce(stored) { $0 + $1.tail.count }
  }

  /// Refuses a name that a recording cannot have, before there is anything to record.
  ///
  /// - Throws: as `init`; nothing is changed.
  public static func requireFree(_ path: String, force: Bool) throws(SnapshotError) {
    try ReplacingFile.check(path, force: force)
    try Leftovers.requireNone(for: path, force: force)
  }

  /// Appends and commits one step with the rows of the tables that took part.
  ///
  /// - Throws: `rowMismatch` before anything is written, if rows do not fit their table;
  ///   `noSpace` or `failed` if the file cannot grow: then `close(.interrupted)` keeps the earlier steps.
  public func append(_ step: StepDescription, rows: [TableRows]) throws(SnapshotError) {
    guard let store else {
      throw SnapshotError(code: .failed, file: path, message: "the file is closed")
    }
    guard committedSteps < Limits.steps else {
      throw SnapshotError(
        code: .failed, file: path, message: "expected at most \(Limits.steps) steps",
        remedy: "Start another file.")
    }
    guard !isTorn else {
      throw SnapshotError(
        code: .failed, file: path, message: "an earlier step could not be written",
        remedy: "Close the file: every committed step is kept.")
    }
    try check(step, rows)
    try requireRoom(for: rows, in: store)
    do throws(SnapshotError) {
      if let failure = deferred ?? store.failure { throw failure }
      let parts = StepParts(step, rows, declaration, store)
      let arrays = parts.arrays
      try parts.withBytes { parts throws(SnapshotError) in try commit(parts, of: arrays, in: store)
      }
      committedSteps += 1
      lastIndex = step.index
    } catch {
      isTorn = true
      throw error.naming(path)
    }
    do throws(SnapshotError) {
      try synchronizeIfDue(store)
      try rotateIfDue(store)
    } catch {
      // This step is safe: the next one says it.
      deferred = error
    }
  }

  private func commit(
    _ parts: [StepParts.Bytes], of arrays: [TableRows.Values], in store: ChunkStore
  ) throws(SnapshotError) {
    update.reset()
    noteChunks(of: store)
    let written = try note(parts, of: store)
    if synchronization == .commit, written.contains(where: { $0.chunks > 0 }) {
      try store.synchronize()
    }
    try store.takingRoom { () throws(SnapshotError) in
      try journal!.append(update, steps: committedSteps + 1)
    }
    if synchronization == .commit { try journal!.synchronize() }
    // The step counts. What follows happens behind it.
    store.append(parts, of: arrays, written: written)
  }

  /// Puts rows in the next update, or whole chunks of them in the store.
  ///
  /// Uncompressed, whole chunks cost no more than the journal would: they are written once, at their place. They come
  /// after what is under way, so that the same rows give the same bytes.
  ///
  /// - Returns: what is in the store by now, for each part; empty where nothing can be.
  private func note(
    _ parts: [StepParts.Bytes], of store: ChunkStore
  ) throws(SnapshotError) -> [ChunkStore.Written] {
    // Theirs until this returns: the next change of them would copy all otherwise.
    let states = store.states
    var written: [ChunkStore.Written] = []
    var isDrained = false
    for part in parts {
      let size = store.geometry[part.column]
      let state = states[part.column]
      guard compression == .none, part.isStream,
        state.tail.count + part.bytes.count >= size.chunkBytes
      else {
        update.add(
          column: part.column, first: state.rows, rows: part.bytes.count / size.rowBytes,
          bytes: part.bytes)
        if compression == .none { written.append((0, 0)) }
        continue
      }
      if !isDrained { try store.drain() }
      isDrained = true
      let (whole, taken) = try store.writeWhole(part.bytes, to: part.column)
      written.append((whole.count, taken))
      for (number, chunk) in whole.enumerated() {
        add(part.column, state.chunked + number * size.chunkRows, chunk, of: store)
      }
      if taken < part.bytes.count {
        update.add(
          column: part.column, first: state.chunked + whole.count * size.chunkRows,
          rows: (part.bytes.count - taken) / size.rowBytes,
          bytes: UnsafeRawBufferPointer(rebasing: part.bytes[taken...]))
      }
    }
    return written
  }

  /// Names in the next update where chunks lie by now.
  private func noteChunks(of store: ChunkStore) {
    for (column, row, chunk) in store.takeChunks() { add(column, row, chunk, of: store) }
  }

  private func add(_ column: Int, _ row: Int, _ chunk: StoredChunk, of store: ChunkStore) {
    chunks.append((column, row, chunk))
    update.add(column: column, first: row, rows: store.geometry[column].chunkRows, chunk: chunk)
  }

  private func synchronizeIfDue(_ store: ChunkStore) throws(SnapshotError) {
    guard case .interval(let seconds) = synchronization,
      ContinuousClock.now - lastSynchronized >= .seconds(seconds)
    else { return }
    try store.synchronize()
    try journal!.synchronize()
    lastSynchronized = .now
  }

  // MARK: Rotation

  /// Fewest bytes of a journal that is begun anew.
  private static let shortestRotation = 32 << 20

  /// Begins a new journal where most of the present one is rows that lie in chunks by now.
  private func rotateIfDue(_ store: ChunkStore) throws(SnapshotError) {
    let tails = store.states.reduce(0) { $0 + $1.tail.count }
    let live = tails + chunks.count * (JournalFormat.segmentHead + JournalFormat.storedBody)
    guard journal!.length > max(Self.shortestRotation, 8 * live) else { return }
    try store.drain()
    if synchronization != .never { try store.synchronize() }
    let fresh = Names.journal(of: path) + ".new"
    unlink(fresh)
    do throws(SnapshotError) {
      try replaceJournal(by: fresh, store)
    } catch {
      // The present journal is whole; a full disk will show at the next step.
      unlink(fresh)
      guard error.code == .noSpace else { throw error }
    }
  }

  /// Writes a journal that holds everything so far and puts it in the place of the present one.
  private func replaceJournal(by fresh: String, _ store: ChunkStore) throws(SnapshotError) {
    let next = try JournalWriter.create(fresh, declaration, compression, store: store.path)
    try next.append(base(of: store), steps: committedSteps)
    if synchronization != .never { try next.synchronize() }
    guard rename(fresh, Names.journal(of: path)) == 0 else {
      throw SnapshotError(number: errno, "cannot rename", path)
    }
    if synchronization != .never { OutputFile.synchronizeFolder(of: path) }
    journal = next
  }

  /// An update that brings all rows: where the chunks lie, and the rows that are in none.
  private func base(of store: ChunkStore) -> JournalUpdate {
    for part in store.takeChunks() { chunks.append(part) }
    chunks.sort { ($0.column, $0.row) < ($1.column, $1.row) }
    var base = JournalUpdate()
    for (column, row, chunk) in chunks {
      base.add(column: column, first: row, rows: layout.columns[column].chunkRows, chunk: chunk)
    }
    for (position, state) in store.states.enumerated() where !state.tail.isEmpty {
      base.addCopy(
        column: position, first: state.chunked, rows: state.rows - state.chunked, bytes: state.tail)
    }
    return base
  }

  /// Takes over rows of an earlier recording before the first step is appended.
  func adopt(
    steps: Int, last: StepDescription?, copying body: (ChunkStore) throws(SnapshotError) -> Void
  ) throws(SnapshotError) {
    guard let store else { return }
    try body(store)
    committedSteps = steps
    resumedAfter = last
    lastIndex = last?.index ?? .min
    try store.drain()
    if synchronization != .never { try store.synchronize() }
    try journal!.append(base(of: store), steps: steps)
    if synchronization != .never { try journal!.synchronize() }
  }

  // MARK: The end

  /// Finishes the file and gives it its name.
  ///
  /// After a failed `append` this keeps every committed step and drops the torn one.
  ///
  /// - Parameter captures: what the file says about how it was recorded, after what it said already.
  /// - Throws: `noSpace` or `failed`; then the journal and the store stay, and recovery finds every committed step in them.
  public func close(
    _ status: RunStatus = .complete, captures: [CaptureReport] = []
  ) throws(SnapshotError) {
    guard let store else { return }
    guard status != .complete || completeSteps != committedSteps else {
      // Nothing was added to a file that is whole.
      discard()
      return
    }
    precondition(status != .recording, "a finished file is not being recorded")
    reserve = nil
    do throws(SnapshotError) {
      try store.finish(
        status, sessions: declaration.sessions, captures: declaration.captures + captures)
      if synchronization != .never { try store.synchronize() }
      guard rename(store.path, path) == 0 else {
        throw SnapshotError(number: errno, "cannot rename", path)
      }
    } catch {
      self.store = nil
      journal = nil
      var kept = error.naming(path)
      kept.remedy =
        "\(committedSteps) steps are safe in \(Names.journal(of: path)): free some space, then run ptoken-inspect recover \(path)."
      if kept.code != .noSpace {
        kept.remedy = kept.remedy.replacing("free some space, then run", with: "run")
      }
      throw kept
    }
    if synchronization != .never { OutputFile.synchronizeFolder(of: path) }
    unlink(Names.journal(of: path))
    self.store = nil
    journal = nil
  }

  /// Forgets the recording; its files are somebody else's concern.
  func abandon() {
    store = nil
    journal = nil
    reserve = nil
  }

  /// Ends without a file: nothing of this recording is left.
  public func discard() {
    guard let store else { return }
    let storePath = store.path
    self.store = nil
    reserve = nil
    unlink(Names.journal(of: path))
    unlink(storePath)
    journal = nil
  }

  deinit {
    if committedSteps > 0 {
      // Whoever dropped us does not listen; what cannot be finished stays recoverable.
      try? close(.crashed)
    } else {
      discard()
    }
  }
}

extension SnapshotError {
  /// The same error about the name that the user gave, not one beside it.
  func naming(_ path: String) -> SnapshotError {
    var error = self
    error.file = path
    return error
  }
}
