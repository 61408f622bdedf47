internal import ArgumentParser
private import Foundation
internal import SnapshotFormat

/// Names of inputs and outputs, and outputs that are text.
enum Files {
  /// `run.h5` -> `run` + suffix, in the same folder; `run.analysis.h5` -> `run` + suffix.
  static func sibling(of path: String, _ suffix: String) -> String {
    var stem = path
    for ending in [".analysis.h5", ".h5", ".hdf5"] where stem.hasSuffix(ending) {
      stem.removeLast(ending.count)
      break
    }
    return stem + suffix
  }

  static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

  /// An error number in words, such as `no space left on device`.
  static func reason(_ number: Int32) -> String {
    String(cString: strerror(number)).lowercased()
  }

  /// Refuses an empty name, as an unset shell variable gives.
  static func requireName(_ path: String?, _ argument: String) throws(ValidationError) {
    guard path?.isEmpty == true else { return }
    throw ValidationError("\(argument): expected the name of a file, found an empty one.")
  }

  /// Refuses a text file that cannot be read.
  static func requireReadable(_ path: String) throws(SnapshotError) {
    let descriptor = open(path, O_RDONLY)
    guard descriptor >= 0 else {
      throw SnapshotError(
        code: errno == ENOENT ? .notFound : .permission, file: path,
        message: "cannot read: \(reason(errno))", remedy: "Check the path.")
    }
    _ = close(descriptor)
  }

  /// Refuses an input that cannot be a file of ours, before libhdf5 puzzles over it.
  static func requireInput(_ path: String) throws(SnapshotError) {
    func failure(_ code: SnapshotError.Code, _ message: String, _ remedy: String) -> SnapshotError {
      SnapshotError(code: code, file: path, message: message, remedy: remedy)
    }
    var status = stat()
    guard stat(path, &status) == 0 else {
      guard errno == ENOENT else {
        throw failure(.permission, "cannot read: \(reason(errno))", "Check the path.")
      }
      guard !exists(Names.journal(of: path)) else {
        throw failure(
          .notFound, "expected a file, found an unfinished recording of this name",
          "Wait for its recorder; if it died, make a file with ptoken-inspect recover \(path).")
      }
      let other = path + ".h5"
      throw failure(
        .notFound, "expected a file, found nothing",
        exists(other) ? "Did you mean \(other)?" : "Check the path.")
    }
    switch status.st_mode & S_IFMT {
    case S_IFREG: break
    case S_IFDIR: throw failure(.notOurs, "expected a file, found a folder", "Name a file in it.")
    default:
      throw failure(
        .notOurs, "expected a regular file, found a pipe or a device", "Save it to a file first.")
    }
    let descriptor = open(path, O_RDONLY)
    guard descriptor >= 0 else {
      throw failure(
        .permission, "cannot read: \(reason(errno))",
        "Check the permissions of the file and its folder.")
    }
    _ = close(descriptor)
    guard status.st_size > 0 else {
      throw failure(.truncated, "expected an HDF5 file, found an empty file", "Copy it again.")
    }
  }

  /// Refuses an output that would overwrite what is read, even with `--force`.
  static func requireOther(_ output: String, than input: String) throws(SnapshotError) {
    var (first, second) = (stat(), stat())
    let isSame =
      if stat(output, &first) == 0, stat(input, &second) == 0 {
        first.st_dev == second.st_dev && first.st_ino == second.st_ino
      } else {
        URL(filePath: output).standardizedFileURL == URL(filePath: input).standardizedFileURL
      }
    guard isSame else { return }
    throw SnapshotError(
      code: .exists, file: output, message: "expected an output of its own, found \(input) itself",
      remedy: "Choose another name with --output.")
  }

  /// Writes text so that it appears whole or not at all.
  static func write(_ text: String, to path: String, force: Bool) throws(SnapshotError) {
    let output = try ReplacingFile(path, force: force)
    let descriptor = open(output.temporary, O_WRONLY)
    let failure = descriptor < 0 ? errno : write(Array(text.utf8), to: descriptor)
    if descriptor >= 0 { _ = close(descriptor) }
    if let failure { throw SnapshotError(number: failure, "cannot write", path) }
    try output.commit()
  }

  /// Writes everything; the error number that stopped it, or nil.
  static func write(_ bytes: [UInt8], to descriptor: Int32) -> Int32? {
    bytes.withUnsafeBytes { bytes in
      var done = 0
      while done < bytes.count {
        let count = Foundation.write(descriptor, bytes.baseAddress! + done, bytes.count - done)
        if count > 0 {
          done += count
        } else if errno == EAGAIN {
          // Another program made the terminal or pipe that we share non-blocking.
          var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
          poll(&waiting, 1, -1)
        } else if errno != EINTR {
          return errno
        }
      }
      return nil
    }
  }

  /// A value as JSON with sorted keys in snake case, as everywhere in our files.
  static func json(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }
}
