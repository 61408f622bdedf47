private import Foundation
internal import SnapshotFormat

/// A file that is written from its beginning to its end.
final class SequentialFile {
  let path: String
  private(set) var length = 0
  private let descriptor: Int32
  private var pending: [UInt8] = []

  init(_ path: String) throws(SnapshotError) {
    self.path = path
    descriptor = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC)
    guard descriptor >= 0 else { throw SnapshotError(number: errno, "cannot write", path) }
  }

  func write(_ bytes: some Collection<UInt8>) throws(SnapshotError) {
    pending.append(contentsOf: bytes)
    length += bytes.count
    if pending.count >= 1 << 20 { try flush() }
  }

  /// A line of comma-separated values (RFC 4180).
  func write(row: [String]) throws(SnapshotError) {
    let fields = row.map { field in
      // A spreadsheet takes a field that begins so for a formula; a number may begin with a minus.
      let isFormula =
        field.unicodeScalars.first.map { "=+@\t\r".unicodeScalars.contains($0) } == true
        || (field.utf8.first == UInt8(ascii: "-") && Double(field) == nil)
      let safe = isFormula ? "'" + field : field
      // By bytes: a mark that joins a quote or a comma to a character hides them from Swift's.
      let special = [UInt8]("\",\r\n".utf8)
      guard safe.utf8.contains(where: special.contains) else { return safe }
      let doubled = safe.unicodeScalars.reduce(into: "") { text, scalar in
        text.unicodeScalars.append(contentsOf: scalar == "\"" ? [scalar, scalar] : [scalar])
      }
      return "\"" + doubled + "\""
    }
    try write((fields.joined(separator: ",") + "\r\n").utf8)
  }

  /// Writes over bytes that were written before.
  func patch(_ bytes: [UInt8], at offset: Int) throws(SnapshotError) {
    try flush()
    let count = bytes.withUnsafeBytes {
      pwrite(descriptor, $0.baseAddress, $0.count, off_t(offset))
    }
    guard count == bytes.count else {
      throw SnapshotError(number: count < 0 ? errno : ENOSPC, "cannot write", path)
    }
  }

  private func flush() throws(SnapshotError) {
    var done = 0
    while done < pending.count {
      let count = pending.withUnsafeBytes {
        Foundation.write(descriptor, $0.baseAddress! + done, $0.count - done)
      }
      guard count > 0 else {
        if count < 0, errno == EINTR { continue }
        throw SnapshotError(number: count == 0 ? ENOSPC : errno, "cannot write", path)
      }
      done += count
    }
    pending.removeAll(keepingCapacity: true)
  }

  func close() throws(SnapshotError) { try flush() }

  deinit { _ = Foundation.close(descriptor) }
}
