private import Foundation
internal import SnapshotFormat

/// The key of record ids in a file of its own: whoever has it can tell whether a record took part.
enum KeyFile {
  /// The key of a file, which is made where it is missing; a fresh one without a file.
  static func key(_ path: String?) throws(SnapshotError) -> [UInt8] {
    var generator = SystemRandomNumberGenerator()
    let fresh = (0..<32).map { _ in UInt8.random(in: 0...255, using: &generator) }
    guard let path else { return fresh }
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL, 0o600)
    if descriptor >= 0 {
      defer { _ = close(descriptor) }
      if let failure = Files.write(Array((Hexadecimal.text(fresh) + "\n").utf8), to: descriptor) {
        unlink(path)
        throw SnapshotError(number: failure, "cannot write", path)
      }
      return fresh
    }
    guard errno == EEXIST else { throw SnapshotError(number: errno, "cannot write", path) }
    let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    guard let key = Hexadecimal.bytes(text.trimmingCharacters(in: .whitespacesAndNewlines)),
      key.count == 32
    else {
      throw SnapshotError(
        code: .invalid, file: path, message: "expected a key of 64 hexadecimal digits",
        remedy: "Name a file that ptoken-record made, or one that does not exist yet.")
    }
    return key
  }
}
