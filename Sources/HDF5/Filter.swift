import CHDF5

/// A step of a dataset's filter pipeline, applied in order to each chunk when it is written.
package enum Filter: Sendable, Hashable, CustomStringConvertible {
  /// Byte shuffle: first bytes of all elements, then second bytes, ... (HDF5 filter 2).
  case shuffle
  /// zlib's deflate at level 0...9 (HDF5 filter 1).
  case deflate(Int)
  /// Fletcher-32 checksum of the chunk (HDF5 filter 3).
  case fletcher32
  /// Zstandard at level 1...22 (registered HDF5 filter 32015).
  case zstd(Int)
  /// A filter that this module does not run.
  case unknown(Int)

  /// HDF5's registered number of the filter.
  package var id: Int {
    switch self {
    case .deflate: 1
    case .shuffle: 2
    case .fletcher32: 3
    case .zstd: Int(ZstdFilter.id)
    case .unknown(let id): id
    }
  }

  package var description: String {
    switch self {
    case .shuffle: "shuffle"
    case .deflate(let level): "deflate(\(level))"
    case .fletcher32: "fletcher32"
    case .zstd(let level): "zstd(\(level))"
    case .unknown(let id): "filter \(id)"
    }
  }

  /// Adds this filter to a dataset-creation property list; call under the lock.
  func add(to properties: hid_t) -> Bool {
    switch self {
    case .shuffle: H5Pset_shuffle(properties) >= 0
    case .deflate(let level): H5Pset_deflate(properties, UInt32(clamping: level)) >= 0
    case .fletcher32: H5Pset_fletcher32(properties) >= 0
    case .zstd(let level):
      withUnsafePointer(to: UInt32(clamping: level)) {
        H5Pset_filter(properties, ZstdFilter.id, UInt32(H5Z_FLAG_MANDATORY), 1, $0) >= 0
      }
    case .unknown: false
    }
  }

  /// The pipeline of a dataset-creation property list; call under the lock.
  static func pipeline(of properties: hid_t) -> [Filter] {
    (0..<UInt32(max(0, H5Pget_nfilters(properties)))).map { index in
      var flags: UInt32 = 0
      var configuration: UInt32 = 0
      var count = 8
      var values = [UInt32](repeating: 0, count: 8)
      let id = H5Pget_filter2(properties, index, &flags, &count, &values, 0, nil, &configuration)
      switch Int(id) {
      case 1: return .deflate(Int(values[0]))
      case 2: return .shuffle
      case 3: return .fletcher32
      case Int(ZstdFilter.id): return .zstd(count > 0 ? Int(values[0]) : 3)
      default: return .unknown(Int(id))
      }
    }
  }
}
