import HDF5
import SnapshotFormat
import TestSupport
import Testing

@Suite("Validator")
struct ValidatorTests {
  /// Writes the sample run and changes it in place.
  private func violations(
    _ change: (borrowing File) throws -> Void
  ) throws -> [Validator.Violation] {
    try withTemporaryFolder { folder in
      let path = folder.file("run.h5")
      try Sample.write(path)
      let file = try File.open(at: path, mode: .readWrite)
      try change(file)
      try file.close()
      return try Validator.violations(inFileAt: path)
    }
  }

  @Test("a sound file has none: a record may come back in another step, an index may repeat")
  func sound() throws {
    #expect(try violations { _ in } == [])
  }

  @Test("several faults are all listed")
  func several() throws {
    let found = try violations {
      try $0.setAttribute("status", "fine")
      try $0.group("tables").group("T0000").setAttribute("unit", "rows")
      try $0.group("tables").group("T0000").group("streams").dataset("L0000")
        .setAttribute("stage", "cooked")
    }
    #expect(Set(found.map(\.requirement)) == ["R-007", "R-032", "R-043"])
    #expect(found.contains { $0.requirement == "R-032" && $0.object == "/tables/T0000@unit" })
  }

  @Test("the place and the values of a wrong number are stated")
  func places() throws {
    let found = try violations {
      try $0.group("steps").dataset("mode").write([9] as [UInt8], start: [2], count: [1])
    }
    #expect(found.map(\.requirement) == ["R-023"])
    #expect(found.first?.object == "/steps/mode")
    #expect(found.first?.message == "expected 0 or 1 in row 2, found 9")
  }
}
