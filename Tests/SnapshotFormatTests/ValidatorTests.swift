import HDF5
import SnapshotFormat
import TestSupport
import Testing

@Suite("Validator")
struct ValidatorTests {
  /// What Python/break.py can break, and the requirement that is then broken.
  static let cases: [(name: String, requirement: String)] = [
    ("run-id-absent", "R-004"), ("run-id-upper", "R-004"), ("created-absent", "R-005"),
    ("created-words", "R-005"), ("producer-absent", "R-006"), ("producer-number", "R-006"),
    ("status-absent", "R-007"), ("status-other", "R-007"), ("model-absent", "R-010"),
    ("model-array", "R-010"), ("model-not-utf8", "R-010"), ("model-huge", "R-010"),
    ("training-wide", "R-010"), ("training-link", "R-010"), ("step-column-absent", "R-020"),
    ("step-column-type", "R-020"), ("step-column-short", "R-020"), ("commit-absent", "R-021"),
    ("commit-two", "R-021"), ("commit-huge", "R-021"), ("commit-shape", "R-021"),
    ("index-descending", "R-022"), ("mode-other", "R-023"), ("tables-absent", "R-030"),
    ("tables-gap", "R-030"), ("tables-link", "R-030"), ("table-name-absent", "R-031"),
    ("table-streams-absent", "R-031"), ("unit-other", "R-032"), ("table-mode-other", "R-033"),
    ("table-mode-swapped", "R-033"), ("observations-absent", "R-034"), ("record-type", "R-034"),
    ("record-short", "R-034"), ("rank-short", "R-034"), ("step-descending", "R-035"),
    ("record-twice", "R-036"), ("streams-gap", "R-040"), ("streams-letter", "R-040"),
    ("kind-absent", "R-041"), ("layer-absent", "R-041"), ("sketch-seed-absent", "R-041"),
    ("name-twice", "R-041"), ("stream-link", "R-041"), ("kind-other", "R-042"),
    ("stage-other", "R-043"), ("shape-other", "R-044"), ("shape-zero", "R-044"),
    ("shape-huge", "R-044"), ("stream-type", "R-045"), ("stream-short", "R-045"),
    ("stream-vector", "R-045"), ("value-nan", "R-046"), ("value-infinite", "R-046"),
    ("label-negative", "R-046"), ("filter-foreign", "R-050"), ("chunk-corrupt", "R-051"),
    ("label-chunk-corrupt", "R-051"), ("record-chunk-corrupt", "R-051"), ("sketch-other", "R-060"),
    ("sketch-nonzeros", "R-060"), ("sketch-wider", "R-060"), ("chunk-huge", "R-070"),
  ]

  @Test("what is broken is named by its requirement, and nothing else is", arguments: cases)
  func names(name: String, requirement: String) throws {
    try withTemporaryFolder { folder in
      let path = folder.file("run.h5")
      try Sample.write(path)
      try Python.run("SnapshotFormatTests/Python/break.py", path, name)
      let found = try Validator.violations(inFileAt: path)
      #expect(found.map(\.requirement) == [requirement], "\(found)")
      // A reader refuses what it can see without reading every row.
      if !["R-036", "R-046", "R-051"].contains(requirement) {
        let error = try Sample.error { _ = try Reader(path: path) }
        #expect(error.code == .invalid)
        #expect(error.requirement == requirement)
        #expect(error.object == found.first?.object)
      }
    }
  }

  @Test("every case of the script is expected here")
  func allCases() throws {
    try withTemporaryFolder { folder in
      let path = folder.file("run.h5")
      try Sample.write(path)
      let listed = try Python.run("SnapshotFormatTests/Python/break.py", path, "list")
      #expect(listed.split(separator: "\n").map(String.init) == Self.cases.map(\.name))
      #expect(try Validator.violations(inFileAt: path) == [])
    }
  }

  @Test("several faults are all listed, in the order of the file")
  func several() throws {
    try withTemporaryFolder { folder in
      let path = folder.file("run.h5")
      try Sample.write(path)
      for name in ["status-other", "unit-other", "index-descending"] {
        try Python.run("SnapshotFormatTests/Python/break.py", path, name)
      }
      let found = try Validator.violations(inFileAt: path)
      #expect(found.map(\.requirement).prefix(2) == ["R-007", "R-022"])
      #expect(found.contains { $0.requirement == "R-032" && $0.object == "/tables/T0000@unit" })
    }
  }

  @Test("the place and the values of a wrong number are stated")
  func places() throws {
    try withTemporaryFolder { folder in
      let path = folder.file("run.h5")
      try Sample.write(path)
      try Python.run("SnapshotFormatTests/Python/break.py", path, "value-nan")
      let found = try Validator.violations(inFileAt: path)
      #expect(found.first?.object == "/tables/T0000/streams/L0000")
      #expect(found.first?.message == "expected finite numbers, found nan in row 900")
    }
  }

  @Test("a step whose index repeats is allowed; a record may come back in another step")
  func allowed() throws {
    try withTemporaryFolder { folder in
      let path = folder.file("run.h5")
      try Sample.write(path)
      #expect(try Validator.violations(inFileAt: path) == [])
    }
  }
}
