private import Foundation

/// Rows that wait for a whole chunk, in memory that holds just that; or a chunk's stored form.
///
/// @unchecked: filled by one thread, and only read once another one has it.
final class RowBuffer: @unchecked Sendable {
  private let memory: UnsafeMutableRawBufferPointer
  private let capacity: Int
  private let owner: RowMemory
  /// Bytes so far.
  private(set) var count = 0

  init(capacity: Int, in owner: RowMemory) {
    self.owner = owner
    self.capacity = capacity
    memory = owner.take(capacity)
  }

  var room: Int { capacity - count }
  var bytes: UnsafeRawBufferPointer { .init(rebasing: memory[..<count]) }

  /// Adds bytes, for which there must be room.
  func append(_ bytes: UnsafeRawBufferPointer) {
    precondition(bytes.count <= room, "a chunk's rows overflow")
    guard let source = bytes.baseAddress else { return }
    (memory.baseAddress! + count).copyMemory(from: source, byteCount: bytes.count)
    count += bytes.count
  }

  func removeAll() { count = 0 }

  /// Lets `body` fill the memory from the front and return how far it came.
  func fill(_ body: (UnsafeMutableRawBufferPointer) -> Int) { count = body(memory) }

  deinit { owner.giveBack(memory) }
}

/// Memory of the rows that wait, kept for those that come after.
///
/// Pages touched for the first time, one after the other, took a quarter of a commit of many short rows: they are huge
/// where the system has such, and never given back before the end. Few sizes, so that little lies idle; what is longer
/// than a chunk of many rows comes and goes. @unchecked: `lock` guards all.
final class RowMemory: @unchecked Sendable {
  /// Powers of two, and an eighth for a stored form that is longer than its rows; up to 144 KiB.
  private static let sizes = (13...17).map { (1 << $0) + (1 << ($0 - 3)) }
  private static let slabBytes = 2 << 20
  private let lock = NSLock()
  private var slabs: [UnsafeMutableRawBufferPointer] = []
  /// What the last slab has left.
  private var rest = UnsafeMutableRawBufferPointer(start: nil, count: 0)
  private var idle: [Int: [UnsafeMutableRawBufferPointer]] = [:]

  /// At least so many bytes, aligned for any element.
  fileprivate func take(_ count: Int) -> UnsafeMutableRawBufferPointer {
    guard let size = Self.sizes.first(where: { $0 >= count }) else {
      return .allocate(byteCount: count, alignment: 64)
    }
    return lock.withLock {
      if let memory = idle[size]?.popLast() { return memory }
      if rest.count < size { rest = makeSlab() }
      defer { rest = .init(rebasing: rest[size...]) }
      return .init(rebasing: rest[..<size])
    }
  }

  fileprivate func giveBack(_ memory: UnsafeMutableRawBufferPointer) {
    guard memory.count <= Self.sizes.last! else { return memory.deallocate() }
    lock.withLock { idle[memory.count, default: []].append(memory) }
  }

  private func makeSlab() -> UnsafeMutableRawBufferPointer {
    let slab = UnsafeMutableRawBufferPointer.allocate(
      byteCount: Self.slabBytes, alignment: Self.slabBytes)
    #if os(Linux)
      madvise(slab.baseAddress, slab.count, MADV_HUGEPAGE)
    #endif
    slabs.append(slab)
    return slab
  }

  deinit { for slab in slabs { slab.deallocate() } }
}
