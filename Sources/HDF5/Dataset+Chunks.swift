import CHDF5

extension Dataset {
  /// Most bytes of a decoded chunk that is read: a chunk is held in memory whole, whatever part of it is asked for.
  package static let largestChunk = 64 << 20

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
          message:
            "expected a stored chunk of at most \(chunkBytes * 2 + 65_536) bytes, found \(size)")
      }
      var mask: UInt32 = 0
      var bytes = [UInt8](repeating: 0, count: Int(size))
      guard H5Dread_chunk(id, ptk_default(), &first, &mask, &bytes) >= 0 else {
        throw failure("cannot read the chunk at \(start)")
      }
      return (bytes, mask)
    }
  }

  /// Reads a slab by decoding its chunks with `codec`; false if some were never written, which libhdf5 fills in.
  ///
  /// libhdf5 1.10 takes a filter's output for a whole chunk without looking at its length: a hostile chunk would
  /// make it read or free memory that is not its own. So every chunk is checked here first.
  func readChunks(
    into buffer: UnsafeMutableRawBufferPointer, _ start: [Int], _ count: [Int], _ codec: ChunkCodec
  ) throws(HDF5Error) -> Bool {
    guard let chunkShape else { return false }
    let end = zip(start, count).map { $0 + $1 }
    let first = zip(start, chunkShape).map { $0 - $0 % $1 }
    var origin = first
    var isWhole = true
    repeat {
      if let stored = try readChunk(at: origin) {
        guard let plain = codec.decode(stored.bytes, size: chunkBytes, mask: stored.mask) else {
          throw HDF5Error(
            code: .corrupt, file: file, object: path,
            message: "expected \(chunkBytes) bytes with a right checksum in the chunk at \(origin)")
        }
        copy(plain, at: origin, into: buffer, start, count)
      } else {
        isWhole = false
      }
    } while Self.advance(&origin, from: first, to: end, by: chunkShape)
    return isWhole
  }

  /// Copies what a decoded chunk and a slab have in common, run by run along the last axis.
  private func copy(
    _ chunk: [UInt8], at origin: [Int], into buffer: UnsafeMutableRawBufferPointer,
    _ start: [Int], _ count: [Int]
  ) {
    let chunkShape = chunkShape ?? []
    let low = zip(origin, start).map { max($0, $1) }
    let high = origin.indices.map { min(origin[$0] + chunkShape[$0], start[$0] + count[$0]) }
    let last = origin.count - 1
    var steps = [Int](repeating: 1, count: origin.count)
    steps[last] = high[last] - low[last]
    let bytes = steps[last] * elementType.size
    var position = low
    repeat {
      var source = 0
      var target = 0
      for axis in origin.indices {
        source = source * chunkShape[axis] + position[axis] - origin[axis]
        target = target * count[axis] + position[axis] - start[axis]
      }
      chunk.withUnsafeBytes { plain in
        let run = UnsafeRawBufferPointer(
          rebasing: plain[(source * elementType.size)...].prefix(bytes))
        buffer.baseAddress!.advanced(by: target * elementType.size)
          .copyMemory(from: run.baseAddress!, byteCount: bytes)
      }
    } while Self.advance(&position, from: low, to: high, by: steps)
  }

  /// Moves to the next position, last axis fastest; false after the last one.
  private static func advance(
    _ position: inout [Int], from first: [Int], to end: [Int], by step: [Int]
  ) -> Bool {
    for axis in position.indices.reversed() {
      position[axis] += step[axis]
      if position[axis] < end[axis] { return true }
      position[axis] = first[axis]
    }
    return false
  }
}
