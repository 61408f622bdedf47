/// Loops over elements that layers share, compiled for Float and Double.
enum Kernels {
  /// Every row of `target` becomes `row`.
  @specialized(where S == Float)
  @specialized(where S == Double)
  static func broadcast<S: NetworkScalar>(
    _ row: UnsafePointer<S>, _ width: Int, into target: UnsafeMutablePointer<S>, rows: Int
  ) {
    for index in 0..<rows { (target + index &* width).update(from: row, count: width) }
  }

  /// Adds the sum of each column of [rows, width] to `sums`.
  @specialized(where S == Float)
  @specialized(where S == Double)
  static func addColumnSums<S: NetworkScalar>(
    _ source: UnsafePointer<S>, _ width: Int, rows: Int, to sums: UnsafeMutablePointer<S>
  ) {
    for row in 0..<rows {
      let values = source + row &* width
      for column in 0..<width { sums[column] += values[column] }
    }
  }

  @specialized(where S == Float)
  @specialized(where S == Double)
  static func activate<S: NetworkScalar>(
    _ function: Activation, _ input: UnsafePointer<S>, _ output: UnsafeMutablePointer<S>,
    _ count: Int
  ) {
    switch function {
    case .relu: for index in 0..<count { output[index] = max(input[index], 0) }
    case .elu:
      for index in 0..<count {
        let x = input[index]
        // The larger part of each: without a branch, so that the loop is vector instructions.
        output[index] = max(x, 0) + S.exponential(min(x, 0)) - 1
      }
    case .gelu: for index in 0..<count { output[index] = input[index] * gate(input[index]) }
    }
  }

  /// The input's gradient from the output's.
  @specialized(where S == Float)
  @specialized(where S == Double)
  static func differentiate<S: NetworkScalar>(
    _ function: Activation, _ input: UnsafePointer<S>, _ output: UnsafePointer<S>,
    _ gradient: UnsafePointer<S>, _ result: UnsafeMutablePointer<S>, _ count: Int
  ) {
    switch function {
    case .relu:
      for index in 0..<count { result[index] = input[index] > 0 ? gradient[index] : 0 }
    case .elu:
      for index in 0..<count { result[index] = gradient[index] * (min(output[index], 0) + 1) }
    case .gelu:
      for index in 0..<count {
        let x = input[index]
        let g = gate(x)
        let slope = 2 * 0.797_884_560_802_865_4 * (1 + 3 * 0.044715 * x * x)
        result[index] = gradient[index] * (g + x * g * (1 - g) * slope)
      }
    }
  }

  /// ½ (1 + tanh(√(2/π) (x + 0.044715 x³))), written as a logistic function.
  @inline(__always)
  private static func gate<S: NetworkScalar>(_ x: S) -> S {
    1 / (1 + S.exponential(-2 * 0.797_884_560_802_865_4 * (x + 0.044715 * x * x * x)))
  }
}
