internal import CChecksum
private import Foundation
internal import HDF5

/// The bytes of a journal (spec/SPEC.md, part 3).
enum JournalFormat {
  static let magic: [UInt8] = Array("PTKJRNL".utf8) + [1]
  static let frameHead = 24
  static let updateHead = 16
  static let segmentHead = 32
  static let storedBody = 24
  static let longestPayload = 1 << 36

  enum FrameKind: UInt32 { case head = 1, update = 2 }
  enum SegmentKind: UInt32 { case inline = 0, stored = 1 }

  static func checksum(_ bytes: UnsafeRawBufferPointer, from crc: UInt32 = 0) -> UInt32 {
    ptk_crc32c(crc, bytes.baseAddress, bytes.count)
  }

  static func checksum(_ bytes: [UInt8], from crc: UInt32 = 0) -> UInt32 {
    bytes.withUnsafeBytes { checksum($0, from: crc) }
  }
}

/// Where a stored chunk lies in the store.
struct StoredChunk: Sendable, Equatable {
  var offset: UInt64
  var length: Int
  /// Filters that were skipped.
  var mask: UInt32
  /// CRC-32C of the stored bytes.
  var checksum: UInt32
}

extension [UInt8] {
  /// Appends a number, little-endian.
  mutating func append<T: FixedWidthInteger>(littleEndian value: T) {
    Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
  }
}

extension UnsafeRawBufferPointer {
  /// A little-endian number.
  func integer<T: FixedWidthInteger>(at offset: Int, as _: T.Type = T.self) -> T {
    T(littleEndian: loadUnaligned(fromByteOffset: offset, as: T.self))
  }
}

/// Frame 0 of a journal: all that a snapshot declares, and its columns.
struct JournalHead: Codable {
  struct Run: Codable {
    var runID, created, producer, model, training, observer: String
    enum CodingKeys: String, CodingKey {
      case runID = "run_id"
      case created, producer, model, training, observer
    }
  }

  struct Session: Codable {
    var firstStep: Int
    var started: String
    var cutBytes: UInt64
    var rank: UInt16
    enum CodingKeys: String, CodingKey {
      case firstStep = "first_step"
      case started
      case cutBytes = "cut_bytes"
      case rank
    }
  }

  struct Table: Codable {
    var name, unit, mode: String
    var schedule: String?
    var hasWeight, hasLocalSteps, hasMembers: Bool
    var streams: [Stream]
    enum CodingKeys: String, CodingKey {
      case name, unit, mode, schedule, streams
      case hasWeight = "has_weight"
      case hasLocalSteps = "has_local_steps"
      case hasMembers = "has_members"
    }
  }

  struct Stream: Codable {
    var name, kind, sketch: String
    var shape: [Int]
    var width: Int
    var layer, stage, role, unit: String?
    var sketchSeed: String?
    var sketchNonzeros: Int?
    var clipNorm, noiseMultiplier: Double?
    enum CodingKeys: String, CodingKey {
      case name, kind, shape, width, sketch, layer, stage, role, unit
      case sketchSeed = "sketch_seed"
      case sketchNonzeros = "sketch_nonzeros"
      case clipNorm = "clip_norm"
      case noiseMultiplier = "noise_multiplier"
    }
  }

  struct ColumnEntry: Codable {
    var path, type: String
    var width: Int
    var chunkRows: Int
    var filters: [[Int]]
    enum CodingKeys: String, CodingKey {
      case path, type, width, filters
      case chunkRows = "chunk_rows"
    }
  }

  var format, version, id, store: String
  var run: Run
  var lossUnit: String
  var sessions: [Session]
  var compression: String
  var tables: [Table]
  var hasTrainable: Bool
  var columns: [ColumnEntry]

  enum CodingKeys: String, CodingKey {
    case format, version, id, store, run, sessions, compression, tables, columns
    case lossUnit = "loss_unit"
    case hasTrainable = "has_trainable"
  }
}
