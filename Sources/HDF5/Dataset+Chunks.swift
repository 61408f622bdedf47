import CHDF5

extension Dataset {
  /// Bytes of one decoded chunk.
  package var chunkBytes: Int { (chunkShape ?? []).reduce(elementType.size, *) }

  /// A codec for this dataset's chunks; nil if libhdf5 has to run its filters.
  package var codec: ChunkCodec? {
    chunkShape == nil ? nil : ChunkCodec(filters: filters, elementSize: elementType.size)
  }

  /// Writes one whole chunk in its stored (encoded) form, past libhdf5's pipeline.
  ///
  /// - Parameters:
  ///   - stored: what `codec` made of the chunk, padded to a whole chunk at the dataset's edge.
  ///   - start: element where the chunk begins, a multiple of `chunkShape`.
  package func writeChunk(_ stored: [UInt8], at start: [Int]) throws(HDF5Error) {
    try Library.locked { () throws(HDF5Error) in
      var first = start.map { hsize_t($0) }
      let status = stored.withUnsafeBytes {
        H5Dwrite_chunk(id, ptk_default(), 0, &first, $0.count, $0.baseAddress)
      }
      guard status >= 0 else { throw failure("cannot write the chunk at \(start)") }
    }
  }

  /// Reads one chunk in its stored form; nil where no chunk was ever written.
  ///
  /// - Returns: the bytes, and the mask of filters that were skipped.
  package func readChunk(at start: [Int]) throws(HDF5Error) -> (bytes: [UInt8], mask: UInt32)? {
    try Library.locked { () throws(HDF5Error) in
      var first = start.map { hsize_t($0) }
      var size: hsize_t = 0
      guard H5Dget_chunk_storage_size(id, &first, &size) >= 0 else {
        _ = Library.takeErrorStack()
        return nil
      }
      guard size > 0 else { return nil }
      // A stored chunk may be larger than its content, but not by much more than its checksums and frame.
      guard size <= UInt64(chunkBytes) * 2 + 65_536 else {
        throw HDF5Error(
          code: .corrupt, file: file, object: path,
          message: "expected a stored chunk of at most \(chunkBytes * 2 + 65_536) bytes, found \(size)")
      }
      var mask: UInt32 = 0
      var bytes = [UInt8](repeating: 0, count: Int(size))
      guard H5Dread_chunk(id, ptk_default(), &first, &mask, &bytes) >= 0 else {
        throw failure("cannot read the chunk at \(start)")
      }
      return (bytes, mask)
    }
  }
}
