import CHDF5

extension Dataset {
  /// Whether every chunk that the dataset has elements in is stored, or its block if it is not chunked; fill values
  /// never stand for data. O(chunks) where chunks lack, O(1) else.
  package func isStored() throws(HDF5Error) -> Bool {
    let shape = try shape()
    guard shape.reduce(1, *) > 0 else { return true }
    return Library.locked {
      guard let chunkShape else {
        var status = H5D_SPACE_STATUS_ERROR
        return H5Dget_space_status(id, &status) >= 0 && status == H5D_SPACE_STATUS_ALLOCATED
      }
      let expected = zip(shape, chunkShape).reduce(1) { $0 * (($1.0 + $1.1 - 1) / max(1, $1.1)) }
      var found: hsize_t = 0
      guard let space = Handle(H5Dget_space(id), .space),
        H5Dget_num_chunks(id, space.id, &found) >= 0
      else {
        _ = Library.takeErrorStack()
        return false
      }
      return found == UInt64(expected)
    }
  }

  /// The address at which libhdf5 puts the next thing that is too long for its free space; O(1).
  package func endOfAllocation() throws(HDF5Error) -> UInt64 {
    try Library.locked { () throws(HDF5Error) in
      var address = haddr_t.max
      guard let owner = Handle(H5Iget_file_id(id), .file), H5Fget_eoa(owner.id, &address) >= 0
      else { throw failure("cannot find the end of the file") }
      return UInt64(address)
    }
  }

  /// Reads a hyperslab as bytes, row-major and in the machine's byte order.
  ///
  /// - Parameter buffer: exactly as long as the slab.
  package func readBytes(
    into buffer: UnsafeMutableRawBufferPointer, start: [Int], count: [Int]
  ) throws(HDF5Error) {
    switch elementType {
    case .int8: try read(into: buffer.bindMemory(to: Int8.self), start: start, count: count)
    case .uint8: try read(into: buffer.bindMemory(to: UInt8.self), start: start, count: count)
    case .int16: try read(into: buffer.bindMemory(to: Int16.self), start: start, count: count)
    case .uint16: try read(into: buffer.bindMemory(to: UInt16.self), start: start, count: count)
    case .int32: try read(into: buffer.bindMemory(to: Int32.self), start: start, count: count)
    case .uint32: try read(into: buffer.bindMemory(to: UInt32.self), start: start, count: count)
    case .int64: try read(into: buffer.bindMemory(to: Int64.self), start: start, count: count)
    case .uint64: try read(into: buffer.bindMemory(to: UInt64.self), start: start, count: count)
    case .float32: try read(into: buffer.bindMemory(to: Float.self), start: start, count: count)
    case .float64: try read(into: buffer.bindMemory(to: Double.self), start: start, count: count)
    case .string, .other:
      throw HDF5Error(
        code: .mismatch, file: file, object: path, message: "expected numbers, found \(elementType)"
      )
    }
  }
}
