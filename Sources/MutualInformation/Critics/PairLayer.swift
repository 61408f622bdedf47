private import CKernels
internal import LinearAlgebra

/// The first layer of a joint critic: linear in x and in y, so that its part of x and its part of y are computed once for
/// each row and added for each pair. Exact, and for wide rows most of the cost saved.
final class PairLayer {
  /// How what it gives lies in memory.
  enum Layout {
    /// [pairs, width], for products of matrices.
    case rows
    /// [width, pairs], for layers of few numbers.
    case channels
  }

  let xWidth: Int
  let yWidth: Int
  let width: Int
  let layout: Layout
  /// [size, width] or [width, size].
  private var xPart = Buffer<Float>(count: 0)
  private var yPart = Buffer<Float>(count: 0)
  private var xGradient = Buffer<Float>(count: 0)
  private var yGradient = Buffer<Float>(count: 0)

  init(xWidth: Int, yWidth: Int, width: Int, layout: Layout) {
    (self.xWidth, self.yWidth, self.width, self.layout) = (xWidth, yWidth, width, layout)
  }

  /// Weights of x [xWidth, width], of y [yWidth, width], biases [width].
  var parameterCount: Int { (xWidth + yWidth + 1) * width }
  private var biases: Int { (xWidth + yWidth) * width }

  func initialize(
    _ parameters: UnsafeMutablePointer<Float>, _ generator: inout SeededGenerator
  ) {
    DenseLayer<Float>(xWidth + yWidth, width).initialize(parameters, &generator)
  }

  func reserve(size: Int) {
    guard xPart.count < size * width else { return }
    xPart = Buffer(count: size * width)
    yPart = Buffer(count: size * width)
    xGradient = Buffer(count: size * width)
    yGradient = Buffer(count: size * width)
  }

  /// Computes the parts of a batch's rows, for the pairs that are asked for next, and forgets gradients.
  func prepare(_ batch: PairBatch, _ parameters: UnsafePointer<Float>) {
    let size = batch.size
    let bias = parameters + biases
    switch layout {
    case .rows:
      for row in 0..<size { (xPart.start + row * width).update(from: bias, count: width) }
      Float.multiply(
        false, false, size, width, xWidth, 1, batch.x.start, xWidth, parameters, width, 1,
        xPart.start, width)
      Float.multiply(
        false, false, size, width, yWidth, 1, batch.y.start, yWidth, parameters + xWidth * width,
        width, 0, yPart.start, width)
    case .channels:
      for k in 0..<width { (xPart.start + k * size).update(repeating: bias[k], count: size) }
      Float.multiply(
        true, true, width, size, xWidth, 1, parameters, width, batch.x.start, xWidth, 1,
        xPart.start, size)
      Float.multiply(
        true, true, width, size, yWidth, 1, parameters + xWidth * width, width, batch.y.start,
        yWidth, 0, yPart.start, size)
    }
  }

  /// What lies together: one run of whole rows, or a run of single numbers for each channel.
  private var runs: (count: Int, width: Int) { layout == .rows ? (1, width) : (width, 1) }

  /// Sums of some blocks of pairs.
  func sums(_ batch: PairBatch, blocks: Range<Int>, into sums: UnsafeMutablePointer<Float>) {
    let (size, runs) = (batch.size, runs)
    for (place, block) in blocks.enumerated() {
      for run in 0..<runs.count {
        ptoken_pair_sums(
          xPart.start + run * size, yPart.start + run * size, size, runs.width, batch.shifts[block],
          sums + (run * blocks.count + place) * size * runs.width)
      }
    }
  }

  /// The reverse.
  func addGradients(
    _ batch: PairBatch, blocks: Range<Int>, of sums: UnsafePointer<Float>
  ) {
    let (size, runs) = (batch.size, runs)
    for (place, block) in blocks.enumerated() {
      for run in 0..<runs.count {
        ptoken_add_pairs(
          sums + (run * blocks.count + place) * size * runs.width, size, runs.width,
          batch.shifts[block], xGradient.start + run * size, yGradient.start + run * size)
      }
    }
  }

  /// Sums of some rows of x with every row of y in order, x by x.
  func sums(_ batch: PairBatch, rows: Range<Int>, into sums: UnsafeMutablePointer<Float>) {
    let (size, runs) = (batch.size, runs)
    for (place, row) in rows.enumerated() {
      for run in 0..<runs.count {
        ptoken_row_sums(
          xPart.start + run * size + row * runs.width, yPart.start + run * size, size, runs.width,
          sums + (run * rows.count + place) * size * runs.width)
      }
    }
  }

  /// The reverse.
  func addGradients(_ batch: PairBatch, rows: Range<Int>, of sums: UnsafePointer<Float>) {
    let (size, runs) = (batch.size, runs)
    for (place, row) in rows.enumerated() {
      for run in 0..<runs.count {
        ptoken_add_row(
          sums + (run * rows.count + place) * size * runs.width, size, runs.width,
          xGradient.start + run * size + row * runs.width, yGradient.start + run * size)
      }
    }
  }

  func clearGradients() {
    xGradient.fill(0)
    yGradient.fill(0)
  }

  /// Adds the parameters' gradient from those of all sums.
  func finish(_ batch: PairBatch, into gradient: UnsafeMutablePointer<Float>) {
    let size = batch.size
    // Of [size, width] as it lies, or of its transpose.
    let (isTransposed, stride) = layout == .rows ? (false, width) : (true, size)
    Float.multiply(
      true, isTransposed, xWidth, width, size, 1, batch.x.start, xWidth, xGradient.start, stride, 1,
      gradient, width)
    Float.multiply(
      true, isTransposed, yWidth, width, size, 1, batch.y.start, yWidth, yGradient.start, stride, 1,
      gradient + xWidth * width, width)
    let bias = gradient + biases
    switch layout {
    case .rows:
      for row in 0..<size {
        for k in 0..<width { bias[k] += xGradient.start[row &* width &+ k] }
      }
    case .channels: ptoken_channels_sums(xGradient.start, width, size, bias)
    }
  }
}
