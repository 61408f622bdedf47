package import Results
internal import SnapshotFormat

/// A frame: a length, and a safetensors blob whose metadata carry a message (spec/WIRE.md, W-02 and W-03).
package struct Frame {
  /// Kind of message.
  package var message: String
  /// What it says: a JSON object.
  package var body: JSONValue
  /// The tensors, in the order of their bytes; these follow in the connection.
  package var tensors: [Tensor]
  /// Bytes of the connection before the frame.
  package var offset: UInt64
  /// Bytes of the whole frame with its length.
  package var bytes: Int

  /// Reads the head of the next frame; nil where the peer has ended the connection between frames.
  ///
  /// - Parameters:
  ///   - most: bytes that the frame may have after its length.
  ///   - mostHeader: bytes that its header may have.
  ///   - deadline: when the head must be here; nil: as patient as the source is.
  /// - Throws: `WireError` with the offset of what is wrong. Nothing is allocated by a number that was not checked.
  package static func readHead(
    from source: ByteSource, most: Int, mostHeader: Int, by deadline: ContinuousClock.Instant? = nil
  ) throws(WireError) -> Frame? {
    guard try source.hasMore(within: deadline.map { max(0, ($0 - .now) / .seconds(1)) }) else {
      return nil
    }
    let offset = source.offset
    let length = try integer(source, deadline)
    guard length >= 8, length <= UInt64(most) else {
      throw WireError(
        length < 8 ? .malformed : .tooLong, at: offset,
        "expected a frame of 8 to \(most) bytes, found \(length)")
    }
    let headerLength = try integer(source, deadline)
    guard headerLength <= min(length - 8, UInt64(mostHeader)) else {
      throw WireError(
        .malformed, at: offset + 8,
        "expected a header of at most \(min(Int(length) - 8, mostHeader)) bytes, found \(headerLength)"
      )
    }
    let bytes = try source.bytes(Int(headerLength), by: deadline)
    let header: SafetensorsHeader
    do throws(SafetensorsHeader.Fault) {
      header = try SafetensorsHeader(bytes, dataBytes: Int(length - 8 - headerLength))
    } catch {
      throw WireError(.malformed, at: offset + 16, error.message)
    }
    guard let message = header.metadata["message"], let text = header.metadata["body"],
      !JSONText.isLax(text.utf8), let body = JSONValue(parsing: text), case .object = body
    else {
      throw WireError(
        .malformed, at: offset + 16, "expected a message, and a body that is a JSON object")
    }
    return Frame(
      message: message, body: body, tensors: header.tensors, offset: offset,
      bytes: Int(length) + 8)
  }

  private static func integer(
    _ source: ByteSource, _ deadline: ContinuousClock.Instant?
  ) throws(WireError) -> UInt64 {
    try source.bytes(8, by: deadline).reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// The bytes of a message without tensors.
  package static func encode(_ message: String, _ body: JSONValue) -> [UInt8] {
    let metadata = JSONValue.object([
      "message": .string(message), "body": .string(JSONText.of(body)),
    ])
    var header = Array(JSONText.of(JSONValue.object(["__metadata__": metadata])).utf8)
    // Safetensors aligns its data.
    header += [UInt8](repeating: UInt8(ascii: " "), count: -header.count & 7)
    return little(header.count + 8) + little(header.count) + header
  }

  private static func little(_ value: Int) -> [UInt8] {
    withUnsafeBytes(of: UInt64(value).littleEndian) { Array($0) }
  }
}
