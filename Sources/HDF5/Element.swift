import CHDF5

/// A number type that datasets and attributes may hold.
package protocol Element: BitwiseCopyable, Sendable {
  /// The element type as files know it.
  static var elementType: ElementType { get }
}

/// The element types that this module reads and writes; stored little-endian.
package enum ElementType: Sendable, Hashable, CustomStringConvertible {
  /// Signed and unsigned integers and IEEE floats, by width in bits.
  case int8, uint8, int16, uint16, int32, uint32, int64, uint64, float32, float64
  /// Fixed-length UTF-8 text of so many bytes.
  case string(Int)
  /// Anything else, described; never read.
  case other(String)

  /// A short name such as `float32`.
  package var description: String {
    switch self {
    case .int8: "int8"
    case .uint8: "uint8"
    case .int16: "int16"
    case .uint16: "uint16"
    case .int32: "int32"
    case .uint32: "uint32"
    case .int64: "int64"
    case .uint64: "uint64"
    case .float32: "float32"
    case .float64: "float64"
    case .string(let size): "string[\(size)]"
    case .other(let words): words
    }
  }

  /// The number type of a name as `description` gives it; nil for any other text.
  package init?(name: String) {
    let numbers: [ElementType] = [
      .int8, .uint8, .int16, .uint16, .int32, .uint32, .int64, .uint64, .float32, .float64,
    ]
    guard let type = numbers.first(where: { $0.description == name }) else { return nil }
    self = type
  }

  /// Bytes of one element; 0 for `other`.
  package var size: Int {
    switch self {
    case .int8, .uint8: 1
    case .int16, .uint16: 2
    case .int32, .uint32, .float32: 4
    case .int64, .uint64, .float64: 8
    case .string(let size): size
    case .other: 0
    }
  }

  /// libhdf5's native type; call under the lock.
  var memory: hid_t {
    switch self {
    case .int8: ptk_native_int8()
    case .uint8: ptk_native_uint8()
    case .int16: ptk_native_int16()
    case .uint16: ptk_native_uint16()
    case .int32: ptk_native_int32()
    case .uint32: ptk_native_uint32()
    case .int64: ptk_native_int64()
    case .uint64: ptk_native_uint64()
    case .float32: ptk_native_float()
    case .float64: ptk_native_double()
    case .string, .other: -1
    }
  }

  /// libhdf5's little-endian type; call under the lock.
  var stored: hid_t {
    switch self {
    case .int8: ptk_std_int8()
    case .uint8: ptk_std_uint8()
    case .int16: ptk_std_int16()
    case .uint16: ptk_std_uint16()
    case .int32: ptk_std_int32()
    case .uint32: ptk_std_uint32()
    case .int64: ptk_std_int64()
    case .uint64: ptk_std_uint64()
    case .float32: ptk_std_float()
    case .float64: ptk_std_double()
    case .string, .other: -1
    }
  }

  /// Recognises a type of a file; call under the lock.
  init(id: hid_t) {
    let size = H5Tget_size(id)
    switch H5Tget_class(id) {
    case H5T_STRING:
      self = H5Tis_variable_str(id) > 0 ? .other("variable-length string") : .string(size)
    case H5T_INTEGER, H5T_FLOAT:
      let known: [ElementType] = [
        .int8, .uint8, .int16, .uint16, .int32, .uint32, .int64, .uint64, .float32, .float64,
      ]
      self =
        known.first { H5Tequal(id, $0.stored) > 0 }
        ?? .other("a \(size)-byte number in another byte order or layout")
    case H5T_COMPOUND: self = .other("compound")
    case H5T_ENUM: self = .other("enumeration")
    case H5T_REFERENCE: self = .other("reference")
    case H5T_VLEN: self = .other("variable-length array")
    case H5T_ARRAY: self = .other("array")
    case H5T_OPAQUE: self = .other("opaque")
    case H5T_BITFIELD: self = .other("bit field")
    default: self = .other("unknown type")
    }
  }
}

extension Int8: Element { package static var elementType: ElementType { .int8 } }
extension UInt8: Element { package static var elementType: ElementType { .uint8 } }
extension Int16: Element { package static var elementType: ElementType { .int16 } }
extension UInt16: Element { package static var elementType: ElementType { .uint16 } }
extension Int32: Element { package static var elementType: ElementType { .int32 } }
extension UInt32: Element { package static var elementType: ElementType { .uint32 } }
extension Int64: Element { package static var elementType: ElementType { .int64 } }
extension UInt64: Element { package static var elementType: ElementType { .uint64 } }
extension Float: Element { package static var elementType: ElementType { .float32 } }
extension Double: Element { package static var elementType: ElementType { .float64 } }
