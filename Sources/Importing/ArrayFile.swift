private import Foundation
internal import SnapshotFormat
internal import Wire

/// An array in a file.
struct StoredArray {
  var name: String
  var type: Tensor.ElementType
  var shape: [Int]
  /// Elements.
  var count: Int
}

/// A file of named arrays, read one at a time.
protocol ArrayFile {
  var arrays: [StoredArray] { get }
  /// The bytes of an array, row-major and little-endian.
  func bytes(of index: Int) throws(SnapshotError) -> [UInt8]
}

/// Opens the files that gradients are dumped to.
enum ArrayFiles {
  /// Most bytes of one array.
  static let mostBytes = 1 << 33

  static func open(_ path: String) throws(SnapshotError) -> any ArrayFile {
    if path.hasSuffix(".safetensors") { return try SafetensorsFile(path) }
    if path.hasSuffix(".npz") { return try NumPyArchive(path) }
    throw SnapshotError(
      code: .notOurs, file: path, message: "expected a name that ends in .safetensors or .npz",
      remedy: "Save the arrays with safetensors or numpy.savez.")
  }
}

/// A file that is read in pieces, each checked against its length before it is allocated.
final class InputFile {
  let path: String
  let length: Int
  private let descriptor: Int32

  init(_ path: String) throws(SnapshotError) {
    self.path = path
    descriptor = Foundation.open(path, O_RDONLY | O_CLOEXEC)
    var status = stat()
    guard descriptor >= 0, fstat(descriptor, &status) == 0 else {
      let number = errno
      length = 0
      throw SnapshotError(
        code: number == ENOENT ? .notFound : .permission, file: path,
        message: "cannot read: \(String(cString: strerror(number)).lowercased())",
        remedy: "Check the path.")
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      length = 0
      throw SnapshotError(
        code: .notOurs, file: path, message: "expected a regular file", remedy: "Save it to one.")
    }
    length = Int(status.st_size)
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  func bytes(at offset: Int, count: Int) throws(SnapshotError) -> [UInt8] {
    guard offset >= 0, count >= 0, count <= length, offset <= length - count else {
      throw truncated()
    }
    let result = [UInt8](unsafeUninitializedCapacity: count) { target, done in
      done = 0
      while done < count {
        let got = pread(descriptor, target.baseAddress! + done, count - done, off_t(offset + done))
        if got <= 0 { break }
        done += got
      }
    }
    guard result.count == count else { throw truncated() }
    return result
  }

  func truncated() -> SnapshotError {
    SnapshotError(
      code: .truncated, file: path, message: "the file is cut off", remedy: "Copy it again.")
  }

  func invalid(_ object: String, _ message: String, _ remedy: String = "") -> SnapshotError {
    SnapshotError(
      code: .invalid, file: path, object: String(object.prefix(200)), message: message,
      remedy: remedy)
  }
}

/// A safetensors file.
struct SafetensorsFile: ArrayFile {
  let arrays: [StoredArray]
  private let tensors: [Tensor]
  private let file: InputFile
  private let start: Int

  /// Most bytes of a header, as the reference implementation has it.
  private static let mostHeader = 100_000_000

  init(_ path: String) throws(SnapshotError) {
    file = try InputFile(path)
    let length = try file.bytes(at: 0, count: 8).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    guard length <= UInt64(min(Self.mostHeader, file.length - 8)) else { throw file.truncated() }
    start = 8 + Int(length)
    do throws(SafetensorsHeader.Fault) {
      let header = try SafetensorsHeader(
        Self.bytes(file, Int(length)), dataBytes: file.length - start)
      tensors = header.tensors
    } catch {
      throw file.invalid("", error.message, "Save it again with safetensors.")
    }
    arrays = tensors.map {
      StoredArray(name: $0.name, type: $0.type, shape: $0.shape, count: $0.count)
    }
  }

  private static func bytes(_ file: InputFile, _ count: Int) -> [UInt8] {
    // Its length was checked; a file that shrinks meanwhile is no JSON.
    (try? file.bytes(at: 8, count: count)) ?? []
  }

  func bytes(of index: Int) throws(SnapshotError) -> [UInt8] {
    try file.bytes(at: start + tensors[index].begin, count: tensors[index].bytes)
  }
}
