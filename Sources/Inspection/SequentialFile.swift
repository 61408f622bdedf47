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
      // A spreadsheet takes a field that begins so for a formula.
      let safe =
        field.first.map { "=+@\t".contains($0) } == true ? "'" + field : field
      let isPlain = !safe.contains { "\",\r\n".contains($0) || $0 == "\r\n" }
      return isPlain ? safe : "\"" + safe.replacing("\"", with: "\"\"") + "\""
    }
    try write((fields.joined(separator: ",") + "\r\n").utf8)
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
