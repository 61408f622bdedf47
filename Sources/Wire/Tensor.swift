/// An array in a frame: what its header says about it.
package struct Tensor: Sendable, Equatable {
  /// Types of elements that frames may have, by their safetensors names.
  package enum ElementType: String, Sendable {
    case u8 = "U8"
    case u32 = "U32"
    case i32 = "I32"
    case f16 = "F16"
    case bf16 = "BF16"
    case f32 = "F32"
    case f64 = "F64"
    // Known to safetensors files, used by none of our messages.
    case bool = "BOOL"
    case i8 = "I8"
    case i16 = "I16"
    case u16 = "U16"
    case i64 = "I64"
    case u64 = "U64"

    /// Bytes of an element.
    package var size: Int {
      switch self {
      case .u8, .i8, .bool: 1
      case .f16, .bf16, .i16, .u16: 2
      case .u32, .i32, .f32: 4
      case .f64, .i64, .u64: 8
      }
    }
  }

  package var name: String
  package var type: ElementType
  package var shape: [Int]
  /// First byte in the data.
  package var begin: Int
  /// Elements.
  package var count: Int
  /// Bytes.
  package var bytes: Int { count * type.size }

  package init(name: String, type: ElementType, shape: [Int], begin: Int, count: Int) {
    self.name = name
    self.type = type
    self.shape = shape
    self.begin = begin
    self.count = count
  }
}

/// Sixteen-bit floats as single precision, exactly.
package enum HalfPrecision {
  /// IEEE 754 binary16.
  package static func float(_ bits: UInt16) -> Float {
    let sign = UInt32(bits & 0x8000) << 16
    let exponent = UInt32(bits >> 10 & 0x1f)
    let fraction = UInt32(bits & 0x3ff)
    switch exponent {
    case 0:
      // Subnormal: fraction x 2^-24, which single precision has a normal number for.
      let magnitude = Float(fraction) * 0x1p-24
      return sign == 0 ? magnitude : -magnitude
    case 31: return Float(bitPattern: sign | 0x7f80_0000 | fraction << 13)
    default: return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
    }
  }

  /// bfloat16: the upper half of single precision.
  package static func bfloat(_ bits: UInt16) -> Float { Float(bitPattern: UInt32(bits) << 16) }
}
