internal import CZstd
internal import Foundation
private import Synchronization

/// What one thread at a time needs to run filters: compression contexts and scratch memory, kept for the next
/// chunk because making them anew costs as much as a small chunk does.
/// @unchecked: `use` lends an instance to one caller at a time.
final class Workspace: @unchecked Sendable {
  private static let idle = Mutex<[Workspace]>([])
  /// Cores that this process may use.
  static let cores = max(1, ProcessInfo.processInfo.activeProcessorCount)
  /// Larger scratch memory is given back after use.
  private static let largestKept = 4 << 20

  /// Lends a workspace to `body`; any thread, also within another `use`.
  static func use<R, E: Error>(_ body: (Workspace) throws(E) -> R) throws(E) -> R {
    let workspace = idle.withLock { $0.popLast() } ?? Workspace()
    defer {
      workspace.trim()
      idle.withLock { if $0.count < 2 * cores { $0.append(workspace) } }
    }
    return try body(workspace)
  }

  /// The pieces of scratch memory; each is valid until it is asked for again.
  enum Purpose: Int, CaseIterable { case first, second, stored, plain }

  private var scratch = [UnsafeMutableRawBufferPointer](
    repeating: .init(start: nil, count: 0), count: Purpose.allCases.count)
  private var compression: OpaquePointer?
  private var decompression: OpaquePointer?

  private init() {}

  deinit {
    for buffer in scratch { buffer.deallocate() }
    ZSTD_freeCCtx(compression)
    ZSTD_freeDCtx(decompression)
  }

  /// Exactly `count` bytes, uninitialised.
  func memory(_ purpose: Purpose, count: Int) -> UnsafeMutableRawBufferPointer {
    if scratch[purpose.rawValue].count < count || scratch[purpose.rawValue].baseAddress == nil {
      scratch[purpose.rawValue].deallocate()
      scratch[purpose.rawValue] = .allocate(byteCount: max(count, 4096), alignment: 64)
    }
    return .init(rebasing: scratch[purpose.rawValue][..<count])
  }

  /// A context for `ZSTD_compress2`.
  var compressor: OpaquePointer {
    if let compression { return compression }
    guard let made = ZSTD_createCCtx() else { preconditionFailure("out of memory") }
    compression = made
    return made
  }

  /// A context for `ZSTD_decompressDCtx`.
  var decompressor: OpaquePointer {
    if let decompression { return decompression }
    guard let made = ZSTD_createDCtx() else { preconditionFailure("out of memory") }
    decompression = made
    return made
  }

  private func trim() {
    for index in scratch.indices where scratch[index].count > Self.largestKept {
      scratch[index].deallocate()
      scratch[index] = .init(start: nil, count: 0)
    }
    if let compression, ZSTD_sizeof_CCtx(compression) > 4 * Self.largestKept {
      ZSTD_freeCCtx(compression)
      self.compression = nil
    }
  }
}
