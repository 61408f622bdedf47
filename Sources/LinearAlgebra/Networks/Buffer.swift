/// Memory for numbers that layers work in: allocated once, not in the loop of training.
public final class Buffer<Scalar: NetworkScalar> {
  /// First element; valid only while the buffer lives, which Swift ends after the last use of the object itself: hand the
  /// buffer on, or keep it in a property, not a pointer into a temporary one.
  public let start: UnsafeMutablePointer<Scalar>
  /// Elements.
  public let count: Int

  /// A buffer of zeros.
  public init(count: Int) {
    self.count = count
    start = .allocate(capacity: max(1, count))
    start.initialize(repeating: 0, count: max(1, count))
  }

  /// A buffer that holds these.
  public convenience init(_ elements: [Scalar]) {
    self.init(count: elements.count)
    elements.withUnsafeBufferPointer { source in
      if let first = source.baseAddress { start.update(from: first, count: count) }
    }
  }

  deinit { start.deallocate() }

  /// One element.
  @inlinable public subscript(index: Int) -> Scalar {
    get { start[index] }
    set { start[index] = newValue }
  }

  /// A copy of the elements.
  public var elements: [Scalar] { Array(UnsafeBufferPointer(start: start, count: count)) }

  /// Sets every element.
  public func fill(_ value: Scalar) { start.update(repeating: value, count: count) }

  /// Copies all elements of a buffer of the same length.
  public func copy(_ other: Buffer<Scalar>) {
    precondition(other.count == count, "buffers differ in length")
    start.update(from: other.start, count: count)
  }
}
