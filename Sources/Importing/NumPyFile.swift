public import SnapshotFormat
internal import Wire

/// A .npy file of rows of numbers.
public enum NumPyFile {
  /// Rows of numbers, row-major.
  public struct Rows: Sendable {
    /// Number of rows.
    public let rows: Int
    /// Number of columns; 1 for an array of shape [n].
    public let columns: Int
    /// All elements.
    public let elements: [Double]
  }

  /// Reads an array of shape [n] or [n, columns] of floats or whole numbers.
  ///
  /// - Throws: `SnapshotError` for other files, and for whole numbers that a double cannot hold.
  public static func matrix(_ path: String) throws(SnapshotError) -> Rows {
    let (header, bytes, file) = try read(path)
    return try rows(header, bytes, file)
  }

  private static func rows(
    _ header: NumPyHeader, _ bytes: [UInt8], _ file: InputFile
  ) throws(SnapshotError) -> Rows {
    let elements: [Double]? = bytes.withUnsafeBytes { bytes in
      func all<T>(_ type: T.Type, _ convert: (T) -> Double) -> [Double] {
        (0..<header.count).map {
          convert(bytes.loadUnaligned(fromByteOffset: $0 * MemoryLayout<T>.size, as: type))
        }
      }
      return switch header.type {
      case .f64: all(Double.self) { $0 }
      case .f32: all(Float.self) { Double($0) }
      case .f16: all(UInt16.self) { Double(HalfPrecision.float($0)) }
      case .u8, .bool: all(UInt8.self) { Double($0) }
      case .i8: all(Int8.self) { Double($0) }
      case .i16: all(Int16.self) { Double($0) }
      case .u16: all(UInt16.self) { Double($0) }
      case .i32: all(Int32.self) { Double($0) }
      case .u32: all(UInt32.self) { Double($0) }
      case .i64: exact(all(Int64.self) { Double(exactly: $0) ?? .nan })
      case .u64: exact(all(UInt64.self) { Double(exactly: $0) ?? .nan })
      case .bf16: nil
      }
    }
    guard let elements else {
      throw file.invalid(
        "", "expected whole numbers up to 2^53, found larger ones",
        "They would be rounded: subtract a constant, or save them as floats.")
    }
    let columns = header.shape.count == 2 ? header.shape[1] : 1
    return Rows(rows: header.shape[0], columns: columns, elements: elements)
  }

  /// Reads an array of shape [n] of whole numbers, such as ids.
  ///
  /// - Throws: `SnapshotError` for other files, and for floats beyond 2^53, where one may stand for several numbers.
  public static func integers(_ path: String) throws(SnapshotError) -> [Int] {
    let (header, bytes, file) = try read(path)
    if header.shape.dropFirst().allSatisfy({ $0 == 1 }),
      header.type == .i64 || header.type == .u64
    {
      // Bits as they are: ids need only be told apart.
      return bytes.withUnsafeBytes { bytes in
        (0..<header.count).map { bytes.loadUnaligned(fromByteOffset: $0 * 8, as: Int.self) }
      }
    }
    let array = try rows(header, bytes, file)
    let whole = array.elements.compactMap { abs($0) <= 0x1p53 ? Int(exactly: $0) : nil }
    guard array.columns == 1, whole.count == array.rows else {
      throw file.invalid(
        "", "expected one whole number for each row", "Save an array of integers of shape [n].")
    }
    return whole
  }

  /// No number stands for one that a double cannot hold.
  private static func exact(_ values: [Double]) -> [Double]? {
    values.contains { $0.isNaN } ? nil : values
  }

  private static func read(
    _ path: String
  ) throws(SnapshotError) -> (NumPyHeader, [UInt8], InputFile) {
    let file = try InputFile(path)
    guard file.length <= ArrayFiles.mostBytes else {
      throw file.invalid("", "expected at most \(ArrayFiles.mostBytes) bytes", "Save fewer rows.")
    }
    let header: NumPyHeader
    do throws(NumPyHeader.Fault) {
      header = try NumPyHeader(try head(file))
      guard header.shape.count == 1 || header.shape.count == 2, header.count > 0 else {
        throw NumPyHeader.Fault(
          message: "expected shape [n] or [n, columns], found \(header.shape)",
          remedy: header.count > 0
            ? "Save x.reshape(n, -1), with n the rows." : "Save at least one row.")
      }
      let expected = header.length + header.count * header.type.size
      guard expected == file.length else {
        throw NumPyHeader.Fault(message: "expected \(expected) bytes, found \(file.length)")
      }
    } catch {
      throw file.invalid("", error.message, error.remedy)
    }
    let bytes = try file.bytes(at: header.length, count: file.length - header.length)
    return (header, bytes, file)
  }

  private static func head(_ file: InputFile) throws(NumPyHeader.Fault) -> ArraySlice<UInt8> {
    do { return try file.bytes(at: 0, count: min(file.length, 64 << 10))[...] } catch {
      throw NumPyHeader.Fault(message: "expected an array of numpy")
    }
  }
}
