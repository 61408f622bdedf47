/// Why a file cannot be analysed, in one line with a remedy.
public struct AnalysisError: Error, Sendable, CustomStringConvertible {
  /// The kind of failure; compare with the static members.
  public struct Code: Sendable, Hashable, CustomStringConvertible {
    /// A stable, readable name.
    public let description: String

    /// The file has nothing that an analysis can pair.
    public static let nothingToAnalyse = Code(description: "nothingToAnalyse")
    /// Every window has fewer rows than an estimate needs.
    public static let tooFewRows = Code(description: "tooFewRows")
    /// A computation failed on these rows.
    public static let failed = Code(description: "failed")
  }

  /// The kind of failure.
  public var code: Code
  /// Path of the file.
  public var file: String
  /// What was expected and found.
  public var message: String
  /// What to do about it.
  public var remedy: String

  /// One line for people.
  public var description: String {
    "\(file): \(message)." + (remedy.isEmpty ? "" : " \(remedy)")
  }
}
