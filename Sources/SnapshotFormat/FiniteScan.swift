/// Looks for numbers that are not finite at the speed of memory.
enum FiniteScan {
  static func areFinite(_ values: [Float]) -> Bool {
    values.withUnsafeBufferPointer { areFinite($0) }
  }

  static func areFinite(_ values: UnsafeBufferPointer<Float>) -> Bool {
    // A number is finite unless all bits of its exponent are set: the largest one tells.
    let block = 16
    let whole = values.count / block * block
    var largest = SIMD16<UInt32>.zero
    let bits = UnsafeRawBufferPointer(values)
    var index = 0
    while index < whole {
      let next = bits.loadUnaligned(fromByteOffset: index &* 4, as: SIMD16<UInt32>.self)
      let exponent = next & 0x7f80_0000
      largest.replace(with: exponent, where: exponent .> largest)
      index &+= block
    }
    return largest.max() < 0x7f80_0000 && values[whole...].allSatisfy(\.isFinite)
  }
}
