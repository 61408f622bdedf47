package import CHDF5

/// An open dataset: an array of one element type, possibly chunked, filtered and extensible.
package struct Dataset: ~Copyable, AttributeHolder, Sendable {
  let handle: Handle
  package var id: hid_t { handle.id }
  package let file: String
  package let path: String
  /// Element type as stored.
  package let elementType: ElementType
  /// Lengths of the axes that extending may reach; nil is unlimited.
  package let limit: [Int?]
  /// Lengths of a chunk's axes; nil if the layout is contiguous or compact.
  package let chunkShape: [Int]?
  /// Filters in writing order.
  package let filters: [Filter]

  init(handle: consuming Handle, file: String, path: String) throws(HDF5Error) {
    let id = handle.id
    guard let type = Handle(H5Dget_type(id), .type), let space = Handle(H5Dget_space(id), .space),
      let creation = Handle(H5Dget_create_plist(id), .properties)
    else { throw .library(file: file, object: path, "cannot read the dataset's description") }
    let axes = try Dataspace.shape(of: space.id, file: file, object: path)
    let layout = H5Pget_layout(creation.id)
    guard layout == H5D_CHUNKED || layout == H5D_CONTIGUOUS || layout == H5D_COMPACT,
      H5Pget_external_count(creation.id) == 0
    else {
      throw HDF5Error(
        code: .refused, file: file, object: path,
        message: "expected data inside this file, found a virtual or external layout")
    }
    var chunkShape: [Int]?
    if layout == H5D_CHUNKED {
      var lengths = [hsize_t](repeating: 0, count: axes.shape.count)
      // Neither a division by a length nor a start on the grid may go wrong later.
      guard H5Pget_chunk(creation.id, Int32(lengths.count), &lengths) == lengths.count,
        !lengths.isEmpty, !lengths.contains(0)
      else {
        throw HDF5Error(
          code: .corrupt, file: file, object: path,
          message: "expected chunks with \(lengths.count) axes, found \(lengths)")
      }
      chunkShape = lengths.map { Int(clamping: $0) }
    }
    self.file = file
    self.path = path
    elementType = ElementType(id: type.id)
    limit = axes.limit
    filters = Filter.pipeline(of: creation.id)
    self.chunkShape = chunkShape
    self.handle = handle
  }

  /// Current lengths of the axes.
  package func shape() throws(HDF5Error) -> [Int] {
    try Library.locked { () throws(HDF5Error) in
      guard let space = Handle(H5Dget_space(id), .space) else {
        throw failure("cannot read the shape")
      }
      return try Dataspace.shape(of: space.id, file: file, object: path).shape
    }
  }

  /// Sets the lengths of the axes; shrinking drops what lies outside.
  package func resize(to shape: [Int]) throws(HDF5Error) {
    try Library.locked { () throws(HDF5Error) in
      var lengths = shape.map { hsize_t($0) }
      guard H5Dset_extent(id, &lengths) >= 0 else { throw failure("cannot resize to \(shape)") }
    }
  }

  /// Bytes that the stored chunks take in the file, after compression.
  package var storedBytes: Int { Library.locked { Int(clamping: H5Dget_storage_size(id)) } }
}

extension Location where Self: ~Copyable {
  /// Creates a dataset.
  ///
  /// - Parameters:
  ///   - shape: lengths of the axes now.
  ///   - limit: greatest lengths, nil for unlimited; must be chunked to differ from `shape`.
  ///   - chunk: lengths of a chunk; nil for a contiguous dataset.
  package func createDataset<T: Element>(
    _ name: String, of type: T.Type, shape: [Int], limit: [Int?]? = nil, chunk: [Int]? = nil,
    filters: [Filter] = []
  ) throws(HDF5Error) -> Dataset {
    try createDataset(
      name, of: T.elementType, shape: shape, limit: limit, chunk: chunk, filters: filters)
  }

  /// Creates a dataset of a number type that is known only at run time.
  package func createDataset(
    _ name: String, of type: ElementType, shape: [Int], limit: [Int?]? = nil, chunk: [Int]? = nil,
    filters: [Filter] = []
  ) throws(HDF5Error) -> Dataset {
    try Library.locked { () throws(HDF5Error) in
      guard let creation = Handle(H5Pcreate(ptk_dataset_create()), .properties),
        let access = Handle(H5Pcreate(ptk_dataset_access()), .properties)
      else { throw failure("cannot set up a dataset") }
      H5Pset_obj_track_times(creation.id, false)
      // No chunk cache: a chunk that does not fit the disk fails in the write that made it, not unseen at closing.
      H5Pset_chunk_cache(access.id, 0, 0, 1)
      var isDescribed = true
      if let chunk {
        var lengths = chunk.map { hsize_t($0) }
        isDescribed = H5Pset_chunk(creation.id, Int32(chunk.count), &lengths) >= 0
        for filter in filters where isDescribed { isDescribed = filter.add(to: creation.id) }
      }
      var lengths = shape.map { hsize_t($0) }
      var greatest = (limit ?? shape.map { $0 }).map { $0.map { hsize_t($0) } ?? ptk_unlimited() }
      guard isDescribed,
        let space = Handle(
          H5Screate_simple(Int32(shape.count), &lengths, &greatest), .space),
        let handle = Handle(
          H5Dcreate2(
            id, name, type.stored, space.id, ptk_default(), creation.id, access.id),
          .dataset)
      else { throw .library(file: file, object: childPath(name), "cannot create the dataset") }
      return try Dataset(handle: handle, file: file, path: childPath(name))
    }
  }

  /// Creates a contiguous dataset and fills it.
  package func write<T: Element>(_ name: String, _ values: [T], shape: [Int]? = nil)
    throws(HDF5Error)
  {
    let shape = shape ?? [values.count]
    let dataset = try createDataset(name, of: T.self, shape: shape)
    try dataset.write(values, start: shape.map { _ in 0 }, count: shape)
  }
}
