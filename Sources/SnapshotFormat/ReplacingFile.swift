private import Foundation

/// An output that appears under its name only when it is whole: written beside it, renamed over it at the end,
/// removed if that never comes.
public struct ReplacingFile: ~Copyable {
  /// The name that the output will have.
  public let destination: String
  /// Where it is written until then, in the same folder.
  public let temporary: String

  /// Checks that the output may be written.
  ///
  /// - Throws: `exists` unless `force`; `notFound` or `permission` for its folder.
  package static func check(_ destination: String, force: Bool) throws(SnapshotError) {
    let folder = (destination as NSString).deletingLastPathComponent
    var isFolder: ObjCBool = false
    let manager = FileManager.default
    guard manager.fileExists(atPath: folder.isEmpty ? "." : folder, isDirectory: &isFolder),
      isFolder.boolValue
    else {
      throw SnapshotError(
        code: .notFound, file: destination, message: "cannot write: its folder does not exist",
        remedy: "Create the folder, or choose another name.")
    }
    if manager.fileExists(atPath: destination, isDirectory: &isFolder), isFolder.boolValue {
      throw SnapshotError(
        code: .exists, file: destination, message: "expected a file, found a folder",
        remedy: "Name a file to write.")
    }
    // A link is something, too, wherever it leads: the rename would take its place.
    var status = stat()
    guard force || lstat(destination, &status) != 0 else {
      throw SnapshotError(
        code: .exists, file: destination, message: "already exists",
        remedy: "Choose another name, or replace it with --force.")
    }
    // The rename would put a file in place of a device such as /dev/null, for everyone.
    guard stat(destination, &status) != 0 || status.st_mode & S_IFMT == S_IFREG else {
      throw SnapshotError(
        code: .exists, file: destination,
        message: "expected a file to replace, found a pipe or a device",
        remedy: "Name a file to write.")
    }
  }

  /// Checks, and creates the file beside it.
  ///
  /// - Throws: as `check`; `permission` or `noSpace` if no file can be made there.
  public init(_ destination: String, force: Bool) throws(SnapshotError) {
    try Self.check(destination, force: force)
    let folder = (destination as NSString).deletingLastPathComponent
    // access(2) would say yes to root on a read-only mount; creating the file is the only honest test.
    let name = (destination as NSString).lastPathComponent
    let temporary = (folder as NSString).appendingPathComponent(".\(name).\(getpid()).partial")
    unlink(temporary)
    let descriptor = open(temporary, O_CREAT | O_EXCL | O_WRONLY, 0o600)
    guard descriptor >= 0 else {
      throw SnapshotError(number: errno, "cannot write", destination)
    }
    _ = close(descriptor)
    self.destination = destination
    self.temporary = temporary
  }

  /// Makes the output appear under its name, on disk before the rename.
  public consuming func commit() throws(SnapshotError) {
    let descriptor = open(temporary, O_RDONLY)
    if descriptor >= 0 {
      fsync(descriptor)
      _ = close(descriptor)
    }
    guard rename(temporary, destination) == 0 else {
      throw SnapshotError(number: errno, "cannot rename", destination)
    }
  }

  // After a commit there is nothing left under this name.
  deinit { unlink(temporary) }
}
