private import Foundation
internal import HDF5

/// The segments of one update: what a step brings, or where earlier rows lie now.
struct JournalUpdate {
  /// Heads and short rows, one after the other.
  fileprivate var arena: [UInt8] = []
  /// Long rows are not copied; each follows the arena's bytes up to `after`.
  fileprivate var borrowed: [(after: Int, bytes: UnsafeRawBufferPointer)] = []
  fileprivate(set) var segments = 0

  /// Rows shorter than this are copied: a system call's vector has its price too.
  static let shortest = 16 << 10

  /// Adds rows; long ones must stay where they are until the update is written.
  mutating func add(column: Int, first: Int, rows: Int, bytes: UnsafeRawBufferPointer) {
    addHead(column, .inline, first, rows, bytes.count)
    if bytes.count < Self.shortest {
      arena.append(contentsOf: bytes)
    } else {
      borrowed.append((arena.count, bytes))
    }
  }

  /// Adds rows as a copy, however long.
  mutating func addCopy(column: Int, first: Int, rows: Int, bytes: UnsafeRawBufferPointer) {
    addHead(column, .inline, first, rows, bytes.count)
    arena.append(contentsOf: bytes)
  }

  /// Adds where a chunk lies.
  mutating func add(column: Int, first: Int, rows: Int, chunk: StoredChunk) {
    addHead(column, .stored, first, rows, chunk.length)
    arena.append(littleEndian: chunk.offset)
    arena.append(littleEndian: chunk.mask)
    arena.append(littleEndian: chunk.checksum)
    arena.append(littleEndian: UInt64(0))
  }

  private mutating func addHead(
    _ column: Int, _ kind: JournalFormat.SegmentKind, _ first: Int, _ rows: Int, _ length: Int
  ) {
    segments += 1
    // One append: there is a head for every column of every step.
    let head = SIMD4<UInt64>(
      UInt64(column) | UInt64(kind.rawValue) << 32, UInt64(first), UInt64(rows), UInt64(length))
    let stored = SIMD4(
      head.x.littleEndian, head.y.littleEndian, head.z.littleEndian, head.w.littleEndian)
    withUnsafeBytes(of: stored) { arena.append(contentsOf: $0) }
  }

  /// Empties the update and keeps its memory.
  mutating func reset() {
    arena.removeAll(keepingCapacity: true)
    borrowed.removeAll(keepingCapacity: true)
    segments = 0
  }

  /// Passes the pieces on in their order.
  fileprivate func withPieces<R>(
    _ body: ([UnsafeRawBufferPointer]) throws(SnapshotError) -> R
  ) throws(SnapshotError) -> R {
    try arena.withRawBytes { bytes throws(SnapshotError) in
      var pieces: [UnsafeRawBufferPointer] = []
      var start = 0
      for (after, rows) in borrowed {
        pieces.append(UnsafeRawBufferPointer(rebasing: bytes[start..<after]))
        pieces.append(rows)
        start = after
      }
      pieces.append(UnsafeRawBufferPointer(rebasing: bytes[start...]))
      return try body(pieces)
    }
  }
}

/// Writes a journal, frame by frame; each is whole or not there.
final class JournalWriter {
  private var output: OutputFile
  private let id: [UInt8]
  private var number: UInt64 = 0
  /// Bytes so far.
  var length: Int { output.length }

  /// Creates a journal, locks it and writes its head.
  ///
  /// - Throws: `exists` if another process holds a journal of this name.
  static func create(
    _ path: String, _ declaration: Declaration, _ compression: Writer.Compression, store: String
  ) throws(SnapshotError) -> JournalWriter {
    var generator = SystemRandomNumberGenerator()
    let id = (0..<16).map { _ in UInt8.random(in: 0...255, using: &generator) }
    let writer = JournalWriter(try locked(path), id: id)
    let name = store.split(separator: "/").last.map(String.init) ?? store
    let head = JournalHead(declaration, compression: compression, id: id, store: name)
    let bytes = Array(JSONText.of(head).utf8)
    do throws(SnapshotError) {
      try JournalFormat.magic.withRawBytes { bytes throws(SnapshotError) in
        try writer.output.append([bytes])
      }
      try bytes.withRawBytes { bytes throws(SnapshotError) in
        try writer.write(.head, [bytes], salt: [])
      }
    } catch {
      unlink(path)
      throw error
    }
    return writer
  }

  private init(_ output: consuming OutputFile, id: [UInt8]) {
    self.output = output
    self.id = id
  }

  private static func locked(_ path: String) throws(SnapshotError) -> OutputFile {
    let output = try OutputFile(creating: path)
    guard output.lock() else {
      throw SnapshotError(
        code: .exists, file: path, message: "another recorder is writing it",
        remedy: "Choose another name.")
    }
    return output
  }

  /// Commits an update: from here on it survives this process.
  func append(_ update: borrowing JournalUpdate, steps: Int) throws(SnapshotError) {
    var start: [UInt8] = []
    start.append(littleEndian: UInt64(steps))
    start.append(littleEndian: UInt64(update.segments))
    let salt = id
    try update.withPieces { pieces throws(SnapshotError) in
      try start.withRawBytes { bytes throws(SnapshotError) in
        try write(.update, [bytes] + pieces, salt: salt)
      }
    }
  }

  private func write(
    _ kind: JournalFormat.FrameKind, _ pieces: [UnsafeRawBufferPointer], salt: [UInt8]
  ) throws(SnapshotError) {
    var head: [UInt8] = []
    head.append(littleEndian: UInt64(pieces.reduce(0) { $0 + $1.count }))
    head.append(littleEndian: number)
    head.append(littleEndian: kind.rawValue)
    var checksum = JournalFormat.checksum(head)
    for piece in pieces { checksum = JournalFormat.checksum(piece, from: checksum) }
    head.append(littleEndian: JournalFormat.checksum(salt, from: checksum))
    try head.withRawBytes { bytes throws(SnapshotError) in
      try output.append([bytes] + pieces)
    }
    number += 1
  }

  /// Waits until everything written is on stable storage.
  func synchronize() throws(SnapshotError) { try output.synchronize() }
}
