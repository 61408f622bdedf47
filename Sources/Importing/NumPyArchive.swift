internal import HDF5
internal import SnapshotFormat
internal import Wire

/// An .npz file: a zip archive of .npy arrays, stored or deflated.
struct NumPyArchive: ArrayFile {
  private struct Entry {
    var name: String
    var isDeflated: Bool
    var stored: Int
    var size: Int
    /// Of its local head.
    var offset: Int
  }

  let arrays: [StoredArray]
  private let entries: [Entry]
  private let headers: [NumPyHeader]
  private let file: InputFile

  /// Most bytes that are looked at for a header.
  private static let mostHeader = 64 << 10

  init(_ path: String) throws(SnapshotError) {
    file = try InputFile(path)
    entries = try Self.directory(of: file)
    var headers: [NumPyHeader] = []
    for entry in entries {
      guard entry.size <= ArrayFiles.mostBytes else {
        throw file.invalid(entry.name, "expected at most \(ArrayFiles.mostBytes) bytes")
      }
      let first = try Self.content(of: entry, in: file, atMost: min(entry.size, Self.mostHeader))
      do throws(NumPyHeader.Fault) {
        let header = try NumPyHeader(first[...])
        let bytes = header.count * header.type.size
        guard header.length + bytes == entry.size else {
          throw NumPyHeader.Fault(
            message: "expected \(header.length + bytes) bytes, found \(entry.size)")
        }
        headers.append(header)
      } catch {
        throw file.invalid(entry.name, error.message)
      }
    }
    self.headers = headers
    arrays = zip(entries, headers).map { entry, header in
      let name = entry.name.hasSuffix(".npy") ? String(entry.name.dropLast(4)) : entry.name
      return StoredArray(name: name, type: header.type, shape: header.shape, count: header.count)
    }
  }

  func bytes(of index: Int) throws(SnapshotError) -> [UInt8] {
    let entry = entries[index]
    return Array(
      try Self.content(of: entry, in: file, atMost: entry.size)[headers[index].length...])
  }

  /// The first bytes of an entry.
  private static func content(
    of entry: Entry, in file: InputFile, atMost count: Int
  ) throws(SnapshotError) -> [UInt8] {
    let head = try file.bytes(at: entry.offset, count: 30)
    guard head.starts(with: [0x50, 0x4b, 3, 4]) else {
      throw file.invalid(entry.name, "expected an entry of a zip archive")
    }
    let start = entry.offset + 30 + integer(head, 26, 2) + integer(head, 28, 2)
    guard entry.isDeflated else {
      guard entry.stored == entry.size else {
        throw file.invalid(entry.name, "expected as many bytes stored as there are")
      }
      return try file.bytes(at: start, count: count)
    }
    let stored = try file.bytes(at: start, count: entry.stored)
    guard let bytes = RawDeflate.inflate(stored, atMost: count) else {
      throw file.invalid(entry.name, "expected \(count) deflated bytes", "Save it again.")
    }
    return bytes
  }

  /// The entries that the central directory names.
  private static func directory(of file: InputFile) throws(SnapshotError) -> [Entry] {
    let tail = try file.bytes(
      at: max(0, file.length - 65_557), count: min(file.length, 65_557))
    let mark: [UInt8] = [0x50, 0x4b, 5, 6]
    guard tail.count >= 22,
      let end = (0...tail.count - 22).reversed().first(where: {
        tail[$0] == mark[0] && tail[$0..<$0 + 4].elementsEqual(mark)
      })
    else {
      throw SnapshotError(
        code: .notOurs, file: file.path, message: "expected a zip archive of numpy arrays",
        remedy: "Save it with numpy.savez.")
    }
    var (count, size, offset) = (
      integer(tail, end + 10, 2), integer(tail, end + 12, 4), integer(tail, end + 16, 4)
    )
    // Larger numbers are in a record of their own, to which a locator points.
    if count == 0xffff || size == 0xffff_ffff || offset == 0xffff_ffff, end >= 20 {
      let record = integer(tail, end - 20 + 8, 8)
      let long = try file.bytes(at: record, count: 56)
      (count, size, offset) = (
        integer(long, 32, 8), integer(long, 40, 8), integer(long, 48, 8)
      )
    }
    guard count <= 65_536, size <= 64 << 20 else {
      throw file.invalid("", "expected at most 65536 arrays, found \(count)")
    }
    let bytes = try file.bytes(at: offset, count: size)
    var entries: [Entry] = []
    var position = 0
    for _ in 0..<count {
      guard bytes.count - position >= 46,
        bytes[position..<position + 4].elementsEqual([0x50, 0x4b, 1, 2])
      else { throw file.invalid("", "expected a directory of \(count) entries") }
      let method = integer(bytes, position + 10, 2)
      var stored = integer(bytes, position + 20, 4)
      var length = integer(bytes, position + 24, 4)
      var start = integer(bytes, position + 42, 4)
      let lengths = (28...32).filter { $0 % 2 == 0 }.map { integer(bytes, position + $0, 2) }
      let nameEnd = position + 46 + lengths[0]
      let extraEnd = nameEnd + lengths[1]
      guard extraEnd + lengths[2] <= bytes.count else { throw file.truncated() }
      let name = String(decoding: bytes[position + 46..<nameEnd], as: UTF8.self)
      // The field of long numbers has those that are all ones, in this order.
      var field = nameEnd
      while field + 4 <= extraEnd {
        let (kind, width) = (integer(bytes, field, 2), integer(bytes, field + 2, 2))
        guard field + 4 + width <= extraEnd else { break }
        if kind == 1 {
          var next = field + 4
          func long(_ value: inout Int) {
            guard value == 0xffff_ffff, next + 8 <= field + 4 + width else { return }
            value = integer(bytes, next, 8)
            next += 8
          }
          long(&length)
          long(&stored)
          long(&start)
        }
        field += 4 + width
      }
      guard method == 0 || method == 8 else {
        throw file.invalid(name, "expected a stored or deflated entry, found method \(method)")
      }
      entries.append(
        Entry(name: name, isDeflated: method == 8, stored: stored, size: length, offset: start))
      position = extraEnd + lengths[2]
    }
    return entries
  }

  /// A little-endian number; beyond 62 bits, one that no file has.
  private static func integer(_ bytes: [UInt8], _ offset: Int, _ width: Int) -> Int {
    let value = bytes[offset..<offset + width].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return Int(clamping: value & ~(3 << 62)) | (value >> 62 == 0 ? 0 : 1 << 61)
  }
}
