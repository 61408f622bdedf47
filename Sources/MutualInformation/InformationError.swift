/// Rows that no estimate can be made of.
public struct InformationError: Error, Sendable, Equatable, CustomStringConvertible {
  /// What went wrong.
  public enum Code: Sendable {
    /// x, y, records and groups differ in rows.
    case shape
    /// NaN or infinite.
    case notFinite
    /// Fewer rows than the estimator needs.
    case tooFewRows
    /// Values that the estimator is not made for.
    case unsuitable
  }

  /// What went wrong.
  public var code: Code
  /// Expected and found.
  public var message: String
  /// What to do.
  public var remedy: String

  /// One line for people.
  public var description: String { "\(message). \(remedy)" }

  init(_ code: Code, _ message: String, remedy: String) {
    (self.code, self.message, self.remedy) = (code, message, remedy)
  }
}
