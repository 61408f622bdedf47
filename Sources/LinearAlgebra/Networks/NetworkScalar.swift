private import CBLAS
private import CKernels
private import Foundation

/// Numbers that networks are made of: Float for training, Double to check gradients with.
public protocol NetworkScalar: BinaryFloatingPoint, Sendable {
  /// e to the x, to a few units in the last place; finite for every finite x.
  static func exponential(_ x: Self) -> Self

  /// An activation function of so many elements.
  static func activate(
    _ function: Activation, _ input: UnsafePointer<Self>, _ output: UnsafeMutablePointer<Self>,
    _ count: Int)

  /// The input's gradient of an activation function from its output's.
  static func differentiate(
    _ function: Activation, _ input: UnsafePointer<Self>, _ output: UnsafePointer<Self>,
    _ gradient: UnsafePointer<Self>, _ result: UnsafeMutablePointer<Self>, _ count: Int)

  /// `c = alpha op(a) op(b) + beta c`, row-major: op(a) is [m, k], op(b) is [k, n], c is [m, n].
  static func multiply(
    _ transposeA: Bool, _ transposeB: Bool, _ m: Int, _ n: Int, _ k: Int, _ alpha: Self,
    _ a: UnsafePointer<Self>, _ strideA: Int, _ b: UnsafePointer<Self>, _ strideB: Int,
    _ beta: Self, _ c: UnsafeMutablePointer<Self>, _ strideC: Int)
}

extension Float: NetworkScalar {
  /// Cephes' polynomial without branches, so that loops over it become vector instructions; relative error < 2e-7.
  @inline(__always)
  public static func exponential(_ x: Float) -> Float {
    let bounded = min(max(x, -87), 88)
    // Adding 1.5 * 2^23 rounds to an integer, and leaves it in the low bits.
    let shifted = bounded * 1.442_695_04 + 12_582_912
    let power = shifted - 12_582_912
    let rest = (bounded - power * 0.693_359_375) + power * 2.121_944_40e-4
    var sum: Float = 1.987_569_15e-4
    sum = sum * rest + 1.398_199_950_7e-3
    sum = sum * rest + 8.333_451_907_3e-3
    sum = sum * rest + 4.166_579_589_4e-2
    sum = sum * rest + 1.666_666_545_9e-1
    sum = sum * rest + 5.000_000_120_1e-1
    sum = sum * rest * rest + rest + 1
    let exponent = Int32(bitPattern: shifted.bitPattern) &- 0x4b40_0000
    return sum * Float(bitPattern: UInt32(bitPattern: (exponent &+ 127) << 23))
  }

  /// An activation function, by vector code where it needs an exponential.
  public static func activate(
    _ function: Activation, _ input: UnsafePointer<Float>, _ output: UnsafeMutablePointer<Float>,
    _ count: Int
  ) {
    switch function {
    case .relu: ptoken_relu(input, output, count)
    case .elu: ptoken_elu(input, output, count)
    case .gelu: ptoken_gelu(input, output, count)
    }
  }

  /// Gradients, by vector code where training spends its time.
  public static func differentiate(
    _ function: Activation, _ input: UnsafePointer<Float>, _ output: UnsafePointer<Float>,
    _ gradient: UnsafePointer<Float>, _ result: UnsafeMutablePointer<Float>, _ count: Int
  ) {
    switch function {
    case .relu: ptoken_relu_gradient(output, gradient, result, count)
    case .elu: ptoken_elu_gradient(output, gradient, result, count)
    case .gelu: Kernels.differentiate(.gelu, input, output, gradient, result, count)
    }
  }

  /// sgemm.
  public static func multiply(
    _ transposeA: Bool, _ transposeB: Bool, _ m: Int, _ n: Int, _ k: Int, _ alpha: Float,
    _ a: UnsafePointer<Float>, _ strideA: Int, _ b: UnsafePointer<Float>, _ strideB: Int,
    _ beta: Float, _ c: UnsafeMutablePointer<Float>, _ strideC: Int
  ) {
    cblas_sgemm(
      CblasRowMajor, transposeA ? CblasTrans : CblasNoTrans, transposeB ? CblasTrans : CblasNoTrans,
      BLAS.length(m), BLAS.length(n), BLAS.length(k), alpha, a, BLAS.length(strideA), b,
      BLAS.length(strideB), beta, c, BLAS.length(strideC))
  }
}

extension Double: NetworkScalar {
  /// The C library's, bounded.
  public static func exponential(_ x: Double) -> Double { exp(min(max(x, -700), 700)) }

  /// An activation function.
  public static func activate(
    _ function: Activation, _ input: UnsafePointer<Double>, _ output: UnsafeMutablePointer<Double>,
    _ count: Int
  ) { Kernels.activate(function, input, output, count) }

  /// Gradients.
  public static func differentiate(
    _ function: Activation, _ input: UnsafePointer<Double>, _ output: UnsafePointer<Double>,
    _ gradient: UnsafePointer<Double>, _ result: UnsafeMutablePointer<Double>, _ count: Int
  ) { Kernels.differentiate(function, input, output, gradient, result, count) }

  /// dgemm.
  public static func multiply(
    _ transposeA: Bool, _ transposeB: Bool, _ m: Int, _ n: Int, _ k: Int, _ alpha: Double,
    _ a: UnsafePointer<Double>, _ strideA: Int, _ b: UnsafePointer<Double>, _ strideB: Int,
    _ beta: Double, _ c: UnsafeMutablePointer<Double>, _ strideC: Int
  ) {
    cblas_dgemm(
      CblasRowMajor, transposeA ? CblasTrans : CblasNoTrans, transposeB ? CblasTrans : CblasNoTrans,
      BLAS.length(m), BLAS.length(n), BLAS.length(k), alpha, a, BLAS.length(strideA), b,
      BLAS.length(strideB), beta, c, BLAS.length(strideC))
  }
}
