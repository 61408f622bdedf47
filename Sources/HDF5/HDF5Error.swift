/// What went wrong in an HDF5 file: where, what was expected and found, and libhdf5's own account.
package struct HDF5Error: Error, Sendable, CustomStringConvertible {
  /// The kind of failure; compare with the static members.
  package struct Code: Sendable, Hashable, CustomStringConvertible {
    /// A stable, readable name.
    package let description: String

    /// A file that is absent.
    package static let notFound = Code(description: "notFound")
    /// A file that exists where none may.
    package static let exists = Code(description: "exists")
    /// A file that is not HDF5.
    package static let notHDF5 = Code(description: "notHDF5")
    /// A file that ends before its own header says.
    package static let truncated = Code(description: "truncated")
    /// Missing permission.
    package static let permission = Code(description: "permission")
    /// No room on the device, or beyond a quota or size limit.
    package static let noSpace = Code(description: "noSpace")
    /// A group, dataset or attribute that is absent.
    package static let missingObject = Code(description: "missingObject")
    /// An object of another type or shape than asked for.
    package static let mismatch = Code(description: "mismatch")
    /// A feature that is refused on purpose: links out of the file, foreign filters, external storage.
    package static let refused = Code(description: "refused")
    /// A chunk whose bytes do not decode to what the file says.
    package static let corrupt = Code(description: "corrupt")
    /// A Zstandard chunk that is not one frame which states its content's size.
    package static let looseFrame = Code(description: "looseFrame")
    /// Any other failure of libhdf5.
    package static let failed = Code(description: "failed")
  }

  /// The kind of failure.
  package var code: Code
  /// Path of the file.
  package var file: String
  /// Path of the object inside the file; empty for the file itself.
  package var object: String
  /// One clause: what was expected and what was found.
  package var message: String
  /// libhdf5's error stack, outermost call first; empty where libhdf5 was not at fault.
  package var stack: [String]

  /// Creates an error from its parts.
  package init(
    code: Code, file: String, object: String = "", message: String, stack: [String] = []
  ) {
    self.code = code
    self.file = file
    self.object = object
    self.message = message
    self.stack = stack
  }

  /// One line for people: `file:/object: message (libhdf5's innermost reason)`.
  package var description: String {
    let place = object.isEmpty ? file : "\(file):\(object)"
    let reason = stack.last.map { " (libhdf5: \($0))" } ?? ""
    return "\(place): \(message)\(reason)"
  }

  /// An error of a libhdf5 call that just failed on this thread; refines `code` by what the stack says.
  static func library(
    _ code: Code = .failed, file: String, object: String = "", _ message: String
  ) -> HDF5Error {
    let stack = Library.takeErrorStack()
    let text = stack.joined(separator: " ")
    // libhdf5 passes errno on only as text.
    let found: (Code, String)? =
      if text.contains("No space left") || text.contains("quota exceeded")
        || text.contains("File too large")
      {
        (.noSpace, "the device or its quota is full")
      } else if text.contains("Permission denied") || text.contains("Read-only file system") {
        (.permission, "permission denied")
      } else if text.contains("truncated file") {
        (.truncated, "the file is cut off: it is shorter than its header says")
      } else if text.contains("unable to lock file") {
        (.permission, "another program is writing it")
      } else if text.contains("No such file") {
        (.notFound, "no such file or folder")
      } else if text.contains("file signature not found") {
        (.notHDF5, "not an HDF5 file")
      } else {
        nil
      }
    return HDF5Error(
      code: found?.0 ?? code, file: file, object: object,
      message: found.map { "\(message): \($0.1)" } ?? message, stack: stack)
  }
}
