extension Array where Element: BitwiseCopyable {
  /// The elements as bytes; as `withUnsafeBytes`, which forgets what its body throws.
  func withRawBytes<R, E: Error>(
    _ body: (UnsafeRawBufferPointer) throws(E) -> R
  ) throws(E) -> R {
    try withUnsafeBufferPointer { elements throws(E) in try body(UnsafeRawBufferPointer(elements)) }
  }
}
