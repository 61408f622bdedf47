package import LinearAlgebra

/// Rows of x and of y for critics, in single precision, with what a closed-form log ratio says of each pair.
package struct CriticRows {
  /// [n, dx] and [n, dy], row-major.
  package let x: [Float]
  package let y: [Float]
  package let count: Int
  package let xWidth: Int
  package let yWidth: Int
  /// A critic that is known beforehand; nil: 0.
  var offset: PairOffset?

  package init(x: Matrix, y: Matrix) { self.init(x: x, y: y, offset: nil) }

  init(x: Matrix, y: Matrix, offset: PairOffset?) {
    self.x = x.elements.map { Float($0) }
    self.y = y.elements.map { Float($0) }
    count = x.rows
    (xWidth, yWidth) = (x.columns, y.columns)
    self.offset = offset
  }
}

/// A log ratio of the form a(x_i) + b(y_j) + u(x_i) · v(y_j).
struct PairOffset {
  /// [n] each.
  var a: [Float]
  var b: [Float]
  /// [n, width] each.
  var u: [Float]
  var v: [Float]
  var width: Int

  func scaled(by factor: Double) -> PairOffset {
    let scale = { (values: [Float]) in values.map { Float(factor) * $0 } }
    return PairOffset(a: scale(a), b: scale(b), u: scale(u), v: v, width: width)
  }
}

/// Pairs of a batch: block s holds (x_i, y_(i + shifts[s])) for every i, indices modulo the batch; `shifts[0]` is 0, the
/// matched pairs.
package final class PairBatch {
  package let size: Int
  package private(set) var rows: [Int] = []
  package private(set) var shifts: [Int] = []
  package let x: Buffer<Float>
  package let y: Buffer<Float>
  /// The closed-form part of each pair's score, [blocks, size].
  let offsets: Buffer<Float>
  let hasOffsets: Bool

  package init(size: Int, blocks: Int, like data: CriticRows) {
    self.size = size
    x = Buffer(count: size * data.xWidth)
    y = Buffer(count: size * data.yWidth)
    offsets = Buffer(count: size * blocks)
    hasOffsets = data.offset != nil
  }

  /// Fills with rows of `data`; `rows` has `size` elements.
  package func fill(_ data: CriticRows, rows: some Collection<Int>, shifts: some Collection<Int>) {
    // In place, so that a loop of training need not allocate.
    self.rows.replaceSubrange(self.rows.startIndex..., with: rows)
    self.shifts.replaceSubrange(self.shifts.startIndex..., with: shifts)
    data.x.withUnsafeBufferPointer { source in
      for (place, row) in self.rows.enumerated() {
        (x.start + place * data.xWidth).update(
          from: source.baseAddress! + row * data.xWidth, count: data.xWidth)
      }
    }
    data.y.withUnsafeBufferPointer { source in
      for (place, row) in self.rows.enumerated() {
        (y.start + place * data.yWidth).update(
          from: source.baseAddress! + row * data.yWidth, count: data.yWidth)
      }
    }
    guard let offset = data.offset else { return }
    let width = offset.width
    offset.u.withUnsafeBufferPointer { u in
      offset.v.withUnsafeBufferPointer { v in
        for (block, shift) in self.shifts.enumerated() {
          for i in 0..<size {
            let p = self.rows[i]
            let q = self.rows[i + shift < size ? i + shift : i + shift - size]
            var sum = offset.a[p] + offset.b[q]
            for k in 0..<width { sum += u[p &* width &+ k] * v[q &* width &+ k] }
            offsets.start[block &* size &+ i] = sum
          }
        }
      }
    }
  }

  /// Adds what is known beforehand to the scores of the batch's pairs, from an element on; nothing where that is 0.
  func addOffsets(to scores: Buffer<Float>, at place: Int) {
    guard hasOffsets else { return }
    for index in 0..<size * shifts.count { scores.start[place + index] += offsets.start[index] }
  }
}
