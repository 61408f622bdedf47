public import SnapshotFormat

/// The seeded sparse sign projection that makes a wide gradient a few hundred numbers
/// (Li, Hastie & Church 2006, doi:10.1145/1150402.1150436; the layout follows Count-Sketch).
///
/// Element j of the input is added, with a sign, to `nonzeros` places of the output; spec/SPEC.md, section
/// "The sketch", fixes places, signs and scale. Inner products are kept on average:
/// E<S a, S b> = <a, b>, with a variance of at most 2 |a|² |b|² / width.
public struct Sketch: Sendable {
  /// What files say about this sketch.
  public let descriptor: SketchDescriptor
  /// Elements of an input row.
  public let inputs: Int
  /// Place of each nonzero, its sign in the lowest bit: [inputs * nonzeros].
  private let placements: [UInt32]

  /// Prepares a sketch; O(inputs * nonzeros) time and memory.
  public init(_ descriptor: SketchDescriptor, inputs: Int) {
    self.descriptor = descriptor
    self.inputs = inputs
    let width = UInt64(descriptor.width)
    placements = (0..<inputs).flatMap { input in
      (0..<descriptor.nonzeros).map { nonzero in
        let hash = Self.hash(
          descriptor.seed, UInt64(input) &* UInt64(descriptor.nonzeros) &+ UInt64(nonzero))
        let place = (hash >> 32 &* width) >> 32
        return UInt32(place) << 1 | UInt32(hash & 1)
      }
    }
  }

  /// SplitMix64's output for the n-th state after `seed`.
  private static func hash(_ seed: UInt64, _ n: UInt64) -> UInt64 {
    var z = seed &+ (n &+ 1) &* 0x9e37_79b9_7f4a_7c15
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  /// Sketches rows: [rows, inputs] in, [rows, width] out, row-major; sums in double precision.
  public func callAsFunction(_ values: [Float]) -> [Float] {
    precondition(values.count % max(inputs, 1) == 0, "values are not whole rows")
    let rows = inputs == 0 ? 0 : values.count / inputs
    let width = descriptor.width
    return [Float](unsafeUninitializedCapacity: rows * width) { result, count in
      var sums = [SIMD8<Double>](repeating: .zero, count: width)
      values.withUnsafeBufferPointer { values in
        sums.withUnsafeMutableBufferPointer { sums in
          for first in stride(from: 0, to: rows, by: 8) {
            let taken = min(8, rows - first)
            sums.update(repeating: .zero)
            add(values.baseAddress! + first * inputs, rows: taken, to: sums.baseAddress!)
            let scale = 1 / Double(descriptor.nonzeros).squareRoot()
            for row in 0..<taken {
              let start = (first + row) * width
              for place in 0..<width {
                (result.baseAddress! + start + place).initialize(
                  to: Float(sums[place][row] * scale))
              }
            }
          }
        }
      }
      count = rows * width
    }
  }

  /// Adds up to eight rows to the sums at once, so that each place is looked up once for all of them.
  private func add(
    _ values: UnsafePointer<Float>, rows: Int, to sums: UnsafeMutablePointer<SIMD8<Double>>
  ) {
    let (inputs, nonzeros) = (inputs, descriptor.nonzeros)
    placements.withUnsafeBufferPointer { placements in
      var placement = placements.baseAddress!
      for input in 0..<inputs {
        var value = SIMD8<Double>.zero
        for row in 0..<rows { value[row] = Double(values[row &* inputs &+ input]) }
        let negative = -value
        for _ in 0..<nonzeros {
          let code = placement.pointee
          sums[Int(code >> 1)] += code & 1 == 0 ? value : negative
          placement += 1
        }
      }
    }
  }
}
