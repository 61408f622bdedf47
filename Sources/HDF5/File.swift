package import CHDF5

/// An open HDF5 file. Closes when it goes out of scope; `close()` also reports what could not be written.
package struct File: ~Copyable, Location {
  let handle: Handle
  package var id: hid_t { handle.id }
  /// Path that the file was opened with.
  package let file: String
  /// Always empty: the root group.
  package var path: String { "" }

  /// How an existing file is opened.
  package enum Mode: Sendable {
    /// For reading; never changes the file.
    case read
    /// For reading and writing in place.
    case readWrite
  }

  private init(handle: consuming Handle, path: String) {
    self.handle = handle
    file = path
  }

  /// Creates a file with 1.10-format objects and no object times, so that the same writes give the same bytes.
  ///
  /// - Throws: `exists` unless `overwrite`; `permission`, `noSpace`, `notFound` (its folder).
  package static func create(at path: String, overwrite: Bool = false) throws(HDF5Error) -> File {
    try Library.locked { () throws(HDF5Error) in
      guard let access = Self.accessProperties(locking: false),
        let creation = Handle(H5Pcreate(ptk_file_create()), .properties)
      else { throw .library(file: path, "cannot set up file creation") }
      H5Pset_obj_track_times(creation.id, false)
      let id = H5Fcreate(
        path, overwrite ? ptk_truncate() : ptk_exclusive(), creation.id, access.id)
      guard let handle = Handle(id, .file) else {
        let error = HDF5Error.library(file: path, "cannot create")
        throw error.stack.joined().contains("File exists")
          ? HDF5Error(code: .exists, file: path, message: "already exists") : error
      }
      return File(handle: handle, path: path)
    }
  }

  /// Opens an existing file.
  ///
  /// - Throws: `notFound`, `notHDF5`, `truncated`, `permission`.
  package static func open(at path: String, mode: Mode = .read) throws(HDF5Error) -> File {
    try Library.locked { () throws(HDF5Error) in
      guard let access = Self.accessProperties(locking: mode == .read) else {
        throw .library(file: path, "cannot set up file access")
      }
      let id = H5Fopen(path, mode == .read ? ptk_read_only() : ptk_read_write(), access.id)
      guard let handle = Handle(id, .file) else { throw .library(file: path, "cannot open") }
      return File(handle: handle, path: path)
    }
  }

  /// SEMI makes closing with open objects an error instead of a leak; V110 is what every supported reader knows.
  ///
  /// - Parameter locking: readers ask whether another program is writing. Our own writers take no lock: they write
  ///   under a name of their own, and a process forked meanwhile (a data loader's worker) inherits the lock and holds
  ///   it on after we close.
  private static func accessProperties(locking: Bool) -> Handle? {
    guard let access = Handle(H5Pcreate(ptk_file_access()), .properties),
      H5Pset_file_locking(access.id, locking, true) >= 0
    else { return nil }
    H5Pset_fclose_degree(access.id, H5F_CLOSE_SEMI)
    // Small writes would be held back until a dataset is closed, where nobody hears that they failed.
    H5Pset_sieve_buf_size(access.id, 0)
    // Chunks lie at the end of the file, however short: whoever asks where pays for going through all of them.
    H5Pset_small_data_block_size(access.id, 0)
    H5Pset_libver_bounds(access.id, H5F_LIBVER_V110, H5F_LIBVER_V110)
    return access
  }

  /// Hands everything written so far to the operating system.
  package func flush() throws(HDF5Error) {
    try Library.locked { () throws(HDF5Error) in
      guard H5Fflush(id, H5F_SCOPE_GLOBAL) >= 0 else { throw .library(file: file, "cannot write") }
    }
  }

  /// Writes what is pending and closes.
  package consuming func close() throws(HDF5Error) {
    try handle.close(file: file)
  }
}
