/// HDF5's byte shuffle: transposes [elements, bytes]; bytes past the last whole element stay at the end.
package enum Shuffle {
  /// The bytes with first bytes of all elements first, then second bytes, ...
  package static func apply(_ input: UnsafeRawBufferPointer, elementSize: Int) -> [UInt8] {
    array(input) { apply(input, into: $0, elementSize: elementSize) }
  }

  /// The inverse of `apply`.
  package static func undo(_ input: UnsafeRawBufferPointer, elementSize: Int) -> [UInt8] {
    array(input) { undo(input, into: $0, elementSize: elementSize) }
  }

  /// As above, into `output`: other memory of at least `input.count` bytes.
  package static func apply(
    _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawPointer, elementSize: Int
  ) {
    guard let source = input.baseAddress else { return }
    let elements = input.count / max(elementSize, 1)
    switch elementSize {
    case ...1: output.copyMemory(from: source, byteCount: input.count)
    case 2: split(source, output, elements, UInt16.self)
    case 4: split(source, output, elements, UInt32.self)
    case 8: split(source, output, elements, UInt64.self)
    default: transpose(source, output, rows: elements, columns: elementSize)
    }
    copyRest(input, output, elements, elementSize)
  }

  /// As above, into `output`: other memory of at least `input.count` bytes.
  package static func undo(
    _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawPointer, elementSize: Int
  ) {
    guard let source = input.baseAddress else { return }
    let elements = input.count / max(elementSize, 1)
    switch elementSize {
    case ...1: output.copyMemory(from: source, byteCount: input.count)
    case 2: join(source, output, elements, UInt16.self)
    case 4: join(source, output, elements, UInt32.self)
    case 8: join(source, output, elements, UInt64.self)
    default: transpose(source, output, rows: elementSize, columns: elements)
    }
    copyRest(input, output, elements, elementSize)
  }

  private static func array(
    _ input: UnsafeRawBufferPointer, _ body: (UnsafeMutableRawPointer) -> Void
  ) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: input.count) { output, count in
      if let target = output.baseAddress { body(UnsafeMutableRawPointer(target)) }
      count = input.count
    }
  }

  private static func copyRest(
    _ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawPointer, _ elements: Int, _ size: Int
  ) {
    for index in (elements * max(size, 1))..<input.count {
      output.storeBytes(of: input[index], toByteOffset: index, as: UInt8.self)
    }
  }

  /// Each inner loop is one that the compiler turns into vector shifts and packs; blocks stay in the first-level
  /// cache, so that reading them once per byte costs no memory traffic.
  @inline(__always)
  private static func split<Word: FixedWidthInteger & UnsignedInteger>(
    _ input: UnsafeRawPointer, _ output: UnsafeMutableRawPointer, _ elements: Int, _: Word.Type
  ) {
    let size = MemoryLayout<Word>.size
    var start = 0
    while start < elements {
      let block = min(1024, elements &- start)
      let source = input + start &* size
      for byte in 0..<size {
        let target = output + (byte &* elements &+ start)
        let shift = Word(truncatingIfNeeded: 8 &* byte)
        for index in 0..<block {
          let word = source.loadUnaligned(fromByteOffset: index &* size, as: Word.self)
          target.storeBytes(
            of: UInt8(truncatingIfNeeded: word.littleEndian &>> shift), toByteOffset: index,
            as: UInt8.self)
        }
      }
      start &+= block
    }
  }

  /// The inner loop unrolls, the outer one becomes vector code.
  @inline(__always)
  private static func join<Word: FixedWidthInteger & UnsignedInteger>(
    _ input: UnsafeRawPointer, _ output: UnsafeMutableRawPointer, _ elements: Int, _: Word.Type
  ) {
    let size = MemoryLayout<Word>.size
    for index in 0..<elements {
      var word: Word = 0
      for byte in 0..<size {
        let value = input.load(fromByteOffset: byte &* elements &+ index, as: UInt8.self)
        word |= Word(truncatingIfNeeded: value) &<< Word(truncatingIfNeeded: 8 &* byte)
      }
      output.storeBytes(of: word.littleEndian, toByteOffset: index &* size, as: Word.self)
    }
  }

  private static func transpose(
    _ input: UnsafeRawPointer, _ output: UnsafeMutableRawPointer, rows: Int, columns: Int
  ) {
    // A hostile file may declare elements larger than its chunks.
    guard rows > 0 else { return }
    for column in 0..<columns {
      let target = output + column &* rows
      for row in 0..<rows {
        target.storeBytes(
          of: input.load(fromByteOffset: row &* columns &+ column, as: UInt8.self),
          toByteOffset: row, as: UInt8.self)
      }
    }
  }
}
