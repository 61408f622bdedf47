import CHDF5

/// Owner of one libhdf5 identifier: closes it once, by `close()` or when it goes out of scope.
struct Handle: ~Copyable {
  enum Kind { case file, group, dataset, attribute, type, space, properties, object }

  let id: hid_t
  private let kind: Kind

  /// Takes ownership of `id`; nil if libhdf5 said no (a negative identifier).
  init?(_ id: hid_t, _ kind: Kind) {
    guard id >= 0 else { return nil }
    self.id = id
    self.kind = kind
  }

  private static func release(_ id: hid_t, _ kind: Kind) -> Bool {
    Library.locked {
      switch kind {
      case .file: H5Fclose(id) >= 0
      case .group: H5Gclose(id) >= 0
      case .dataset: H5Dclose(id) >= 0
      case .attribute: H5Aclose(id) >= 0
      case .type: H5Tclose(id) >= 0
      case .space: H5Sclose(id) >= 0
      case .properties: H5Pclose(id) >= 0
      case .object: H5Oclose(id) >= 0
      }
    }
  }

  /// Closes and reports what libhdf5 could not do; a file's last bytes may fail to be written here.
  consuming func close(file: String) throws(HDF5Error) {
    let (id, kind) = (id, kind)
    discard self
    try Library.locked { () throws(HDF5Error) in
      guard Handle.release(id, kind) else {
        throw .library(file: file, "cannot finish writing")
      }
    }
  }

  deinit {
    let (id, kind) = (id, kind)
    Library.locked {
      let errors = ptk_hold_errors()
      _ = Handle.release(id, kind)
      ptk_restore_errors(errors)
    }
  }
}
