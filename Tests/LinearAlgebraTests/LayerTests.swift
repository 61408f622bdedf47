import LinearAlgebra
import Testing

@Suite("Layers")
struct LayerTests {
  /// The gradient of sum w · layer(x) against central differences, in double precision.
  ///
  /// With steps of 1e-5 truncation is of order 1e-10 and rounding of order 1e-11 of values of order 1: 1e-7 notices any
  /// wrong term and no correct one.
  private func check(_ layer: any Layer<Double>, rows: Int, seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    layer.reserve(rows: rows)
    let parameters = Buffer<Double>(count: layer.parameterCount)
    layer.initialize(parameters.start, &generator)
    for index in 0..<parameters.count { parameters[index] += 0.1 * generator.normal() }
    let input = Buffer((0..<rows * layer.inputs).map { _ in generator.normal() })
    let weights = Buffer((0..<rows * layer.outputs).map { _ in generator.normal() })
    let output = Buffer<Double>(count: rows * layer.outputs)
    func loss() -> Double {
      layer.forward(input.start, parameters.start, output.start, rows: rows)
      return (0..<output.count).reduce(0) { $0 + weights[$1] * output[$1] }
    }
    _ = loss()
    let inputGradient = Buffer<Double>(count: input.count)
    // Gradients of parameters are added to what is there.
    let gradient = Buffer([Double](repeating: 1, count: parameters.count))
    layer.backward(
      input.start, output.start, parameters.start, weights.start, inputGradient.start,
      gradient.start, rows: rows)
    func difference(_ buffer: Buffer<Double>, _ index: Int) -> Double {
      let (kept, step) = (buffer[index], 1e-5)
      buffer[index] = kept + step
      let above = loss()
      buffer[index] = kept - step
      let below = loss()
      buffer[index] = kept
      return (above - below) / (2 * step)
    }
    for index in 0..<input.count {
      let expected = difference(input, index)
      #expect(abs(inputGradient[index] - expected) < 1e-7 * max(1, abs(expected)))
    }
    for index in 0..<parameters.count {
      let expected = difference(parameters, index)
      #expect(abs(gradient[index] - 1 - expected) < 1e-7 * max(1, abs(expected)))
    }
  }

  @Test("a dense layer's gradient") func dense() {
    check(DenseLayer(5, 3), rows: 4, seed: 1)
  }

  @Test(
    "a dense layer of rows side by side is the dense layer",
    arguments: [(1, 1), (3, 2), (16, 8), (8, 1), (5, 7), (32, 32)], [1, 15, 16, 33, 64, 101])
  func channels(widths: (Int, Int), rows: Int) {
    let (inputs, outputs) = widths
    let (dense, channels) = (
      DenseLayer<Float>(inputs, outputs), ChannelDenseLayer(inputs, outputs)
    )
    var (one, other) = (SeededGenerator(seed: 6), SeededGenerator(seed: 6))
    let parameters = Buffer<Float>(count: dense.parameterCount)
    let same = Buffer<Float>(count: channels.parameterCount)
    dense.initialize(parameters.start, &one)
    channels.initialize(same.start, &other)
    #expect(parameters.elements == same.elements)
    for index in inputs * outputs..<parameters.count { parameters[index] = Float(one.normal()) }
    let input = (0..<rows * inputs).map { _ in Float(one.normal()) }
    let slopes = (0..<rows * outputs).map { _ in Float(one.normal()) }
    func turned(_ values: [Float], _ width: Int) -> [Float] {
      (0..<values.count).map { values[$0 % rows * width + $0 / rows] }
    }
    func pass(
      _ layer: any Layer<Float>, _ input: [Float], _ slopes: [Float]
    ) -> (output: [Float], inputGradient: [Float], gradient: [Float]) {
      let (source, output) = (Buffer(input), Buffer<Float>(count: rows * outputs))
      let (above, below) = (Buffer(slopes), Buffer<Float>(count: rows * inputs))
      let gradient = Buffer([Float](repeating: 1, count: parameters.count))
      withExtendedLifetime((source, above)) {
        layer.forward(source.start, parameters.start, output.start, rows: rows)
        layer.backward(
          source.start, output.start, parameters.start, above.start, below.start, gradient.start,
          rows: rows)
      }
      return (output.elements, below.elements, gradient.elements)
    }
    let expected = pass(dense, input, slopes)
    let found = pass(channels, turned(input, inputs), turned(slopes, outputs))
    // Sums of at most 101 products of normal numbers, in another order.
    func isNear(_ a: [Float], _ b: [Float]) -> Bool { zip(a, b).allSatisfy { abs($0 - $1) < 1e-4 } }
    #expect(isNear(found.output, turned(expected.output, outputs)))
    #expect(isNear(found.inputGradient, turned(expected.inputGradient, inputs)))
    #expect(isNear(found.gradient, expected.gradient))
  }

  @Test("gradients of activation functions", arguments: Activation.allCases)
  func activation(function: Activation) {
    check(ActivationLayer(function, width: 6), rows: 3, seed: 2)
  }

  @Test("layer normalisation's gradient") func normalization() {
    check(LayerNormalization(width: 5), rows: 4, seed: 3)
  }

  @Test("self-attention's gradient", arguments: [1, 2])
  func attention(heads: Int) {
    check(SelfAttention(tokens: 3, width: 4, heads: heads), rows: 2, seed: 4)
  }

  @Test("the gradient of a Transformer's block: attention, normalisation and a residual perceptron")
  func block() {
    let width = 4
    let attention = Sequential<Double>(
      [
        LayerNormalization<Double>(width: 2 * width),
        SelfAttention<Double>(tokens: 2, width: width, heads: 2),
      ], isResidual: true)
    let perceptron = Sequential<Double>(
      [
        DenseLayer<Double>(2 * width, 7), ActivationLayer<Double>(.gelu, width: 7),
        DenseLayer<Double>(7, 2 * width),
      ], isResidual: true)
    check(Sequential<Double>([attention, perceptron]), rows: 3, seed: 5)
  }

  @Test("attention of one head is softmax(QKᵀ / √d) V, by hand")
  func attentionByHand() {
    // Identity projections: tokens (1, 0) and (0, 1), width 2.
    let layer = SelfAttention<Double>(tokens: 2, width: 2, heads: 1)
    layer.reserve(rows: 1)
    let identity = [1.0, 0, 0, 1]
    let parameters = Buffer(identity + identity + identity + identity)
    let (input, output) = (Buffer([1.0, 0, 0, 1]), Buffer<Double>(count: 4))
    withExtendedLifetime((input, parameters)) {
      layer.forward(input.start, parameters.start, output.start, rows: 1)
    }
    // Scores 1/√2 on the diagonal, 0 beside it.
    let p = 0.6697615493266569  // e^(1/√2) / (e^(1/√2) + 1)
    for (found, expected) in zip(output.elements, [p, 1 - p, 1 - p, p]) {
      #expect(abs(found - expected) < 1e-12)
    }
  }

  @Test("activation functions by hand, alike in both precisions", arguments: Activation.allCases)
  func values(function: Activation) {
    // Not a multiple of any vector's width, and far out on both sides.
    let inputs: [Double] = [-100, -20, -3, -1, -0.5, 0, 0.5, 1, 3, 20, 100]
    let expected: [Double] =
      switch function {
      case .relu: [0, 0, 0, 0, 0, 0, 0.5, 1, 3, 20, 100]
      case .elu:
        [
          -1, -0.9999999979388464, -0.950212931632136, -0.6321205588285577, -0.3934693402873666, 0,
          0.5, 1, 3, 20, 100,
        ]
      case .gelu:
        [
          0, 0, -0.0036373920817729943, -0.15880800939172324, -0.15428599017516514, 0,
          0.34571400982483486, 0.8411919906082768, 2.996362607918227, 20, 100,
        ]
      }
    let (double, single) = (
      Buffer<Double>(count: inputs.count), Buffer<Float>(count: inputs.count)
    )
    let source = Buffer(inputs)
    let rounded = Buffer(inputs.map { Float($0) })
    withExtendedLifetime((source, rounded)) {
      Double.activate(function, source.start, double.start, inputs.count)
      Float.activate(function, rounded.start, single.start, inputs.count)
    }
    for (index, value) in expected.enumerated() {
      #expect(abs(double[index] - value) < 1e-12)
      // Single precision: 24 bits of numbers of order 1, and some operations.
      #expect(abs(Double(single[index]) - value) < 1e-6 * max(1, abs(value)))
    }
  }

  @Test("the exponential in single precision is right to 2e-7 over its range")
  func exponential() {
    for step in -860...870 {
      let x = Double(step) / 10
      let found = Double(Float.exponential(Float(x)))
      #expect(abs(found / Double.exponential(Double(Float(x))) - 1) < 2e-7)
    }
    #expect(Float.exponential(-1000) >= 0 && Float.exponential(1000).isFinite)
  }

  @Test("a network that starts at zero does, and one seed gives one network")
  func start() {
    func parameters(_ seed: UInt64) -> [Float] {
      let network = Sequential<Float>.perceptron([3, 8, 1], .elu, startsAtZero: true)
      let result = Buffer<Float>(count: network.parameterCount)
      var generator = SeededGenerator(seed: seed)
      network.initialize(result.start, &generator)
      network.reserve(rows: 2)
      let (input, output) = (Buffer<Float>([1, 2, 3, -1, 0, 4]), Buffer<Float>(count: 2))
      withExtendedLifetime(input) {
        network.forward(input.start, result.start, output.start, rows: 2)
      }
      #expect(output.elements == [0, 0])
      return result.elements
    }
    #expect(parameters(1) == parameters(1))
    #expect(parameters(1) != parameters(2))
  }
}

@Suite("AdamW")
struct AdamWTests {
  @Test("the first step is the rate against the gradient's sign, and weights decay beside it")
  func firstStep() {
    var options = AdamW<Double>.Options()
    options.rate = 0.1
    options.weightDecay = 0.5
    let optimizer = AdamW<Double>(count: 2, options: options)
    let parameters = Buffer([1.0, -2])
    optimizer.update(parameters, gradient: Buffer([3.0, -0.01]))
    // w (1 - rate decay) - rate g / |g|.
    #expect(abs(parameters[0] - (0.95 - 0.1)) < 1e-6)
    #expect(abs(parameters[1] - (-1.9 + 0.1)) < 1e-6)
    #expect(optimizer.mean.elements == parameters.elements)
  }

  @Test("the rate warms up, decays along half a cosine and stays")
  func rate() {
    var options = AdamW<Double>.Options()
    options.rate = 1
    options.warmUp = 10
    options.decaySteps = 100
    options.lastRate = 0.1
    let optimizer = AdamW<Double>(count: 1, options: options)
    #expect(abs(optimizer.rate(at: 5) - 0.5 * (0.1 + 0.9 * 0.9938441702975689)) < 1e-12)
    #expect(abs(optimizer.rate(at: 50) - 0.55) < 1e-12)
    #expect(abs(optimizer.rate(at: 100) - 0.1) < 1e-12)
    #expect(abs(optimizer.rate(at: 1000) - 0.1) < 1e-12)
  }

  @Test("clipping bounds the gradient's norm, and one that is no number moves nothing")
  func clip() {
    var options = AdamW<Double>.Options()
    options.clip = 1
    options.weightDecay = 0
    let (clipped, whole) = (
      AdamW<Double>(count: 2, options: options), AdamW<Double>(count: 2, options: options)
    )
    let (a, b) = (Buffer([0.0, 0]), Buffer([0.0, 0]))
    // Steps are scale-free, so two steps of unlike norm tell: clipped, both weigh the same.
    for gradient in [[30.0, 40], [-0.6, -0.8]] { clipped.update(a, gradient: Buffer(gradient)) }
    for gradient in [[0.6, 0.8], [-0.6, -0.8]] { whole.update(b, gradient: Buffer(gradient)) }
    #expect(zip(a.elements, b.elements).allSatisfy { abs($0 - $1) < 1e-12 })
    let before = a.elements
    clipped.update(a, gradient: Buffer([.nan, 1]))
    #expect(a.elements == before)
  }

  @Test("it finds the minimum of a quadratic, and the running mean comes closer than the last step")
  func quadratic() {
    var options = AdamW<Double>.Options()
    options.rate = 0.05
    options.weightDecay = 0
    options.averaged = 200
    let optimizer = AdamW<Double>(count: 3, options: options)
    let (parameters, target) = (Buffer([0.0, 0, 0]), [1.0, -2, 0.5])
    var generator = SeededGenerator(seed: 9)
    for _ in 0..<2000 {
      let gradient = (0..<3).map { parameters[$0] - target[$0] + generator.normal() }
      optimizer.update(parameters, gradient: Buffer(gradient))
    }
    func distance(_ found: [Double]) -> Double {
      zip(found, target).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
    }
    // Noise of 1 with a rate of 0.05 leaves steps of some 0.1 to 0.3; a mean of 200 a fraction of it.
    #expect(distance(optimizer.mean.elements) < 0.25)
    #expect(distance(optimizer.mean.elements) < distance(parameters.elements))
  }
}
