package import Results
package import SnapshotFormat

/// What a file says, in the one form that all readers of the format agree on (spec/conformance/README.md).
package enum FileReading {
  /// A reading, or why there is none.
  package enum Outcome {
    /// The file keeps to the specification and says this.
    case accepted(JSONValue)
    /// Numbers of the requirements that it breaks, sorted.
    case refused([String])

    /// The JSON that stands for it.
    package var json: JSONValue {
      switch self {
      case .accepted(let reading): reading
      case .refused(let numbers): .object(["refused": .array(numbers.map { .string($0) })])
      }
    }
  }

  /// Reads a snapshot or an analysis to its end, twice: to check it, and to digest it.
  ///
  /// - Throws: `SnapshotError` for what says nothing about the file: that it is absent or may not be read.
  package static func of(_ path: String) throws(SnapshotError) -> Outcome {
    do throws(SnapshotError) {
      let violations = try Validator.violations(inFileAt: path)
      guard violations.isEmpty else {
        return .refused(Set(violations.map(\.requirement)).sorted())
      }
      return .accepted(
        AnalysisFile.isAnalysis(path) ? try analysis(path) : try snapshot(Reader(path: path)))
    } catch {
      guard ![.notFound, .permission].contains(error.code) else { throw error }
      // What is no HDF5 file cannot have our mark.
      return .refused([error.requirement ?? "R-001"])
    }
  }
}
