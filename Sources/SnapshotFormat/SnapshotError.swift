private import Foundation
package import HDF5

/// Why a snapshot or analysis file cannot be written or read: place, expected and found, remedy.
public struct SnapshotError: Error, Sendable, CustomStringConvertible {
  /// The kind of failure; compare with the static members.
  public struct Code: Sendable, Hashable, CustomStringConvertible {
    /// A stable, readable name.
    public let description: String

    /// No such file, or its folder is missing.
    public static let notFound = Code(description: "notFound")
    /// The output exists.
    public static let exists = Code(description: "exists")
    /// The file is not HDF5, or HDF5 of another format.
    public static let notOurs = Code(description: "notOurs")
    /// The file is of a newer major version.
    public static let newerVersion = Code(description: "newerVersion")
    /// The file is of an older major version.
    public static let olderVersion = Code(description: "olderVersion")
    /// A recording of this name was not finished: its journal is here.
    public static let unfinished = Code(description: "unfinished")
    /// The file is cut off.
    public static let truncated = Code(description: "truncated")
    /// The file breaks a requirement of the specification.
    public static let invalid = Code(description: "invalid")
    /// Missing permission.
    public static let permission = Code(description: "permission")
    /// No room left to write.
    public static let noSpace = Code(description: "noSpace")
    /// The caller passed rows that do not fit what was declared.
    public static let rowMismatch = Code(description: "rowMismatch")
    /// Files that do not belong together.
    public static let mismatch = Code(description: "mismatch")
    /// Any other failure.
    public static let failed = Code(description: "failed")
  }

  /// The kind of failure.
  public var code: Code
  /// Path of the file.
  public var file: String
  /// Path of the object in the file; empty for the file itself.
  public var object: String
  /// What was expected and what was found.
  public var message: String
  /// What to do about it; empty where nothing helps.
  public var remedy: String
  /// Requirement of spec/SPEC.md that is broken, such as `R-012`; nil for other failures.
  public var requirement: String?

  /// Creates an error from its parts.
  public init(
    code: Code, file: String, object: String = "", message: String, remedy: String = "",
    requirement: String? = nil
  ) {
    self.code = code
    self.file = file
    self.object = object
    self.message = message
    self.remedy = remedy
    self.requirement = requirement
  }

  /// One line for people.
  public var description: String {
    let place = object.isEmpty ? file : "\(file):\(object)"
    let number = requirement.map { " [\($0)]" } ?? ""
    return "\(place): \(message)\(number)." + (remedy.isEmpty ? "" : " \(remedy)")
  }

  /// What a failed system call means.
  ///
  /// - Parameters:
  ///   - number: as in `errno`.
  ///   - action: such as `cannot write`.
  package init(number: Int32, _ action: String, _ file: String) {
    let isFull = [ENOSPC, EDQUOT, EFBIG].contains(number)
    let reason = String(cString: strerror(number)).lowercased()
    self.init(
      code: isFull ? .noSpace : [EACCES, EPERM, EROFS].contains(number) ? .permission : .failed,
      file: file,
      message: isFull ? "\(action): the device or its quota is full" : "\(action): \(reason)",
      remedy: isFull
        ? "Free some space, or write elsewhere."
        : action == "cannot write" ? "Check the permissions and the space of its folder." : "")
  }

  /// Translates an error of the HDF5 module, adding what a user can do.
  package init(_ error: HDF5Error) {
    let (code, remedy): (Code, String) =
      switch error.code {
      case .notFound: (.notFound, "Check the path.")
      case .exists: (.exists, "Choose another name, or replace it with --force.")
      case .notHDF5: (.notOurs, "Expected a file written by ptoken-record.")
      case .truncated: (.truncated, "Copy it again, or record again.")
      case .permission: (.permission, "Check the permissions of the file and its folder.")
      case .noSpace: (.noSpace, "Free some space, or write elsewhere.")
      case .missingObject, .mismatch, .refused, .corrupt, .looseFrame: (.invalid, "")
      default: (.failed, "")
      }
    let reason = code == .failed ? error.stack.last.map { " (libhdf5: \($0))" } ?? "" : ""
    self.init(
      code: code, file: error.file, object: error.object, message: error.message + reason,
      remedy: remedy, requirement: error.code == .looseFrame ? "R-052" : nil)
  }
}

/// Runs HDF5 calls and translates what they throw.
func translating<R: ~Copyable>(_ body: () throws(HDF5Error) -> R) throws(SnapshotError) -> R {
  do throws(HDF5Error) { return try body() } catch { throw SnapshotError(error) }
}
