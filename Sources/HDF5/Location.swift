package import CHDF5

/// An open object that carries attributes.
package protocol AttributeHolder: ~Copyable {
  /// libhdf5's identifier.
  var id: hid_t { get }
  /// Path of the file, for messages.
  var file: String { get }
  /// Path of the object in the file; empty at the root.
  var path: String { get }
}

/// Something that holds groups and datasets: a file's root or a group.
package protocol Location: ~Copyable, AttributeHolder {}

extension Location where Self: ~Copyable {
  /// Path of a child, for messages and for `Dataset.path`.
  func childPath(_ name: String) -> String { "\(path)/\(name)" }

  /// Names of everything linked here, in alphabetical order; O(children).
  package func children() throws(HDF5Error) -> [String] {
    try Library.locked { () throws(HDF5Error) in
      var info = H5G_info_t()
      guard H5Gget_info(id, &info) >= 0 else { throw failure("cannot list") }
      guard info.nlinks <= 1_000_000 else {
        throw HDF5Error(
          code: .refused, file: file, object: path,
          message: "expected at most 1,000,000 children, found \(info.nlinks)")
      }
      return try (0..<info.nlinks).map { index throws(HDF5Error) in
        let length = H5Lget_name_by_idx(
          id, ".", H5_INDEX_NAME, H5_ITER_INC, index, nil, 0, ptk_default())
        guard length >= 0, length < 4096 else { throw failure("cannot read a link's name") }
        var text = [CChar](repeating: 0, count: length + 1)
        H5Lget_name_by_idx(
          id, ".", H5_INDEX_NAME, H5_ITER_INC, index, &text, text.count, ptk_default())
        return String(decoding: text.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
      }
    }
  }

  /// Whether a link of this name exists here.
  package func hasChild(_ name: String) -> Bool {
    Library.locked { H5Lexists(id, name, ptk_default()) > 0 }
  }

  /// What a link leads to; nil where there is none. Links that leave the file are `.refused`.
  package func kind(of name: String) throws(HDF5Error) -> ChildKind? {
    try Library.locked { () throws(HDF5Error) in
      guard H5Lexists(id, name, ptk_default()) > 0 else { return nil }
      guard ptk_link_is_hard(id, name) > 0 else { return .refusedLink }
      guard let object = Handle(H5Oopen(id, name, ptk_default()), .object) else {
        throw .library(.corrupt, file: file, object: childPath(name), "cannot open")
      }
      switch H5Iget_type(object.id) {
      case H5I_GROUP: return .group
      case H5I_DATASET: return .dataset
      default: return .other
      }
    }
  }

  /// Creates a group whose children are listed by name.
  package func createGroup(_ name: String) throws(HDF5Error) -> Group {
    try Library.locked { () throws(HDF5Error) in
      guard let creation = Handle(H5Pcreate(ptk_group_create()), .properties) else {
        throw failure("cannot set up a group")
      }
      H5Pset_obj_track_times(creation.id, false)
      let made = H5Gcreate2(id, name, ptk_default(), creation.id, ptk_default())
      guard let handle = Handle(made, .group) else {
        throw .library(file: file, object: childPath(name), "cannot create the group")
      }
      return Group(handle: handle, file: file, path: childPath(name))
    }
  }

  /// Opens a group of this file; never follows soft, external or user-defined links.
  package func group(_ name: String) throws(HDF5Error) -> Group {
    try requireHardLink(name, "a group")
    return try Library.locked { () throws(HDF5Error) in
      guard let handle = Handle(H5Gopen2(id, name, ptk_default()), .group) else {
        throw .library(.mismatch, file: file, object: childPath(name), "expected a group")
      }
      return Group(handle: handle, file: file, path: childPath(name))
    }
  }

  /// Opens a dataset of this file; never follows soft, external or user-defined links.
  package func dataset(_ name: String) throws(HDF5Error) -> Dataset {
    try requireHardLink(name, "a dataset")
    return try Library.locked { () throws(HDF5Error) in
      guard let access = Handle(H5Pcreate(ptk_dataset_access()), .properties) else {
        throw failure("cannot set up opening a dataset")
      }
      // No chunk cache: chunks without filters go straight to where they are wanted, and others not through libhdf5.
      H5Pset_chunk_cache(access.id, 0, 0, 1)
      guard let handle = Handle(H5Dopen2(id, name, access.id), .dataset) else {
        throw .library(.mismatch, file: file, object: childPath(name), "expected a dataset")
      }
      return try Dataset(handle: handle, file: file, path: childPath(name))
    }
  }

  private func requireHardLink(_ name: String, _ expected: String) throws(HDF5Error) {
    // A path could pass through a link on its way.
    guard !name.contains("/") else {
      throw HDF5Error(
        code: .refused, file: file, object: childPath(name),
        message: "expected the name of \(expected), found a path")
    }
    try Library.locked { () throws(HDF5Error) in
      guard H5Lexists(id, name, ptk_default()) > 0 else {
        throw HDF5Error(
          code: .missingObject, file: file, object: childPath(name),
          message: "expected \(expected), found nothing")
      }
      guard ptk_link_is_hard(id, name) > 0 else {
        throw HDF5Error(
          code: .refused, file: file, object: childPath(name),
          message: "expected \(expected), found a soft or external link; links are not followed")
      }
    }
  }
}

/// What a link leads to.
package enum ChildKind: Sendable { case group, dataset, refusedLink, other }

/// An open group.
package struct Group: ~Copyable, Location {
  let handle: Handle
  package var id: hid_t { handle.id }
  package let file: String
  package let path: String

  init(handle: consuming Handle, file: String, path: String) {
    self.handle = handle
    self.file = file
    self.path = path
  }
}

extension AttributeHolder where Self: ~Copyable {
  /// An error of the libhdf5 call that just failed on this object.
  func failure(_ message: String) -> HDF5Error { .library(file: file, object: path, message) }
}
