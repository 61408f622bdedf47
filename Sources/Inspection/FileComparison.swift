internal import Results
package import SnapshotFormat

/// Compares two snapshots, or two analyses.
package enum FileComparison {
  /// What differs; empty where the files say the same. Compression, chunks and the order of bytes in a file do not count.
  ///
  /// Rows go by record id. Snapshots are read in blocks: memory is two of them (4 MiB at most) for each column of a table, however
  /// long. Rows in the same order are decoded once; in another order, up to a block for each row.
  ///
  /// - Throws: `SnapshotError`: as `Reader.init` and `AnalysisFile.study`; `notOurs` for a snapshot and an analysis.
  package static func differences(_ a: String, _ b: String) throws(SnapshotError) -> [Difference] {
    let kinds = [a, b].map { AnalysisFile.isAnalysis($0) }
    guard kinds[0] == kinds[1] else {
      // Whether the other file is a snapshot at all is a question before that.
      _ = try Reader(path: kinds[0] ? b : a)
      throw SnapshotError(
        code: .notOurs, file: b,
        message: kinds[0]
          ? "expected an analysis as \(a) is, found a snapshot"
          : "expected a snapshot as \(a) is, found an analysis",
        remedy: "Name two files of one kind.")
    }
    if kinds[0] {
      let studies = StudyComparison.differences(
        try AnalysisFile.study(inFileAt: a), try AnalysisFile.study(inFileAt: b))
      let (one, two) = (try FileReading.analysis(a), try FileReading.analysis(b))
      return studies
        + ["version", "producer", "rows"].flatMap {
          JSONValue.differences($0, one[$0] ?? .null, two[$0] ?? .null)
        }
    }
    return try SnapshotComparison(Reader(path: a), Reader(path: b)).differences
  }
}
