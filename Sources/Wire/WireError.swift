/// Why a frame cannot be used, and where in the connection it is.
package struct WireError: Error, Sendable, CustomStringConvertible {
  /// The kind of failure.
  package enum Code: String, Sendable {
    /// Bytes that are no frame, or a message that is not as spec/WIRE.md has it.
    case malformed
    /// A frame longer than the connection may send.
    case tooLong = "too_long"
    /// The peer went away.
    case ended
    /// The peer sent nothing for too long.
    case timeout
    /// A protocol of another major version.
    case version
  }

  package var code: Code
  /// Bytes of the connection before what is wrong.
  package var offset: UInt64
  /// What was expected and what was found.
  package var message: String

  package init(_ code: Code, at offset: UInt64, _ message: String) {
    self.code = code
    self.offset = offset
    self.message = message
  }

  /// One line for people.
  package var description: String { "byte \(offset) of the connection: \(message)" }
}
