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
    let scale = 1 / Double(descriptor.nonzeros).squareRoot()
    var result = [Float]()
    result.reserveCapacity(rows * descriptor.width)
    var sums = [Double](repeating: 0, count: descriptor.width)
    for row in 0..<rows {
      for place in sums.indices { sums[place] = 0 }
      var placement = 0
      for input in 0..<inputs {
        let value = Double(values[row &* inputs &+ input])
        for _ in 0..<descriptor.nonzeros {
          let code = placements[placement]
          sums[Int(code >> 1)] += code & 1 == 0 ? value : -value
          placement &+= 1
        }
      }
      result.append(contentsOf: sums.lazy.map { Float($0 * scale) })
    }
    return result
  }
}
