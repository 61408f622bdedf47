internal import HDF5

/// Names of objects and attributes in both files, and the versions that this module writes; see spec/SPEC.md.
package enum Names {
  static let snapshotFormat = "ptoken-snapshot"
  static let analysisFormat = "ptoken-analysis"
  static let version = FormatVersion(major: 1, minor: 0)

  // Root attributes.
  static let format = "format"
  static let versionAttribute = "version"
  static let runID = "run_id"
  static let created = "created"
  static let producer = "producer"
  static let status = "status"

  // Root objects of a snapshot.
  static let model = "model"
  static let training = "training"
  static let observer = "observer"
  static let schema = "schema"
  static let sessions = "sessions"
  static let steps = "steps"
  static let tables = "tables"
  static let capture = "capture"

  // Columns of /sessions.
  static let firstStep = "first_step"
  static let started = "started"
  static let cutBytes = "cut_bytes"

  // Columns of /steps beside those of `StepColumn`.
  static let trainable = "trainable"
  static let values = "values"

  // A table.
  static let name = "name"
  static let unit = "unit"
  static let mode = "mode"
  static let schedule = "schedule"
  static let observations = "observations"
  static let step = "step"
  static let record = "record"
  static let rank = "rank"
  static let weight = "weight"
  static let localSteps = "local_steps"
  static let members = "members"
  static let observation = "observation"
  static let streams = "streams"

  // A stream.
  static let kind = "kind"
  static let layer = "layer"
  static let stage = "stage"
  static let shape = "shape"
  static let sketch = "sketch"
  static let sketchSeed = "sketch_seed"
  static let sketchNonzeros = "sketch_nonzeros"
  static let clipNorm = "clip_norm"
  static let noiseMultiplier = "noise_multiplier"
  static let role = "role"

  // Root objects of an analysis.
  static let provenance = "provenance"
  static let run = "run"
  static let warnings = "warnings"
  static let layers = "layers"
  static let windows = "windows"
  static let cells = "cells"
  static let estimates = "estimates"
  static let rows = "rows"
  static let table = "table"
  static let epoch = "epoch"
  static let loss = "loss"

  // Files beside a growing snapshot.
  static let journalFormat = "ptoken-journal"
  private static let journalEnding = ".journal"
  package static func journal(of path: String) -> String { path + journalEnding }
  static func isJournal(_ path: String) -> Bool { path.hasSuffix(journalEnding) }
  /// The name of a journal's snapshot.
  static func snapshot(of journal: String) -> String {
    String(journal.dropLast(journalEnding.count))
  }
  static func store(of path: String) -> String { path + ".partial" }

  /// `T0007`, `L0007`: object names are made of a letter and a number; what people call a thing is data.
  package static func numbered(_ prefix: String, _ number: Int) -> String {
    let digits = String(number)
    return prefix + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
  }

  /// The number of an object name; nil unless it is written as `numbered` writes it.
  static func number(of name: String) -> Int? {
    guard let number = Int(name.dropFirst()), number >= 0,
      name == numbered(String(name.prefix(1)), number)
    else { return nil }
    return number
  }
}

/// A format version. Readers accept any minor version of a major version that they know.
struct FormatVersion: Equatable, CustomStringConvertible {
  let major: Int
  let minor: Int

  init(major: Int, minor: Int) {
    self.major = major
    self.minor = minor
  }

  /// Parses `major.minor`, decimal digits without leading zeros.
  init?(_ text: String) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 2, let major = Self.number(parts[0]), let minor = Self.number(parts[1])
    else { return nil }
    self.init(major: major, minor: minor)
  }

  /// A number however long: every minor version is read.
  private static func number(_ digits: Substring) -> Int? {
    guard digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
      digits == "0" || digits.first.map({ $0 != "0" }) == true
    else { return nil }
    return Int(digits) ?? .max
  }

  var description: String { "\(major).\(minor)" }
}

/// Bounds on what a file may declare, checked before anything is allocated.
enum Limits {
  static let jsonBytes = 16 << 20
  static let textBytes = 4096
  static let steps = 1 << 24
  static let sessions = 1 << 16
  static let layers = 1 << 16
  static let tables = 256
  static let streamsPerTable = 1 << 16
  static let observations = 1 << 28
  static let members = 1 << 28
  static let shapeAxes = 32
  static let width = 1 << 24
  static let chunkBytes = Dataset.largestChunk
}
