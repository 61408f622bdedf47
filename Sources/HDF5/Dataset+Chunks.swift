import CHDF5

extension Dataset {
  /// Most bytes of a decoded chunk that is read: a chunk is held in memory whole, whatever part of it is asked for.
  package static let largestChunk = 64 << 20

  /// Bytes of one decoded chunk.
  package var chunkBytes: Int {
    // A hostile file's lengths may overflow; such a chunk is beyond every bound.
    (chunkShape ?? []).reduce(elementType.size) {
      let (product, overflow) = $0.multipliedReportingOverflow(by: $1)
      return overflow ? 1 << 60 : min(product, 1 << 60)
    }
  }

  /// A codec for this dataset's chunks; nil if libhdf5 has to run its filters.
  package var codec: ChunkCodec? {
    chunkShape == nil ? nil : ChunkCodec(filters: filters, elementSize: elementType.size)
  }

  /// Writes one whole chunk in its stored (encoded) form, past libhdf5's pipeline.
  ///
  /// - Parameters:
  ///   - stored: what `codec` made of the chunk, padded to a whole chunk at the dataset's edge.
  ///   - start: element where the chunk begins, a multiple of `chunkShape`.
  ///   - mask: bit i set: filter i was skipped in making `stored`.
  package func writeChunk(
    _ stored: UnsafeRawBufferPointer, at start: [Int], mask: UInt32 = 0
  ) throws(HDF5Error) {
    // libhdf5 1.10 takes any start, beside the grid or outside the dataset.
    let shape = try shape()
    guard let chunkShape, start.count == chunkShape.count,
      start.indices.allSatisfy({
        0 <= start[$0] && start[$0] < shape[$0] && start[$0] % chunkShape[$0] == 0
      })
    else {
      throw HDF5Error(
        code: .mismatch, file: file, object: path,
        message: "expected a chunk of \(chunkShape ?? []) on the grid of \(shape), found \(start)")
    }
    try Library.locked { () throws(HDF5Error) in
      var first = start.map { hsize_t($0) }
      let status = H5Dwrite_chunk(
        id, ptk_default(), mask, &first, stored.count, stored.baseAddress)
      guard status >= 0 else { throw failure("cannot write the chunk at \(start)") }
    }
  }

  /// As above, from an array.
  package func writeChunk(
    _ stored: [UInt8], at start: [Int], mask: UInt32 = 0
  ) throws(HDF5Error) {
    try stored.withUnsafeBufferPointer { bytes throws(HDF5Error) in
      try writeChunk(UnsafeRawBufferPointer(bytes), at: start, mask: mask)
    }
  }

  /// Reads one chunk in its stored form; nil where no chunk was ever written.
  ///
  /// - Returns: the bytes, and the mask of filters that were skipped.
  package func readChunk(at start: [Int]) throws(HDF5Error) -> (bytes: [UInt8], mask: UInt32)? {
    try requireChunkStart(start)
    return try Workspace.use { workspace throws(HDF5Error) in
      try readStored(at: start, workspace).map { (Array($0.bytes), $0.mask) }
    }
  }

  /// Where one stored chunk lies in the file, counted from the end of a user block; nil where none was ever written.
  ///
  /// libhdf5 1.10 looks through the whole index: the cost is that of all chunks.
  package func chunkAddress(
    at start: [Int]
  ) throws(HDF5Error) -> (address: UInt64, size: Int)? {
    try requireChunkStart(start)
    return try Library.locked { () throws(HDF5Error) in
      var first = start.map { hsize_t($0) }
      var mask: UInt32 = 0
      var address = haddr_t.max
      var size: hsize_t = 0
      guard H5Dget_chunk_info_by_coord(id, &first, &mask, &address, &size) >= 0 else {
        throw failure("cannot find the chunk at \(start)")
      }
      return address == .max ? nil : (UInt64(address), Int(clamping: size))
    }
  }

  /// libhdf5 reads as many coordinates as the dataset has axes, whatever it is given.
  private func requireChunkStart(_ start: [Int]) throws(HDF5Error) {
    guard let chunkShape, start.count == chunkShape.count, start.allSatisfy({ $0 >= 0 }) else {
      throw HDF5Error(
        code: .mismatch, file: file, object: path,
        message: "expected a chunk of \(chunkShape ?? []), found \(start)")
    }
  }

  /// Reads one chunk into the workspace's `stored` memory; nil where no chunk was ever written.
  func readStored(
    at start: [Int], _ workspace: Workspace
  ) throws(HDF5Error) -> (bytes: UnsafeRawBufferPointer, mask: UInt32)? {
    try Library.locked { () throws(HDF5Error) in
      var first = start.map { hsize_t($0) }
      var size: hsize_t = 0
      guard H5Dget_chunk_storage_size(id, &first, &size) >= 0 else {
        _ = Library.takeErrorStack()
        return nil
      }
      guard size > 0 else { return nil }
      // A stored chunk may be larger than its content, but not by much more than its checksums and frame.
      let largest = chunkBytes * 2 + 65_536
      guard size <= largest else {
        throw HDF5Error(
          code: .corrupt, file: file, object: path,
          message: "expected a stored chunk of at most \(largest) bytes, found \(size)")
      }
      var mask: UInt32 = 0
      let bytes = workspace.memory(.stored, count: Int(size))
      guard H5Dread_chunk(id, ptk_default(), &first, &mask, bytes.baseAddress) >= 0 else {
        throw failure("cannot read the chunk at \(start)")
      }
      return (UnsafeRawBufferPointer(bytes), mask)
    }
  }
}
