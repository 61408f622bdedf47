import Foundation
import SnapshotFormat
import Testing

/// The files of spec/conformance, which were made without our library.
@Suite("Conformance")
struct ConformanceTests {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "spec/conformance")

  private struct Fault: Decodable { var requirement: String }

  private static let faults: [String: Fault] = {
    let file = folder.appending(path: "invalid/faults.json")
    guard let data = try? Data(contentsOf: file) else { return [:] }
    return (try? JSONDecoder().decode([String: Fault].self, from: data)) ?? [:]
  }()

  private static func names(_ kind: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(
      atPath: folder.appending(path: kind).path(percentEncoded: false)
    ).filter { $0.hasSuffix(".h5") }.sorted()
  }

  private static func path(_ kind: String, _ name: String) -> String {
    folder.appending(path: "\(kind)/\(name)").path(percentEncoded: false)
  }

  @Test("every valid file is valid, whatever wrote it")
  func valid() throws {
    let names = try Self.names("valid")
    #expect(names.count >= 20)
    for name in names {
      let found = try Validator.violations(inFileAt: Self.path("valid", name))
      #expect(found == [], "\(name)")
    }
  }

  @Test("every fault is named by its requirement, and nothing else is")
  func invalid() throws {
    #expect(Self.faults.count >= 300)
    #expect(try Self.names("invalid") == Self.faults.keys.map { "\($0).h5" }.sorted())
    for (name, fault) in Self.faults {
      var found: [String]
      do throws(SnapshotError) {
        found = try Validator.violations(inFileAt: Self.path("invalid", "\(name).h5"))
          .map(\.requirement)
      } catch {
        found = [error.requirement ?? "\(error)"]
      }
      #expect(Set(found) == [fault.requirement], "\(name)")
    }
  }

  @Test("every requirement that a file can break is broken by a file")
  func coverage() {
    // What is for writers and readers to do, or for people to say, no file shows (spec/CONFORMANCE.md).
    let broken = Set(Self.faults.values.map(\.requirement))
    let expected =
      Array(1...2) + Array(4...7) + Array(10...12) + Array(15...18) + Array(20...25)
      + Array(30...36) + Array(40...46) + Array(48...52) + [60, 66, 70, 71, 72]
      + Array(80...88) + Array(90...94)
    for number in expected {
      let name = "R-" + String(repeating: "0", count: number < 10 ? 2 : 1) + "\(number)"
      #expect(broken.contains(name), "\(name)")
    }
  }
}
