internal import Wire

/// The header of a .npy array (numpy's NEP 1): a literal of a Python dictionary.
struct NumPyHeader {
  var type: Tensor.ElementType
  var shape: [Int]
  var count: Int
  /// Bytes before the data.
  var length: Int

  /// What is wrong with a header, in words, and what helps.
  struct Fault: Error {
    var message: String
    var remedy = "Save it with numpy.save."
  }

  /// Reads a header from the first bytes of an entry.
  init(_ bytes: ArraySlice<UInt8>) throws(Fault) {
    let bytes = Array(bytes)
    guard bytes.count >= 12, bytes.starts(with: [0x93] + Array("NUMPY".utf8)) else {
      throw Fault(message: "expected an array of numpy")
    }
    let isLong = bytes[6] >= 2
    let start = isLong ? 12 : 10
    let size =
      isLong
      ? bytes[8..<12].reversed().reduce(0) { $0 << 8 | Int($1) }
      : Int(bytes[8]) | Int(bytes[9]) << 8
    guard size <= bytes.count - start else { throw Fault(message: "expected a shorter header") }
    length = start + size
    let text = String(decoding: bytes[start..<length], as: UTF8.self)
    guard let descr = text.firstMatch(of: /'descr':\s*'([^']*)'/),
      let order = text.firstMatch(of: /'fortran_order':\s*(True|False)/),
      let list = text.firstMatch(of: /'shape':\s*\(([0-9, ]*)\)/)
    else { throw Fault(message: "expected an array of numbers, with descr, order and shape") }
    let types: [String: Tensor.ElementType] = [
      "<f4": .f32, "<f8": .f64, "<f2": .f16, "<i4": .i32, "<i8": .i64, "<u4": .u32, "<u8": .u64,
      "|u1": .u8, "|i1": .i8, "<i2": .i16, "<u2": .u16, "|b1": .bool,
    ]
    guard let type = types[String(descr.1)] else {
      let isSwapped = descr.1.hasPrefix(">")
      throw Fault(
        message:
          "expected \(isSwapped ? "little-endian numbers" : "real numbers of at most 64 bits"), found '\(descr.1.prefix(40))'",
        remedy: "Save x.astype(float)\(isSwapped ? "" : ", or codes of what is no number").")
    }
    self.type = type
    let lengths = list.1.split(separator: ",").map { $0.filter { $0 != " " } }
      .filter { !$0.isEmpty }.map { Int($0) }
    guard !lengths.contains(nil), lengths.count <= 32 else {
      throw Fault(message: "expected a shape of at most 32 lengths")
    }
    shape = lengths.compactMap { $0 }
    count = 1
    for length in shape {
      let (product, overflows) = count.multipliedReportingOverflow(by: length)
      guard !overflows, product <= 1 << 40 else {
        throw Fault(message: "expected at most 2^40 elements")
      }
      count = product
    }
    guard order.1 == "False" || shape.count < 2 else {
      throw Fault(
        message: "expected row-major order, found column-major",
        remedy: "Save numpy.ascontiguousarray(x).")
    }
  }
}
