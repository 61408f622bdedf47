private import Foundation
internal import HDF5

/// The HDF5 file of a snapshot in the making: its datasets, and the rows of each that wait for a whole chunk.
///
/// Whole chunks are encoded and written behind the caller; the last, partly filled ones when the file is finished.
/// One caller at a time.
final class ChunkStore {
  /// A column's rows.
  struct ColumnState {
    /// Rows that count.
    var rows = 0
    /// Rows whose chunks are written or under way: whole chunks.
    var chunked = 0
    /// The rows from `chunked` on; nil until there are any.
    fileprivate var rest: RowBuffer?

    var tail: UnsafeRawBufferPointer { rest?.bytes ?? .init(start: nil, count: 0) }
  }

  /// A column's sizes, at hand for every step.
  struct Geometry {
    var rowBytes: Int
    var chunkRows: Int
    var chunkBytes: Int
  }

  let path: String
  let columns: [Column]
  let geometry: [Geometry]
  private(set) var states: [ColumnState]
  /// Filters that whole chunks of a column skip.
  let masks: [UInt32]
  private var file: File?
  private let shared: Shared
  private let pipeline: ChunkPipeline
  private let memory: RowMemory
  /// Where `writeWhole` encodes.
  private var scratch = UnsafeMutableRawBufferPointer(start: nil, count: 0)

  /// What the pipeline's threads use. @unchecked: datasets are used by one thread at a time (the pipeline's writer, or the
  /// caller while nothing is under way), and `lock` guards the rest.
  private final class Shared: @unchecked Sendable {
    var datasets: [ColumnDataset] = []
    let path: String
    /// Why libhdf5 could not write. It is not asked again: after a full disk 1.10 forgets chunks, or worse.
    private var breakage: SnapshotError?
    private let lock = NSLock()
    /// Held while what is left of a nearly full disk is counted on, or taken.
    let room = NSLock()
    private var chunks: [(column: Int, row: Int, chunk: StoredChunk)] = []

    /// Opened once the file is there.
    private lazy var bytes = StoreBytes(path)

    init(path: String) { self.path = path }

    /// More than a journal grows by while a chunk is written.
    private static let plenty = 2 << 30

    /// As below, from an array.
    func write(
      _ position: Int, _ stored: [UInt8], row: Int, rows: Int, mask: UInt32
    ) throws(SnapshotError) -> StoredChunk {
      try stored.withRawBytes { bytes throws(SnapshotError) in
        try write(position, bytes, row: row, rows: rows, mask: mask)
      }
    }

    /// Makes room for rows that come next.
    func extend(_ position: Int, to rows: Int) throws(SnapshotError) {
      try attempt { () throws(HDF5Error) in try datasets[position].extend(to: rows) }
    }

    /// Drops rows that a step which could be written only in part has left.
    func cut(_ position: Int, to rows: Int) throws(SnapshotError) {
      try attempt { () throws(HDF5Error) in try datasets[position].cut(to: rows) }
    }

    /// Writes a chunk, if there is room for it and nobody of ours takes the room meanwhile.
    func write(
      _ position: Int, _ stored: UnsafeRawBufferPointer, row: Int, rows: Int, mask: UInt32
    ) throws(SnapshotError) -> StoredChunk {
      let isScarce = !FreeSpace.isThere(for: Self.plenty, beside: path)
      if isScarce { room.lock() }
      defer { if isScarce { room.unlock() } }
      guard !isScarce || FreeSpace.isThere(for: stored.count, beside: path) else {
        throw SnapshotError(number: ENOSPC, "cannot write", path)
      }
      return try attempt { () throws(HDF5Error) in
        try datasets[position].write(stored, row: row, rows: rows, mask: mask, in: bytes)
      }
    }

    /// Asks libhdf5, unless it has failed before.
    private func attempt<R>(_ body: () throws(HDF5Error) -> R) throws(SnapshotError) -> R {
      if let breakage { throw breakage }
      do throws(HDF5Error) {
        return try body()
      } catch {
        let failure = SnapshotError(error)
        breakage = failure
        throw failure
      }
    }

    func note(_ column: Int, _ row: Int, _ chunk: StoredChunk) {
      lock.withLock { chunks.append((column, row, chunk)) }
    }

    func takeChunks() -> [(column: Int, row: Int, chunk: StoredChunk)] {
      lock.withLock {
        defer { chunks = [] }
        return chunks
      }
    }
  }

  /// Most bytes of chunks under way.
  private static let capacity = 32 << 20

  /// Creates the file with all its objects.
  ///
  /// - Parameter path: must not exist.
  init(
    creating path: String, _ declaration: Declaration, compression: Writer.Compression
  ) throws(SnapshotError) {
    self.path = path
    let columns = declaration.layout.columns
    self.columns = columns
    geometry = columns.map {
      Geometry(
        rowBytes: max(1, $0.rowBytes), chunkRows: $0.chunkRows, chunkBytes: $0.chunkBytes)
    }
    states = columns.map { _ in ColumnState() }
    let shared = Shared(path: path)
    self.shared = shared
    let streams = Set(declaration.layout.tables.flatMap(\.streams))
    let masks = columns.indices.map { streams.contains($0) ? compression.wholeChunkMask : 0 }
    self.masks = masks
    let codecs = zip(columns, masks).map { $0.wholeChunkCodec(mask: $1) }
    let memory = RowMemory()
    self.memory = memory
    pipeline = ChunkPipeline(
      capacity: Self.capacity,
      encode: { task in
        let codec = codecs[task.column]
        let stored = RowBuffer(capacity: codec.longest(task.source.count), in: memory)
        task.source.withBytes { rows in stored.fill { codec.encode(rows, into: $0) } }
        return stored
      },
      write: { task, stored throws(SnapshotError) in
        let chunk = try shared.write(
          task.column, stored.bytes, row: task.row, rows: columns[task.column].chunkRows,
          mask: masks[task.column])
        shared.note(task.column, task.row, chunk)
      })
    do throws(HDF5Error) {
      let file = try File.create(at: path)
      // For its owner alone, before anything is in it: gradients are personal data. (A file made beforehand and
      // truncated by libhdf5 would be flushed to the disk when it is closed, as ext4 does.)
      chmod(path, 0o600)
      shared.datasets = try Skeleton.create(declaration, in: file)
      self.file = consume file
    } catch {
      throw SnapshotError(error)
    }
  }

  /// Most bytes that `finish` writes.
  var reserveBytes: Int {
    columns.reduce(Self.capacity) { $0 + ($1.chunkRows > 1 ? $1.chunkBytes : 0) }
  }

  /// What stopped the writing of chunks, if anything did.
  var failure: SnapshotError? { pipeline.failure }

  /// Adds rows that count from now on.
  func append(_ bytes: UnsafeRawBufferPointer, to position: Int) {
    append(bytes, of: nil, to: position, &states[position])
  }

  /// What `writeWhole` has written of a part.
  typealias Written = (chunks: Int, taken: Int)

  /// Adds the rows of a step.
  ///
  /// - Parameters:
  ///   - arrays: those that parts are of; their chunks are not copied.
  ///   - written: for each part; empty for nothing.
  func append(_ parts: [StepParts.Bytes], of arrays: [TableRows.Values], written: [Written]) {
    // Looked up once, not for every column of every step.
    states.withUnsafeMutableBufferPointer { states in
      for (number, part) in parts.enumerated() {
        let (chunks, taken) = written.isEmpty ? (0, 0) : written[number]
        guard chunks > 0 else {
          append(
            part.bytes, of: part.array.map { arrays[$0] }, to: part.column, &states[part.column])
          continue
        }
        let size = geometry[part.column]
        states[part.column].rest?.removeAll()
        states[part.column].chunked += chunks * size.chunkRows
        states[part.column].rows += taken / size.rowBytes
        append(
          .init(rebasing: part.bytes[taken...]), of: nil, to: part.column, &states[part.column])
      }
    }
  }

  private func append(
    _ bytes: UnsafeRawBufferPointer, of values: TableRows.Values?, to position: Int,
    _ state: inout ColumnState
  ) {
    let size = geometry[position]
    var offset = 0
    while state.tail.count + bytes.count - offset >= size.chunkBytes {
      let source: ChunkPipeline.Source
      if state.rest == nil, let values {
        source = .values(values, offset: offset, count: size.chunkBytes)
        offset += size.chunkBytes
      } else {
        let rest = state.rest ?? RowBuffer(capacity: size.chunkBytes, in: memory)
        let missing = rest.room
        rest.append(.init(rebasing: bytes[offset..<offset + missing]))
        source = .rows(rest)
        state.rest = nil
        offset += missing
      }
      pipeline.submit(.init(column: position, row: state.chunked, source: source))
      state.chunked += size.chunkRows
    }
    if offset < bytes.count {
      let rest = state.rest ?? RowBuffer(capacity: size.chunkBytes, in: memory)
      rest.append(.init(rebasing: bytes[offset...]))
      state.rest = rest
    }
    state.rows += bytes.count / size.rowBytes
  }

  /// Adds a whole chunk in its stored form; the column must have whole chunks so far.
  func append(stored: [UInt8], mask: UInt32, to position: Int) throws(SnapshotError) {
    precondition(states[position].tail.isEmpty, "a stored chunk after a part of one")
    // Chunks are written in order.
    try pipeline.drain()
    let row = states[position].chunked
    let rows = columns[position].chunkRows
    let chunk = try shared.write(position, stored, row: row, rows: rows, mask: mask)
    shared.note(position, row, chunk)
    states[position].chunked += rows
    states[position].rows += rows
  }

  /// Writes the whole chunks that these rows would complete, without counting them yet.
  ///
  /// - Returns: where the chunks lie, and how many of the bytes they took.
  func writeWhole(
    _ bytes: UnsafeRawBufferPointer, to position: Int
  ) throws(SnapshotError) -> (chunks: [StoredChunk], taken: Int) {
    let column = columns[position]
    let state = states[position]
    let codec = column.wholeChunkCodec(mask: masks[position])
    var chunks: [StoredChunk] = []
    var taken = 0
    // Fresh memory for each chunk would cost more than the copy: the system hands it out page by page.
    if scratch.count < codec.longest(column.chunkBytes) {
      scratch.deallocate()
      scratch = .allocate(byteCount: codec.longest(column.chunkBytes), alignment: 64)
    }
    let count = (state.tail.count + bytes.count) / column.chunkBytes
    try shared.extend(position, to: state.chunked + count * column.chunkRows)
    while chunks.count < count {
      var stored: UnsafeRawBufferPointer
      if chunks.isEmpty, !state.tail.isEmpty {
        let missing = column.chunkBytes - state.tail.count
        let joined = Array(state.tail) + bytes[..<missing]
        let length = joined.withUnsafeBytes { codec.encode($0, into: scratch) }
        stored = UnsafeRawBufferPointer(rebasing: scratch[..<length])
        taken = missing
      } else {
        // Without filters the rows are written from where they are.
        stored = UnsafeRawBufferPointer(rebasing: bytes[taken..<taken + column.chunkBytes])
        if !codec.filters.isEmpty {
          let length = codec.encode(stored, into: scratch)
          stored = UnsafeRawBufferPointer(rebasing: scratch[..<length])
        }
        taken += column.chunkBytes
      }
      let row = state.chunked + chunks.count * column.chunkRows
      chunks.append(
        try shared.write(
          position, stored, row: row, rows: column.chunkRows, mask: masks[position]))
    }
    return (chunks, taken)
  }

  /// Where chunks lie that were written since this was last asked.
  func takeChunks() -> [(column: Int, row: Int, chunk: StoredChunk)] { shared.takeChunks() }

  /// Takes space of the disk that no chunk's writing has counted on.
  func takingRoom<R>(
    _ body: () throws(SnapshotError) -> R
  ) throws(SnapshotError) -> R {
    shared.room.lock()
    defer { shared.room.unlock() }
    return try body()
  }

  /// Waits until all chunks handed over are written.
  func drain() throws(SnapshotError) { try pipeline.drain() }

  /// Makes the chunks written so far durable.
  func synchronize() throws(SnapshotError) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw SnapshotError(number: errno, "cannot synchronize", path) }
    defer { _ = close(descriptor) }
    try OutputFile.synchronize(descriptor, path)
  }

  /// Writes the last chunks and closes the file, which is a whole snapshot then.
  func finish(
    _ status: RunStatus, sessions: [Session], captures: [CaptureReport]
  ) throws(SnapshotError) {
    try pipeline.drain()
    let (states, columns, shared) = (self.states, self.columns, self.shared)
    let tails = columns.indices.filter { !states[$0].tail.isEmpty }
    for position in columns.indices { try shared.cut(position, to: states[position].chunked) }
    // Encoded on all cores, some at a time; written in order.
    for start in stride(from: 0, to: tails.count, by: 64) {
      let part = Array(tails[start..<min(start + 64, tails.count)])
      let encoded = Parallel.map(part.count) { index -> [UInt8] in
        let position = part[index]
        // HDF5 stores whole chunks only: the last one is padded with its fill value, zero.
        let missing = columns[position].chunkBytes - states[position].tail.count
        let padded = Array(states[position].tail) + [UInt8](repeating: 0, count: missing)
        return padded.withUnsafeBytes { columns[position].codec.encode($0) }
      }
      for (position, stored) in zip(part, encoded) {
        let state = states[position]
        _ = try shared.write(
          position, stored, row: state.chunked, rows: state.rows - state.chunked, mask: 0)
      }
    }
    try translating { () throws(HDF5Error) in
      guard let file = file.take() else { return }
      try Skeleton.finish(file, sessions: sessions, captures: captures, status: status)
      // Datasets must be closed before their file.
      shared.datasets = []
      try file.close()
    }
    pipeline.end()
  }

  deinit {
    pipeline.end()
    scratch.deallocate()
    shared.datasets = []
  }
}

extension Column {
  /// Encodes chunks with every filter.
  var codec: ChunkCodec { wholeChunkCodec(mask: 0) }

  /// Encodes chunks with all filters but those that are skipped.
  func wholeChunkCodec(mask: UInt32) -> ChunkCodec {
    let active = filters.enumerated().filter { mask & (1 << UInt32($0.offset)) == 0 }
    guard let codec = ChunkCodec(filters: active.map(\.element), elementSize: type.size) else {
      preconditionFailure("a writer's filters are all our own")
    }
    return codec
  }
}

/// Independent work on every core.
enum Parallel {
  static func map<R: Sendable>(_ count: Int, _ body: @Sendable (Int) -> R) -> [R] {
    guard count > 1 else { return (0..<count).map(body) }
    // Each index is written once, by the thread that computed it.
    return [R?](unsafeUninitializedCapacity: count) { buffer, initialized in
      nonisolated(unsafe) let base = buffer.baseAddress!
      DispatchQueue.concurrentPerform(iterations: count) { index in
        (base + index).initialize(to: body(index))
      }
      initialized = count
    }.compactMap { $0 }
  }
}
