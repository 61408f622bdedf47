import Foundation

/// Frames as any program may make them, right or wrong (spec/WIRE.md).
package struct Blob {
  /// A tensor of a frame.
  package struct Tensor {
    package var name: String
    package var type: String
    package var shape: [Int]
    package var bytes: [UInt8]

    /// A tensor from numbers.
    package init<T: BitwiseCopyable>(_ name: String, _ type: String, _ shape: [Int], _ values: [T])
    {
      self.name = name
      self.type = type
      self.shape = shape
      bytes = values.withUnsafeBytes { Array($0) }
    }
  }

  package var header: String
  package var data: [UInt8] = []

  /// A frame with any header.
  package init(header: String, data: [UInt8] = []) {
    self.header = header
    self.data = data
  }

  /// A message; `body` is JSON.
  package init(_ message: String, _ body: String, _ tensors: [Tensor] = []) {
    let quoted = body.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
      .replacing("\n", with: " ")
    var entries = [#""__metadata__":{"message":"\#(message)","body":"\#(quoted)"}"#]
    for tensor in tensors {
      let end = data.count + tensor.bytes.count
      entries.append(
        #""\#(tensor.name)":{"dtype":"\#(tensor.type)","shape":\#(tensor.shape),"data_offsets":[\#(data.count),\#(end)]}"#
      )
      data += tensor.bytes
    }
    header = "{" + entries.joined(separator: ",") + "}"
  }

  /// The bytes on the wire.
  package var bytes: [UInt8] {
    func little(_ value: Int) -> [UInt8] {
      withUnsafeBytes(of: UInt64(value).littleEndian) { Array($0) }
    }
    let text = Array(header.utf8)
    return little(8 + text.count + data.count) + little(text.count) + text + data
  }
}

/// A connected pair of sockets.
package func socketPair() -> (Int32, Int32) {
  var ends: [Int32] = [0, 0]
  #if canImport(Darwin)
    socketpair(AF_UNIX, SOCK_STREAM, 0, &ends)
  #else
    socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends)
  #endif
  return (ends[0], ends[1])
}

/// Writes everything; false where the other end is gone.
@discardableResult
package func send(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
  bytes.withUnsafeBytes { bytes in
    var done = 0
    while done < bytes.count {
      #if canImport(Darwin)
        let count = write(descriptor, bytes.baseAddress! + done, bytes.count - done)
      #else
        let count = Foundation.send(
          descriptor, bytes.baseAddress! + done, bytes.count - done, Int32(MSG_NOSIGNAL))
      #endif
      guard count > 0 else { return false }
      done += count
    }
    return true
  }
}
