private import Foundation
internal import HDF5

/// Reads a journal frame by frame, as far as it goes; may be asked again when it has grown.
final class JournalReader {
  /// Rows that lie in the journal itself.
  struct Inline: Equatable {
    var first: Int
    var rows: Int
    /// Where their bytes are in the journal.
    var offset: Int
  }

  /// What a journal says of one column.
  struct ColumnIndex {
    var rows = 0
    var inline: [Inline] = []
    /// Stored chunks by their number.
    var stored: [Int: StoredChunk] = [:]
  }

  let path: String
  let head: JournalHead
  let declaration: Declaration
  let compression: Writer.Compression
  private let id: [UInt8]
  private let descriptor: Int32
  private(set) var columns: [ColumnIndex]
  /// Steps that are committed.
  private(set) var steps = 0
  /// Bytes of whole frames.
  private(set) var length: Int
  /// Bytes after them: a frame that was cut short, or that is being written now.
  private(set) var tornBytes = 0
  private var number: UInt64 = 1

  /// Opens a journal and reads it to its end.
  ///
  /// - Throws: `notFound`, `notOurs`, `newerVersion`, `invalid`.
  init(path: String) throws(SnapshotError) {
    self.path = path
    let (descriptor, head, end) = try Self.openHead(path)
    self.descriptor = descriptor
    self.head = head
    length = end
    id = Hexadecimal.bytes(head.id) ?? []
    guard let (declaration, compression) = head.declaration(), id.count == 16 else {
      _ = close(descriptor)
      if let version = FormatVersion(head.version), version.major != Names.version.major {
        throw SnapshotError(
          code: version.major > Names.version.major ? .newerVersion : .olderVersion, file: path,
          message: "expected version \(Names.version.major).x, found \(version)",
          remedy: "Use the ptoken that wrote it.", requirement: "R-102")
      }
      throw SnapshotError(
        code: .invalid, file: path, message: "expected a head as the specification describes it",
        requirement: "R-102")
    }
    self.declaration = declaration
    self.compression = compression
    columns = declaration.layout.columns.map { _ in ColumnIndex() }
    try advance()
  }

  /// Reads the frames that came since; true if there were any.
  @discardableResult
  func advance() throws(SnapshotError) -> Bool {
    let start = length
    let size = Self.size(of: descriptor)
    while let frame = try Self.frame(
      descriptor, at: length, size: size, number: number, kind: .update, salt: id, path)
    {
      try apply(frame, at: length + JournalFormat.frameHead)
      length += JournalFormat.frameHead + frame.count
      number += 1
    }
    tornBytes = max(0, size - length)
    return length > start
  }

  private func invalid(_ message: String) -> SnapshotError {
    SnapshotError(code: .invalid, file: path, message: message, requirement: "R-104")
  }

  /// Takes an update in.
  private func apply(_ payload: [UInt8], at offset: Int) throws(SnapshotError) {
    try payload.withRawBytes { bytes throws(SnapshotError) in
      guard bytes.count >= JournalFormat.updateHead else { throw invalid("expected an update") }
      let after = bytes.integer(at: 0, as: UInt64.self)
      let count = bytes.integer(at: 8, as: UInt64.self)
      guard after >= steps, after <= Limits.steps, number == 1 || after <= steps + 1 else {
        throw invalid("expected steps one by one, found \(after) after \(steps)")
      }
      var position = JournalFormat.updateHead
      for _ in 0..<count {
        position += try applySegment(bytes, at: position, journalOffset: offset)
      }
      guard position == bytes.count else {
        throw invalid("expected \(count) segments in \(bytes.count) bytes")
      }
      steps = Int(after)
    }
  }

  /// Takes a segment in; returns its bytes.
  private func applySegment(
    _ bytes: UnsafeRawBufferPointer, at position: Int, journalOffset: Int
  ) throws(SnapshotError) -> Int {
    let body = position + JournalFormat.segmentHead
    guard body <= bytes.count else { throw invalid("expected a whole segment") }
    let column = Int(bytes.integer(at: position, as: UInt32.self))
    let kind = JournalFormat.SegmentKind(
      rawValue: bytes.integer(at: position + 4, as: UInt32.self))
    let first = Int(clamping: bytes.integer(at: position + 8, as: UInt64.self))
    let rows = Int(clamping: bytes.integer(at: position + 16, as: UInt64.self))
    let length = Int(clamping: bytes.integer(at: position + 24, as: UInt64.self))
    guard columns.indices.contains(column), first <= Limits.observations,
      rows <= Limits.observations
    else { throw invalid("expected a segment of one of \(columns.count) columns") }
    let layout = declaration.layout.columns[column]
    switch kind {
    case .inline:
      guard first == columns[column].rows, length == rows * layout.rowBytes,
        length <= bytes.count - body
      else { throw invalid("expected rows that continue \(layout.path)") }
      columns[column].inline.append(
        Inline(first: first, rows: rows, offset: journalOffset + body))
      columns[column].rows += rows
      return JournalFormat.segmentHead + length
    case .stored:
      guard rows == layout.chunkRows, first % layout.chunkRows == 0,
        first <= columns[column].rows, length <= 2 * layout.chunkBytes + 65_536,
        JournalFormat.storedBody <= bytes.count - body
      else { throw invalid("expected a whole chunk of \(layout.path)") }
      columns[column].stored[first / layout.chunkRows] = StoredChunk(
        offset: bytes.integer(at: body), length: length, mask: bytes.integer(at: body + 8),
        checksum: bytes.integer(at: body + 12))
      columns[column].rows = max(columns[column].rows, first + rows)
      return JournalFormat.segmentHead + JournalFormat.storedBody
    case nil: throw invalid("expected a segment of kind 0 or 1")
    }
  }

  /// Reads bytes of the journal.
  func read(
    into buffer: UnsafeMutableRawBufferPointer, at offset: Int
  ) throws(SnapshotError) {
    guard Self.readAll(descriptor, into: buffer, at: offset) else {
      throw SnapshotError(code: .truncated, file: path, message: "the journal is cut off")
    }
  }

  deinit { _ = close(descriptor) }
}

// MARK: Files

extension JournalReader {
  /// Whether a recorder holds the journal.
  static func isLocked(_ path: String) -> Bool {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { _ = close(descriptor) }
    guard flock(descriptor, LOCK_SH | LOCK_NB) == 0 else { return true }
    flock(descriptor, LOCK_UN)
    return false
  }

  /// Whether a recorder died before the journal had its head: nothing was ever promised.
  static func isStillborn(_ path: String) -> Bool {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { _ = close(descriptor) }
    let magic = JournalFormat.magic
    let size = size(of: descriptor)
    var start = [UInt8](repeating: 0, count: min(size, magic.count))
    guard start.withUnsafeMutableBytes({ readAll(descriptor, into: $0, at: 0) }),
      start == Array(magic.prefix(start.count))
    else { return false }
    let head = try? frame(
      descriptor, at: magic.count, size: size, number: 0, kind: .head, salt: [], path)
    return (head ?? nil) == nil
  }

  /// The id of a journal, from its head alone; nil if it cannot be read.
  static func id(of path: String) -> String? {
    guard let (descriptor, head, _) = try? openHead(path) else { return nil }
    _ = close(descriptor)
    return head.id
  }

  /// The store that a journal names; nil if it cannot be read, or names a file that cannot be its own.
  static func storePath(_ path: String) -> String? {
    guard let (descriptor, head, _) = try? openHead(path) else { return nil }
    _ = close(descriptor)
    return storePath(path, head)
  }

  static func storePath(_ path: String, _ head: JournalHead) -> String? {
    guard Names.isJournal(path) else { return nil }
    let snapshot = Names.snapshot(of: path)
    let name = snapshot.split(separator: "/").last ?? ""
    guard head.store.hasPrefix(name + "."), !head.store.contains("/") else { return nil }
    return String(snapshot.dropLast(name.count)) + head.store
  }

  private static func openHead(
    _ path: String
  ) throws(SnapshotError) -> (Int32, JournalHead, end: Int) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      let number = errno
      if number == ENOENT {
        throw SnapshotError(code: .notFound, file: path, message: "expected a file, found nothing")
      }
      throw SnapshotError(number: number, "cannot read", path)
    }
    var isKept = false
    defer { if !isKept { _ = close(descriptor) } }
    var magic = [UInt8](repeating: 0, count: JournalFormat.magic.count)
    let isWhole = magic.withUnsafeMutableBytes { readAll(descriptor, into: $0, at: 0) }
    guard isWhole, magic == JournalFormat.magic else {
      throw SnapshotError(
        code: .notOurs, file: path, message: "expected a journal of ptoken, found another file",
        requirement: "R-100")
    }
    let start = JournalFormat.magic.count
    guard
      let payload = try frame(
        descriptor, at: start, size: size(of: descriptor), number: 0, kind: .head, salt: [], path),
      payload.count <= 4 * Limits.jsonBytes,
      let head = try? JSONDecoder().decode(JournalHead.self, from: Data(payload))
    else {
      throw SnapshotError(
        code: .invalid, file: path, message: "expected a head, found none that is whole",
        requirement: "R-101")
    }
    isKept = true
    return (descriptor, head, start + JournalFormat.frameHead + payload.count)
  }

  /// The payload of a frame; nil where the journal ends.
  private static func frame(
    _ descriptor: Int32, at offset: Int, size: Int, number: UInt64, kind: JournalFormat.FrameKind,
    salt: [UInt8], _ path: String
  ) throws(SnapshotError) -> [UInt8]? {
    let headSize = JournalFormat.frameHead
    guard offset + headSize <= size else { return nil }
    var head = [UInt8](repeating: 0, count: headSize)
    guard head.withUnsafeMutableBytes({ readAll(descriptor, into: $0, at: offset) }) else {
      return nil
    }
    let (length, isNext, checksum) = head.withUnsafeBytes {
      (
        $0.integer(at: 0, as: UInt64.self),
        $0.integer(at: 8, as: UInt64.self) == number
          && $0.integer(at: 16, as: UInt32.self) == kind.rawValue,
        $0.integer(at: 20, as: UInt32.self)
      )
    }
    // Never more than the file has, whatever it declares.
    guard isNext, length <= JournalFormat.longestPayload, Int(length) <= size - offset - headSize
    else { return nil }
    var isRead = false
    let payload = [UInt8](unsafeUninitializedCapacity: Int(length)) { buffer, count in
      let bytes = UnsafeMutableRawBufferPointer(
        rebasing: UnsafeMutableRawBufferPointer(buffer)[..<Int(length)])
      isRead = readAll(descriptor, into: bytes, at: offset + headSize)
      count = isRead ? Int(length) : 0
    }
    guard isRead else { return nil }
    let found = JournalFormat.checksum(
      salt,
      from: JournalFormat.checksum(payload, from: JournalFormat.checksum(Array(head[..<20]))))
    return found == checksum ? payload : nil
  }

  static func size(of descriptor: Int32) -> Int {
    var status = stat()
    return fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
  }

  /// Fills a buffer from a place in a file; false if the file ends before.
  static func readAll(
    _ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer, at offset: Int
  ) -> Bool {
    var done = 0
    while done < buffer.count {
      let count = pread(
        descriptor, buffer.baseAddress! + done, buffer.count - done, off_t(offset + done))
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return false }
      done += count
    }
    return true
  }
}
