/// Which optimizer steps are recorded.
public struct Schedule: Sendable, Equatable {
  /// Record every so many steps, counted from `start`.
  public var every: Int
  /// First step that may be recorded.
  public var start: Int
  /// Last step that may be recorded; nil for no end.
  public var end: Int?

  /// A schedule; `every` must be positive.
  public init(every: Int = 1, start: Int = 0, end: Int? = nil) {
    precondition(every > 0, "a schedule records every 1 or more steps")
    self.every = every
    self.start = start
    self.end = end
  }

  /// Whether a step is recorded.
  public func includes(_ step: Int) -> Bool {
    step >= start && (end.map { step <= $0 } ?? true) && (step - start) % every == 0
  }

  /// What a file says about it.
  var json: String {
    let last = end.map { #", "end": \#($0)"# } ?? ""
    return #"{"every": \#(every), "start": \#(start)\#(last)}"#
  }
}
