private import Foundation

/// A small, fast, reproducible random generator: xoshiro256** seeded through SplitMix64
/// (Blackman & Vigna 2021, doi:10.1145/3460772). Not for secrets.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
  private var s0: UInt64
  private var s1: UInt64
  private var s2: UInt64
  private var s3: UInt64
  private var spareNormal: Double?

  /// A generator for a seed and a stream; different streams of one seed are independent for all purposes here.
  public init(seed: UInt64, stream: UInt64 = 0) {
    var state = seed ^ SplitMix64.mix(stream &+ 0x9e37_79b9_7f4a_7c15)
    s0 = SplitMix64.next(&state)
    s1 = SplitMix64.next(&state)
    s2 = SplitMix64.next(&state)
    s3 = SplitMix64.next(&state)
  }

  /// 64 random bits.
  public mutating func next() -> UInt64 {
    func rotate(_ x: UInt64, _ k: UInt64) -> UInt64 { x << k | x >> (64 - k) }
    let result = rotate(s1 &* 5, 7) &* 9
    let t = s1 << 17
    s2 ^= s0
    s3 ^= s1
    s1 ^= s2
    s0 ^= s3
    s2 ^= t
    s3 = rotate(s3, 45)
    return result
  }

  /// A number in [0, 1), 53 random bits.
  public mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// A standard normal number (Marsaglia's polar method).
  public mutating func normal() -> Double {
    if let spare = spareNormal {
      spareNormal = nil
      return spare
    }
    while true {
      let u = 2 * uniform() - 1
      let v = 2 * uniform() - 1
      let r = u * u + v * v
      if r > 0, r < 1 {
        let factor = (-2 * log(r) / r).squareRoot()
        spareNormal = v * factor
        return u * factor
      }
    }
  }

  /// A matrix of independent standard normal numbers.
  public mutating func normalMatrix(rows: Int, columns: Int) -> Matrix {
    var result = Matrix(rows: rows, columns: columns)
    for index in result.elements.indices { result.elements[index] = normal() }
    return result
  }

  /// `0..<count` in random order.
  public mutating func permutation(_ count: Int) -> [Int] {
    var result = Array(0..<count)
    shuffle(&result)
    return result
  }

  /// Brings elements into random order, in place. Written out because the standard library's shuffle may change its draws.
  public mutating func shuffle(_ elements: inout [Int]) {
    guard elements.count > 1 else { return }
    for last in stride(from: elements.count - 1, through: 1, by: -1) {
      elements.swapAt(last, Int(next().multipliedFullWidth(by: UInt64(last + 1)).high))
    }
  }
}

/// SplitMix64 (Steele, Lea & Flood 2014, doi:10.1145/2660193.2660195): one 64-bit mix.
public enum SplitMix64 {
  /// Advances `state` and returns the next output.
  public static func next(_ state: inout UInt64) -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    return mix(state)
  }

  /// The output function alone: a bijection that scatters its input.
  public static func mix(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}
