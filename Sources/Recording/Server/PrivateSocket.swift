private import Foundation
public import SnapshotFormat
private import Synchronization

/// A listening Unix socket that only its user can reach: mode 0600, in a folder of mode 0700 (W-01).
public final class PrivateSocket: Sendable {
  /// What `PTOKEN_ENDPOINT` says: `unix:` and the path.
  public var endpoint: String { "unix:\(path)" }
  let descriptor: Int32
  private let path: String
  /// The folder that was made for it; nil where the caller named the socket.
  private let folder: String?
  /// Whether the name is ours to remove.
  private let isOurs = Atomic<Bool>(false)

  /// Creates a socket in a fresh private folder.
  ///
  /// - Throws: `SnapshotError` where no folder can be made.
  public convenience init() throws(SnapshotError) {
    let environment = ProcessInfo.processInfo.environment
    // A path in a socket's address has some hundred bytes; a deep TMPDIR does not fit.
    let candidates = [environment["XDG_RUNTIME_DIR"], environment["TMPDIR"], "/tmp"]
    var failure = SnapshotError(number: ENOENT, "cannot make a folder", "/tmp")
    for parent in candidates.compactMap({ $0 }) where !parent.isEmpty && parent.utf8.count < 70 {
      // mkdtemp writes the name that it has made into its argument.
      var name = Array("\(parent)/ptoken-XXXXXX".utf8CString)
      guard mkdtemp(&name) != nil else {
        failure = SnapshotError(number: errno, "cannot make a folder", parent)
        continue
      }
      let folder = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
      try self.init(path: folder + "/socket", folder: folder)
      return
    }
    throw failure
  }

  /// Creates a socket of a given name in a folder that nobody else can enter.
  ///
  /// - Throws: `SnapshotError`: `exists`; `permission` where others may enter the folder.
  public convenience init(path: String) throws(SnapshotError) {
    let parent = (path as NSString).deletingLastPathComponent
    var status = stat()
    guard stat(parent.isEmpty ? "." : parent, &status) == 0 else {
      throw SnapshotError(number: errno, "cannot find the folder of the socket", path)
    }
    guard status.st_uid == getuid(), status.st_mode & 0o077 == 0 else {
      throw SnapshotError(
        code: .permission, file: path,
        message: "expected a folder of your own that nobody else can enter (mode 0700)",
        remedy: "Choose another folder, or leave out --socket.")
    }
    guard access(path, F_OK) != 0 else {
      throw SnapshotError(
        code: .exists, file: path, message: "already exists",
        remedy: "Choose another name, or remove it if its recorder is gone.")
    }
    try self.init(path: path, folder: nil)
  }

  private init(path: String, folder: String?) throws(SnapshotError) {
    self.path = path
    self.folder = folder
    #if canImport(Darwin)
      descriptor = socket(AF_UNIX, SOCK_STREAM, 0)
    #else
      descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    #endif
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
      throw SnapshotError(
        code: .failed, file: path, message: "too long for the address of a socket",
        remedy: "Choose a shorter path.")
    }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    let size = socklen_t(MemoryLayout<sockaddr_un>.size)
    let bound = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, size) }
    }
    let number = errno
    isOurs.store(bound == 0, ordering: .relaxed)
    guard bound == 0 else { throw SnapshotError(number: number, "cannot listen", path) }
    guard chmod(path, 0o600) == 0, listen(descriptor, 64) == 0 else {
      throw SnapshotError(number: errno, "cannot listen", path)
    }
  }

  /// The next peer, if it is of the same user; nil once `close` was called.
  func accept() -> Int32? {
    while true {
      let peer = Foundation.accept(descriptor, nil, nil)
      guard peer >= 0 else {
        switch errno {
        case EINTR, ECONNABORTED: continue
        case EMFILE, ENFILE, ENOBUFS, ENOMEM:
          // Until others give some back.
          usleep(50_000)
          continue
        default: return nil
        }
      }
      _ = fcntl(peer, F_SETFD, FD_CLOEXEC)
      if Self.isSameUser(peer) { return peer }
      _ = Foundation.close(peer)
    }
  }

  private static func isSameUser(_ descriptor: Int32) -> Bool {
    #if canImport(Darwin)
      var (user, group) = (uid_t(), gid_t())
      return getpeereid(descriptor, &user, &group) == 0 && user == getuid()
    #else
      // struct ucred, which the importer does not show: pid, uid, gid.
      var credentials: (pid_t, uid_t, gid_t) = (0, .max, 0)
      var size = socklen_t(MemoryLayout.size(ofValue: credentials))
      let status = getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size)
      return status == 0 && credentials.1 == getuid()
    #endif
  }

  /// Ends `accept` and removes the socket.
  public func close() {
    shutdown(descriptor, Int32(SHUT_RDWR))
    if isOurs.exchange(false, ordering: .relaxed) { unlink(path) }
    if let folder { rmdir(folder) }
  }

  deinit {
    close()
    _ = Foundation.close(descriptor)
  }
}
