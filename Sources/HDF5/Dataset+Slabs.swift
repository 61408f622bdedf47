private import Dispatch
private import Synchronization

extension Dataset {
  /// Decoded bytes that are worth a thread: about a tenth of a millisecond of work.
  private static let bytesPerThread = 64 << 10

  /// What threads that read one slab share.
  private struct Progress {
    var next = 0
    var isWhole = true
    var failure: (chunk: Int, error: HDF5Error)?
  }

  /// Reads a slab by decoding its chunks with `codec`, on all cores; false if some were never written, which libhdf5
  /// fills in. Holds one stored chunk, and where a chunk is not wanted whole one decoded, per thread.
  ///
  /// libhdf5 1.10 takes a filter's output for a whole chunk without looking at its length: a hostile chunk would
  /// make it read or free memory that is not its own. So every chunk is checked here first.
  ///
  /// - Throws: the error of the first chunk that has one.
  func readChunks(
    _ slab: ChunkSlab, into buffer: UnsafeMutableRawBufferPointer, _ codec: ChunkCodec
  ) throws(HDF5Error) -> Bool {
    let progress = Mutex(Progress())
    // Threads write to places of their own.
    nonisolated(unsafe) let buffer = buffer
    // Chunks are taken in order, so that those before a failed one are all read to their end.
    @Sendable func work() {
      Workspace.use { workspace in
        while true {
          let taken = progress.withLock { state -> Int? in
            guard state.failure == nil, state.next < slab.chunks else { return nil }
            state.next += 1
            return state.next - 1
          }
          guard let chunk = taken else { return }
          do throws(HDF5Error) {
            let isWritten = try readChunk(chunk, of: slab, into: buffer, codec, workspace)
            if !isWritten { progress.withLock { $0.isWhole = false } }
          } catch {
            progress.withLock { state in
              if let earlier = state.failure, earlier.chunk < chunk { return }
              state.failure = (chunk, error)
            }
          }
        }
      }
    }
    let chunksPerThread = max(1, Self.bytesPerThread / max(chunkBytes, 1))
    // Without decompression threads would do little but wait for each other's turn at the lock.
    let threads = codec.compresses ? min(Workspace.cores, slab.chunks / chunksPerThread) : 1
    // With the lock held here the other threads would wait for this one, and this one for them.
    if threads > 1, !Library.isLockedHere {
      DispatchQueue.concurrentPerform(iterations: threads) { _ in work() }
    } else {
      work()
    }
    let end = progress.withLock { $0 }
    if let failure = end.failure { throw failure.error }
    return end.isWhole
  }

  /// Decodes one chunk into its place in a slab; false if it was never written.
  private func readChunk(
    _ chunk: Int, of slab: ChunkSlab, into buffer: UnsafeMutableRawBufferPointer,
    _ codec: ChunkCodec, _ workspace: Workspace
  ) throws(HDF5Error) -> Bool {
    let origin = slab.origin(of: chunk)
    guard let stored = try readStored(at: origin, workspace) else { return false }
    let place = slab.wholePlace(of: origin)
    let plain =
      place.map {
        UnsafeMutableRawBufferPointer(
          rebasing: buffer[($0 * elementType.size)...].prefix(chunkBytes))
      } ?? workspace.memory(.plain, count: chunkBytes)
    guard codec.decode(stored.bytes, into: plain, mask: stored.mask, workspace) else {
      guard !codec.hasLooseFrame(stored.bytes, mask: stored.mask) else {
        throw HDF5Error(
          code: .looseFrame, file: file, object: path,
          message:
            "expected one Zstandard frame that states its content's size in the chunk at \(origin)"
        )
      }
      throw HDF5Error(
        code: .corrupt, file: file, object: path,
        message: "expected \(chunkBytes) bytes with a right checksum in the chunk at \(origin)")
    }
    if place == nil, let source = plain.baseAddress, let target = buffer.baseAddress {
      slab.copy(UnsafeRawPointer(source), at: origin, to: target, elementSize: elementType.size)
    }
    return true
  }
}
