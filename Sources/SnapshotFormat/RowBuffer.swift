/// Rows that wait for a whole chunk, in memory that holds just that.
///
/// @unchecked: filled by one thread, and only read once another one has it.
final class RowBuffer: @unchecked Sendable {
  private let memory: UnsafeMutableRawBufferPointer
  /// Bytes so far.
  private(set) var count = 0

  /// Pages that are not filled cost nothing.
  init(capacity: Int) {
    memory = .allocate(byteCount: capacity, alignment: 64)
  }

  var room: Int { memory.count - count }
  var bytes: UnsafeRawBufferPointer { .init(rebasing: memory[..<count]) }

  /// Adds bytes, for which there must be room.
  func append(_ bytes: UnsafeRawBufferPointer) {
    precondition(bytes.count <= room, "a chunk's rows overflow")
    guard let source = bytes.baseAddress else { return }
    (memory.baseAddress! + count).copyMemory(from: source, byteCount: bytes.count)
    count += bytes.count
  }

  func removeAll() { count = 0 }

  deinit { memory.deallocate() }
}
