internal import LinearAlgebra

/// One layer of a small network; activations are rows of matrices, [examples, width].
package enum NetworkLayer: Sendable, Equatable {
  /// `y = W x + b`; parameters are W [outputs, inputs] row-major, then b [outputs].
  case dense(inputs: Int, outputs: Int)
  /// 2-d convolution with zero padding; parameters are W [outputs, channels, kernel, kernel], then b [outputs].
  case convolution(Convolution)
  /// Rectified linear unit, element by element.
  case relu

  /// Number of parameters.
  package var parameterCount: Int {
    switch self {
    case .dense(let inputs, let outputs): (inputs + 1) * outputs
    case .convolution(let shape): (shape.patch + 1) * shape.outputs
    case .relu: 0
    }
  }

  /// Inputs that one output sees, which initial weights are scaled by.
  var fanIn: Int {
    switch self {
    case .dense(let inputs, _): inputs
    case .convolution(let shape): shape.patch
    case .relu: 0
    }
  }

  /// Activations [n, outputs] from inputs [n, inputs].
  func forward(_ input: Matrix, _ parameters: [Double]) -> Matrix {
    switch self {
    case .dense(let inputs, let outputs):
      let weights = Matrix(
        rows: outputs, columns: inputs, elements: Array(parameters[..<(inputs * outputs)]))
      var result = input.times(weights, transposeOther: true)
      let bias = parameters[(inputs * outputs)...]
      for row in 0..<result.rows {
        for (column, value) in bias.enumerated() { result[row, column] += value }
      }
      return result
    case .convolution(let shape): return shape.forward(input, parameters)
    case .relu:
      return Matrix(
        rows: input.rows, columns: input.columns, elements: input.elements.map { max($0, 0) })
    }
  }

  /// Gradient with respect to the inputs [n, inputs], and each example's parameter gradient [n, parameters],
  /// from the gradient with respect to the outputs.
  func backward(
    _ input: Matrix, _ parameters: [Double], _ output: Matrix
  ) -> (input: Matrix, parameters: Matrix) {
    switch self {
    case .dense(let inputs, let outputs):
      let weights = Matrix(
        rows: outputs, columns: inputs, elements: Array(parameters[..<(inputs * outputs)]))
      var gradient = [Double]()
      gradient.reserveCapacity(input.rows * parameterCount)
      for row in 0..<input.rows {
        for delta in output.row(row) {
          for value in input.row(row) { gradient.append(delta * value) }
        }
        gradient.append(contentsOf: output.row(row))
      }
      return (
        output.times(weights),
        Matrix(rows: input.rows, columns: parameterCount, elements: gradient)
      )
    case .convolution(let shape): return shape.backward(input, parameters, output)
    case .relu:
      let passed = zip(input.elements, output.elements).map { $0 > 0 ? $1 : 0 }
      return (
        Matrix(rows: input.rows, columns: input.columns, elements: passed),
        Matrix(rows: input.rows, columns: 0)
      )
    }
  }
}

/// Shape of a square 2-d convolution over [channels, size, size] inputs.
package struct Convolution: Sendable, Equatable {
  /// Input channels.
  package let channels: Int
  /// Height and width of the input.
  package let size: Int
  /// Output channels.
  package let outputs: Int
  /// Height and width of the kernel.
  package let kernel: Int
  /// Step between windows.
  package let stride: Int
  /// Zeros around the input.
  package let padding: Int

  /// A shape from its parts.
  package init(
    channels: Int, size: Int, outputs: Int, kernel: Int, stride: Int = 1, padding: Int = 0
  ) {
    self.channels = channels
    self.size = size
    self.outputs = outputs
    self.kernel = kernel
    self.stride = stride
    self.padding = padding
  }

  /// Height and width of the output.
  package var outputSize: Int { (size + 2 * padding - kernel) / stride + 1 }
  /// Inputs under one window.
  var patch: Int { channels * kernel * kernel }
  private var positions: Int { outputSize * outputSize }

  /// Index of the input element under each (position, patch element), or nil in the padding.
  private var gather: [Int?] {
    var result: [Int?] = []
    result.reserveCapacity(positions * patch)
    for y in 0..<outputSize {
      for x in 0..<outputSize {
        for channel in 0..<channels {
          for dy in 0..<kernel {
            for dx in 0..<kernel {
              let (row, column) = (y * stride + dy - padding, x * stride + dx - padding)
              let isInside = (0..<size).contains(row) && (0..<size).contains(column)
              result.append(isInside ? (channel * size + row) * size + column : nil)
            }
          }
        }
      }
    }
    return result
  }

  private func patches(_ input: ArraySlice<Double>, _ gather: [Int?]) -> Matrix {
    let start = input.startIndex
    return Matrix(
      rows: positions, columns: patch,
      elements: gather.map { index in index.map { input[start + $0] } ?? 0 })
  }

  private func weights(_ parameters: [Double]) -> Matrix {
    Matrix(rows: outputs, columns: patch, elements: Array(parameters[..<(outputs * patch)]))
  }

  func forward(_ input: Matrix, _ parameters: [Double]) -> Matrix {
    let (weights, gather) = (weights(parameters), gather)
    var result = [Double]()
    result.reserveCapacity(input.rows * outputs * positions)
    for row in 0..<input.rows {
      let planes = weights.times(patches(input.row(row), gather), transposeOther: true)
      for output in 0..<outputs {
        let bias = parameters[outputs * patch + output]
        for value in planes.row(output) { result.append(value + bias) }
      }
    }
    return Matrix(rows: input.rows, columns: outputs * positions, elements: result)
  }

  func backward(
    _ input: Matrix, _ parameters: [Double], _ output: Matrix
  ) -> (input: Matrix, parameters: Matrix) {
    let (weights, gather) = (weights(parameters), gather)
    var inputGradient = Matrix(rows: input.rows, columns: input.columns)
    var gradient = [Double]()
    gradient.reserveCapacity(input.rows * (patch + 1) * outputs)
    for row in 0..<input.rows {
      let delta = Matrix(rows: outputs, columns: positions, elements: Array(output.row(row)))
      gradient.append(contentsOf: delta.times(patches(input.row(row), gather)).elements)
      for plane in 0..<outputs { gradient.append(delta.row(plane).reduce(0, +)) }
      let patchGradient = delta.times(weights, transposeSelf: true)
      for (position, index) in gather.enumerated() {
        if let index { inputGradient[row, index] += patchGradient.elements[position] }
      }
    }
    return (
      inputGradient,
      Matrix(rows: input.rows, columns: (patch + 1) * outputs, elements: gradient)
    )
  }
}
