import CHDF5
import CZstd

/// Zstandard as HDF5's registered filter 32015: one frame a chunk, as hdf5plugin writes and reads it.
enum ZstdFilter {
  static let id: H5Z_filter_t = 32015

  /// Registers the filter with libhdf5, for reads and writes that go through its own pipeline.
  static func register() {
    var description = H5Z_class2_t()
    description.version = H5Z_CLASS_T_VERS
    description.id = id
    description.encoder_present = 1
    description.decoder_present = 1
    // libhdf5 keeps the pointer; a StaticString lives as long as the program.
    let name: StaticString = "zstd (ptoken)"
    description.name = UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)
    description.filter = { @Sendable flags, count, values, used, capacity, buffer in
      ZstdFilter.run(flags, count, values, used, capacity, buffer)
    }
    H5Zregister(&description)
  }

  private static func run(
    _ flags: UInt32, _ count: Int, _ values: UnsafePointer<UInt32>?, _ used: Int,
    _ capacity: UnsafeMutablePointer<Int>?,
    _ buffer: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
  ) -> Int {
    guard let capacity, let buffer, let source = buffer.pointee else { return 0 }
    let isDecoding = flags & UInt32(H5Z_FLAG_REVERSE) != 0
    let room: Int
    if isDecoding {
      // Only one whole frame that states its size, within what a chunk may hold.
      let size = ZSTD_getFrameContentSize(source, used)
      guard size <= UInt64(UInt32.max) else { return 0 }
      room = Int(size)
    } else {
      room = ZSTD_compressBound(used)
    }
    guard let target = H5allocate_memory(max(room, 1), false) else { return 0 }
    let written =
      isDecoding
      ? ZSTD_decompress(target, room, source, used)
      : Workspace.use {
        Zstd.compress(
          .init(start: source, count: used), into: target,
          level: count > 0 ? Int(Int32(clamping: values![0])) : 3, $0.compressor)
      }
    guard ZSTD_isError(written) == 0 else {
      H5free_memory(target)
      return 0
    }
    H5free_memory(source)
    buffer.pointee = target
    capacity.pointee = room
    return written
  }
}

/// Zstandard of whole byte arrays.
package enum Zstd {
  /// The version of libzstd in use, such as `1.5.4`.
  package static var version: String { String(cString: ZSTD_versionString()) }

  /// One frame holding `bytes`.
  package static func compress(_ bytes: UnsafeRawBufferPointer, level: Int) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: bound(bytes.count)) { target, count in
      count = Workspace.use {
        compress(bytes, into: target.baseAddress!, level: level, $0.compressor)
      }
    }
  }

  /// The content of one frame; nil unless it decodes to exactly `size` bytes.
  package static func decompress(_ bytes: some Collection<UInt8>, size: Int) -> [UInt8]? {
    let source = Array(bytes)
    var isWhole = false
    let result = [UInt8](unsafeUninitializedCapacity: size) { output, count in
      let target = UnsafeMutableRawBufferPointer(start: output.baseAddress, count: size)
      isWhole = source.withUnsafeBytes { frame in
        Workspace.use { decompress(frame, into: target, $0.decompressor) }
      }
      count = isWhole ? size : 0
    }
    return isWhole ? result : nil
  }

  /// Whether bytes are something else than one frame that states its content's size: several frames, a frame to skip,
  /// one without a size. Decoders differ on what they make of those.
  static func isLoose(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard bytes.count >= 4 else { return false }
    // Magic numbers 0x184d2a50 to 0x184d2a5f.
    let magic = UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self))
    if magic & 0xffff_fff0 == 0x184d_2a50 { return true }
    let size = ZSTD_getFrameContentSize(bytes.baseAddress, bytes.count)
    // ZSTD_CONTENTSIZE_UNKNOWN, a macro that Swift does not see; the error before it is damage.
    if size == UInt64.max { return true }
    let length = ZSTD_findFrameCompressedSize(bytes.baseAddress, bytes.count)
    return ZSTD_isError(length) == 0 && length != bytes.count
  }

  /// Most bytes that a frame of `count` bytes takes.
  static func bound(_ count: Int) -> Int { ZSTD_compressBound(count) }

  /// Levels up to this one search by tables of hashes alone.
  private static let largestTunedLevel = 4
  /// Logarithm of their entries: tables that stay in the first cache, where the levels' own do not. Shuffled floats repeat
  /// themselves close by: up to 1.8 times as fast as libzstd's choice, files within 1.1 % (docs/design/decisions.md).
  private static let tableLog: Int32 = 12

  /// Writes one frame, which states its content's size, to `target`, which has room for `bound(bytes.count)`;
  /// returns its length.
  static func compress(
    _ bytes: UnsafeRawBufferPointer, into target: UnsafeMutableRawPointer, level: Int,
    _ context: OpaquePointer
  ) -> Int {
    ZSTD_CCtx_reset(context, ZSTD_reset_session_and_parameters)
    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, Int32(clamping: level))
    if (1...largestTunedLevel).contains(level) {
      for table in [ZSTD_c_hashLog, ZSTD_c_chainLog] {
        ZSTD_CCtx_setParameter(context, table, tableLog)
      }
    }
    let written = ZSTD_compress2(
      context, target, bound(bytes.count), bytes.baseAddress, bytes.count)
    // There is room, so that only memory can be short, and Swift's own allocations trap then too.
    precondition(ZSTD_isError(written) == 0, "out of memory")
    return written
  }

  /// Whether a frame decodes to exactly all of `target`.
  static func decompress(
    _ frame: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer,
    _ context: OpaquePointer
  ) -> Bool {
    guard !isLoose(frame) else { return false }
    let written = ZSTD_decompressDCtx(
      context, target.baseAddress, target.count, frame.baseAddress, frame.count)
    return ZSTD_isError(written) == 0 && written == target.count
  }
}
