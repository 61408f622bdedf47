/// Runs a filter pipeline on whole chunks outside libhdf5, byte for byte as libhdf5 would, so that threads can
/// share the work and libhdf5's lock is held only for the write itself.
package struct ChunkCodec: Sendable {
  /// Filters in writing order.
  package let filters: [Filter]
  /// Bytes of one element, which shuffling needs.
  package let elementSize: Int

  /// A codec for these filters; nil if one of them is unknown.
  package init?(filters: [Filter], elementSize: Int) {
    for filter in filters {
      switch filter {
      case .shuffle, .deflate, .fletcher32, .zstd: continue
      case .unknown: return nil
      }
    }
    self.filters = filters
    self.elementSize = elementSize
  }

  /// The stored form of a chunk's bytes.
  package func encode(_ chunk: UnsafeRawBufferPointer) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: longest(chunk.count)) { output, count in
      count = encode(chunk, into: UnsafeMutableRawBufferPointer(output))
    }
  }

  /// Most bytes of the stored form of so many.
  package func longest(_ count: Int) -> Int {
    filters.reduce(count) { $0 + growth(of: $1, $0) }
  }

  /// Writes the stored form of a chunk's bytes to `output`, which has room for `longest`; returns its length.
  package func encode(
    _ chunk: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
  ) -> Int {
    let room = longest(chunk.count)
    // From here on content stays where it is, in the result; checksums are appended to it.
    let last = filters.lastIndex(where: moves) ?? 0
    guard let result = output.baseAddress else { return 0 }
    return Workspace.use { workspace in
      var current = chunk
      var scratch = Workspace.Purpose.first
      func nextPlace(_ index: Int) -> UnsafeMutableRawPointer {
        guard index < last else { return result }
        scratch = scratch == .first ? .second : .first
        return workspace.memory(scratch, count: room).baseAddress!
      }
      for (index, filter) in filters.enumerated() where moves(filter) || filter == .fletcher32 {
        var target = UnsafeMutableRawPointer(mutating: current.baseAddress)
        var length = current.count
        if moves(filter) || current.baseAddress == chunk.baseAddress {
          target = nextPlace(index)
        }
        guard let target else { continue }
        switch filter {
        case .shuffle: Shuffle.apply(current, into: target, elementSize: elementSize)
        case .deflate(let level):
          length = Deflate.compress(current, into: target, level: level)
        case .zstd(let level):
          length = Zstd.compress(current, into: target, level: level, workspace.compressor)
        case .fletcher32:
          if let source = current.baseAddress, source != UnsafeRawPointer(target) {
            target.copyMemory(from: source, byteCount: length)
          }
          Fletcher32.append(to: target, length: length)
          length += Fletcher32.size
        case .unknown: preconditionFailure("excluded by init")
        }
        current = UnsafeRawBufferPointer(start: target, count: length)
      }
      if let source = current.baseAddress, source != UnsafeRawPointer(result) {
        result.copyMemory(from: source, byteCount: current.count)
      }
      return current.count
    }
  }

  /// The bytes of a stored chunk; nil if a checksum or a length is wrong.
  ///
  /// - Parameters:
  ///   - stored: the chunk as the file holds it.
  ///   - size: bytes of a decoded chunk.
  ///   - mask: bit i set: filter i was skipped when this chunk was written.
  package func decode(_ stored: [UInt8], size: Int, mask: UInt32 = 0) -> [UInt8]? {
    var isWhole = false
    let chunk = [UInt8](unsafeUninitializedCapacity: size) { output, count in
      let target = UnsafeMutableRawBufferPointer(start: output.baseAddress, count: size)
      isWhole = stored.withUnsafeBytes { decode($0, into: target, mask: mask) }
      count = isWhole ? size : 0
    }
    return isWhole ? chunk : nil
  }

  /// Decodes a stored chunk into `chunk`, which is exactly a chunk's size; false if a checksum or a length is
  /// wrong, and then `chunk` holds anything.
  package func decode(
    _ stored: UnsafeRawBufferPointer, into chunk: UnsafeMutableRawBufferPointer, mask: UInt32 = 0
  ) -> Bool {
    Workspace.use { decode(stored, into: chunk, mask: mask, $0) }
  }

  /// As above, with a workspace of the caller's, whose `stored` and `plain` memory is left alone.
  func decode(
    _ stored: UnsafeRawBufferPointer, into chunk: UnsafeMutableRawBufferPointer, mask: UInt32,
    _ workspace: Workspace
  ) -> Bool {
    func isActive(_ index: Int) -> Bool { mask & (1 << UInt32(index)) == 0 }
    var current = stored
    var scratch = Workspace.Purpose.first
    var moving = filters.indices.count { isActive($0) && moves(filters[$0]) }
    for index in filters.indices.reversed() where isActive(index) {
      let filter = filters[index]
      if filter == .fletcher32 {
        guard let content = Fletcher32.content(of: current) else { return false }
        current = content
      }
      guard moves(filter) else { continue }
      // Lengths before each filter: only fletcher32 changes a length in a way known beforehand.
      var length = current.count
      if filter != .shuffle {
        let checksums = filters.indices[..<index].count {
          isActive($0) && filters[$0] == .fletcher32
        }
        length = chunk.count + Fletcher32.size * checksums
      }
      moving -= 1
      var target = chunk
      if moving > 0 || length != chunk.count {
        scratch = scratch == .first ? .second : .first
        target = workspace.memory(scratch, count: length)
      }
      switch filter {
      case .shuffle:
        if let place = target.baseAddress {
          Shuffle.undo(current, into: place, elementSize: elementSize)
        }
      case .deflate: guard Deflate.decompress(current, into: target) else { return false }
      case .zstd:
        guard Zstd.decompress(current, into: target, workspace.decompressor) else { return false }
      case .fletcher32, .unknown: preconditionFailure("moves nothing")
      }
      current = UnsafeRawBufferPointer(target)
    }
    guard current.count == chunk.count else { return false }
    if current.baseAddress != UnsafeRawPointer(chunk.baseAddress) {
      chunk.copyMemory(from: current)
    }
    return true
  }

  /// Whether a stored chunk fails to decode because its Zstandard frame is not one frame that states its size.
  func hasLooseFrame(_ stored: UnsafeRawBufferPointer, mask: UInt32) -> Bool {
    var current = stored
    for index in filters.indices.reversed() where mask & (1 << UInt32(index)) == 0 {
      switch filters[index] {
      case .fletcher32:
        guard let content = Fletcher32.content(of: current) else { return false }
        current = content
      case .zstd: return Zstd.isLoose(current)
      case .shuffle, .deflate, .unknown: return false
      }
    }
    return false
  }

  /// Whether decoding takes much longer than reading the stored bytes.
  var compresses: Bool {
    filters.contains { filter in
      switch filter {
      case .deflate, .zstd: true
      case .shuffle, .fletcher32, .unknown: false
      }
    }
  }

  /// Whether a filter writes its output elsewhere than its input.
  private func moves(_ filter: Filter) -> Bool {
    switch filter {
    case .shuffle: elementSize > 1
    case .deflate, .zstd: true
    case .fletcher32, .unknown: false
    }
  }

  /// Most bytes that a filter adds to `count`.
  private func growth(of filter: Filter, _ count: Int) -> Int {
    switch filter {
    case .shuffle, .unknown: 0
    case .fletcher32: Fletcher32.size
    case .deflate: Deflate.bound(count) - count
    case .zstd: Zstd.bound(count) - count
    }
  }
}
