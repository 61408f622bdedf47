import CHDF5

/// An open attribute: a small named value on a file's root, a group or a dataset.
package struct Attribute: ~Copyable {
  let handle: Handle
  let file: String
  /// `object@name`, for messages.
  let path: String
  /// Element type as stored.
  package let elementType: ElementType
  /// Lengths of the axes; empty for a scalar.
  package let shape: [Int]

  /// Longest attribute that is read, in bytes; a bound against hostile sizes.
  package static let largestRead = 1 << 20

  init(handle: consuming Handle, file: String, path: String) throws(HDF5Error) {
    let id = handle.id
    guard let type = Handle(H5Aget_type(id), .type), let space = Handle(H5Aget_space(id), .space)
    else { throw .library(file: file, object: path, "cannot read the attribute's type") }
    let shape = try Dataspace.shape(of: space.id, file: file, object: path).shape
    self.file = file
    self.path = path
    self.shape = shape
    elementType = ElementType(id: type.id)
    self.handle = handle
  }

  /// All elements, row-major.
  ///
  /// - Throws: `mismatch` if the stored type is not `T`'s.
  package func read<T: Element>(_ type: T.Type = T.self) throws(HDF5Error) -> [T] {
    let count = try checkedCount(expected: T.elementType)
    return try Library.locked { () throws(HDF5Error) in
      var failed = false
      let values = [T](unsafeUninitializedCapacity: count) { buffer, initialized in
        failed = H5Aread(handle.id, T.elementType.memory, buffer.baseAddress) < 0
        initialized = failed ? 0 : count
      }
      if failed { throw .library(file: file, object: path, "cannot read the attribute") }
      return values
    }
  }

  /// The text of a fixed-length string attribute.
  ///
  /// - Throws: `mismatch` if it is not one string, `corrupt` if it is not UTF-8.
  package func readString() throws(HDF5Error) -> String {
    guard case .string(let size) = elementType, shape.isEmpty else {
      throw mismatch("fixed-length text")
    }
    guard size <= Self.largestRead else { throw mismatch("at most \(Self.largestRead) bytes") }
    return try Library.locked { () throws(HDF5Error) in
      var bytes = [UInt8](repeating: 0, count: size)
      guard let memory = Handle(H5Aget_type(handle.id), .type),
        H5Aread(handle.id, memory.id, &bytes) >= 0
      else { throw .library(file: file, object: path, "cannot read the attribute") }
      guard H5Tget_strpad(memory.id) == H5T_STR_NULLPAD else { throw mismatch("null-padded text") }
      let isASCII = H5Tget_cset(memory.id) == H5T_CSET_ASCII
      guard !isASCII || bytes.prefix(while: { $0 != 0 }).allSatisfy({ $0 < 128 }) else {
        throw HDF5Error(code: .corrupt, file: file, object: path, message: "expected ASCII text")
      }
      guard let text = String(validating: bytes.prefix { $0 != 0 }, as: UTF8.self) else {
        throw HDF5Error(code: .corrupt, file: file, object: path, message: "expected UTF-8 text")
      }
      return text
    }
  }

  private func checkedCount(expected: ElementType) throws(HDF5Error) -> Int {
    guard elementType == expected else { throw mismatch(expected.description) }
    let count = shape.reduce(1, *)
    guard count <= Self.largestRead / max(1, expected.size) else {
      throw mismatch("at most \(Self.largestRead) bytes")
    }
    return count
  }

  private func mismatch(_ expected: String) -> HDF5Error {
    let axes = shape.isEmpty ? "" : " \(shape)"
    return HDF5Error(
      code: .mismatch, file: file, object: path,
      message: "expected \(expected), found \(elementType)\(axes)")
  }
}

extension AttributeHolder where Self: ~Copyable {
  /// Opens an attribute.
  ///
  /// - Throws: `missingObject` if there is none of this name.
  package func attribute(_ name: String) throws(HDF5Error) -> Attribute {
    try Library.locked { () throws(HDF5Error) in
      guard H5Aexists(id, name) > 0 else {
        throw HDF5Error(
          code: .missingObject, file: file, object: "\(path)@\(name)",
          message: "expected an attribute, found nothing")
      }
      guard let handle = Handle(H5Aopen(id, name, ptk_default()), .attribute) else {
        throw .library(file: file, object: "\(path)@\(name)", "cannot open the attribute")
      }
      return try Attribute(handle: handle, file: file, path: "\(path)@\(name)")
    }
  }

  /// Whether an attribute of this name exists.
  package func hasAttribute(_ name: String) -> Bool {
    Library.locked { H5Aexists(id, name) > 0 }
  }

  /// Text of an attribute.
  package func string(_ name: String) throws(HDF5Error) -> String {
    try attribute(name).readString()
  }

  /// The only element of an attribute.
  package func scalar<T: Element>(_ name: String, as type: T.Type = T.self) throws(HDF5Error) -> T {
    let attribute = try attribute(name)
    let values = try attribute.read(T.self)
    guard let value = values.first, values.count == 1 else {
      throw HDF5Error(
        code: .mismatch, file: file, object: "\(path)@\(name)",
        message: "expected one \(T.elementType), found \(values.count)")
    }
    return value
  }

  /// The elements of an attribute with one axis.
  package func vector<T: Element>(_ name: String, of type: T.Type = T.self) throws(HDF5Error) -> [T]
  {
    let attribute = try attribute(name)
    guard attribute.shape.count == 1 else {
      throw HDF5Error(
        code: .mismatch, file: file, object: "\(path)@\(name)",
        message: "expected one axis, found shape \(attribute.shape)")
    }
    return try attribute.read(T.self)
  }

  /// Creates an attribute with one number.
  package func setAttribute<T: Element>(_ name: String, _ value: T) throws(HDF5Error) {
    try writeAttribute(name, type: T.elementType, [value], shape: nil)
  }

  /// Creates an attribute with a row of numbers.
  package func setAttribute<T: Element>(_ name: String, _ values: [T]) throws(HDF5Error) {
    try writeAttribute(name, type: T.elementType, values, shape: values.count)
  }

  /// Creates or replaces a fixed-length, null-padded UTF-8 attribute.
  package func setAttribute(_ name: String, _ text: String) throws(HDF5Error) {
    try Library.locked { () throws(HDF5Error) in
      var bytes = Array(text.utf8)
      if bytes.isEmpty { bytes = [0] }
      guard let type = Handle(H5Tcopy(ptk_c_string()), .type),
        H5Tset_size(type.id, bytes.count) >= 0, H5Tset_strpad(type.id, H5T_STR_NULLPAD) >= 0,
        H5Tset_cset(type.id, H5T_CSET_UTF8) >= 0
      else { throw failure("cannot describe text") }
      try replaceAttribute(name, type: type.id, shape: nil, bytes)
    }
  }

  private func writeAttribute<T: Element>(
    _ name: String, type: ElementType, _ values: [T], shape: Int?
  ) throws(HDF5Error) {
    try Library.locked { () throws(HDF5Error) in
      try replaceAttribute(name, type: type.stored, memory: type.memory, shape: shape, values)
    }
  }

  private func replaceAttribute<T: Element>(
    _ name: String, type: hid_t, memory: hid_t? = nil, shape: Int?, _ values: [T]
  ) throws(HDF5Error) {
    if H5Aexists(id, name) > 0 { H5Adelete(id, name) }
    var extent = [hsize_t(shape ?? 1)]
    guard
      let space = Handle(
        shape == nil ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &extent, nil), .space),
      let handle = Handle(
        H5Acreate2(id, name, type, space.id, ptk_default(), ptk_default()), .attribute),
      values.withUnsafeBytes({ H5Awrite(handle.id, memory ?? type, $0.baseAddress) }) >= 0
    else { throw .library(file: file, object: "\(path)@\(name)", "cannot write the attribute") }
  }
}
