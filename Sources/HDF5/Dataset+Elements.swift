import CHDF5

extension Dataset {
  /// Reads a hyperslab, row-major.
  ///
  /// - Throws: `mismatch` if the stored type is not `T`'s or the slab leaves the dataset.
  package func read<T: Element>(
    _ type: T.Type = T.self, start: [Int], count: [Int]
  ) throws(HDF5Error) -> [T] {
    // Before anything is allocated: a file may declare more than it holds.
    try requireType(T.elementType)
    try requireInside(start: start, count: count)
    let elements = count.reduce(1, *)
    var failure: HDF5Error?
    let values = [T](unsafeUninitializedCapacity: elements) { buffer, initialized in
      do throws(HDF5Error) {
        try read(into: buffer, start: start, count: count)
        initialized = elements
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return values
  }

  /// Reads the whole dataset, row-major.
  package func readAll<T: Element>(_ type: T.Type = T.self) throws(HDF5Error) -> [T] {
    let shape = try shape()
    return try read(type, start: shape.map { _ in 0 }, count: shape)
  }

  /// Reads a hyperslab into `buffer`, which must hold exactly its elements.
  package func read<T: Element>(
    into buffer: UnsafeMutableBufferPointer<T>, start: [Int], count: [Int]
  ) throws(HDF5Error) {
    try requireType(T.elementType)
    try requireInside(start: start, count: count)
    precondition(buffer.count >= count.reduce(1, *), "buffer smaller than the slab")
    guard count.reduce(1, *) > 0 else { return }
    guard chunkBytes <= Self.largestChunk else {
      throw HDF5Error(
        code: .refused, file: file, object: path,
        message: "expected chunks of at most \(Self.largestChunk) bytes, found \(chunkBytes)")
    }
    for filter in filters {
      if case .unknown(let id) = filter {
        throw HDF5Error(
          code: .refused, file: file, object: path,
          message: "expected shuffle, deflate, fletcher32 or zstd, found filter \(id)")
      }
    }
    if !filters.isEmpty, let codec,
      try readChunks(
        ChunkSlab(start, count, chunkShape ?? []), into: UnsafeMutableRawBufferPointer(buffer),
        codec)
    {
      return
    }
    try transfer(start: start, count: count) { memory, slab in
      H5Dread(id, T.elementType.memory, memory, slab, ptk_default(), buffer.baseAddress)
    }
  }

  /// Writes a hyperslab, row-major; the dataset must already be large enough.
  package func write<T: Element>(_ values: [T], start: [Int], count: [Int]) throws(HDF5Error) {
    try requireType(T.elementType)
    try requireInside(start: start, count: count)
    precondition(values.count == count.reduce(1, *), "values do not fill the slab")
    guard !values.isEmpty else { return }
    try transfer(start: start, count: count) { memory, slab in
      values.withUnsafeBufferPointer {
        H5Dwrite(id, T.elementType.memory, memory, slab, ptk_default(), $0.baseAddress)
      }
    }
  }

  private func requireType(_ expected: ElementType) throws(HDF5Error) {
    guard elementType == expected else {
      throw HDF5Error(
        code: .mismatch, file: file, object: path,
        message: "expected \(expected), found \(elementType)")
    }
  }

  private func requireInside(start: [Int], count: [Int]) throws(HDF5Error) {
    let shape = try shape()
    guard start.count == shape.count, count.count == shape.count,
      zip(zip(start, count), shape).allSatisfy({ $0.0 >= 0 && $0.1 >= 0 && $0.0 <= $1 - $0.1 })
    else {
      throw HDF5Error(
        code: .mismatch, file: file, object: path,
        message: "expected elements \(start) + \(count), found shape \(shape)")
    }
  }

  private func transfer(
    start: [Int], count: [Int], _ body: (hid_t, hid_t) -> herr_t
  ) throws(HDF5Error) {
    try Library.locked { () throws(HDF5Error) in
      var first = start.map { hsize_t($0) }
      var lengths = count.map { hsize_t($0) }
      guard let slab = Handle(H5Dget_space(id), .space),
        let memory = Handle(H5Screate_simple(Int32(lengths.count), &lengths, nil), .space),
        lengths.isEmpty
          || H5Sselect_hyperslab(slab.id, H5S_SELECT_SET, &first, nil, &lengths, nil) >= 0,
        body(memory.id, slab.id) >= 0
      else { throw failure("cannot transfer elements \(start) + \(count)") }
    }
  }
}
