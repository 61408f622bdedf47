import Foundation
import TestSupport
import Testing

/// Expected output, kept in Golden/ and recorded anew when `PTOKEN_RECORD_GOLDEN=1`.
enum Golden {
  private static let isRecording =
    ProcessInfo.processInfo.environment["PTOKEN_RECORD_GOLDEN"] == "1"

  static func expect(
    _ text: String, is name: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "Golden/\(name).txt")
    if isRecording {
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file)
      return
    }
    guard let expected = try? String(contentsOf: file, encoding: .utf8) else {
      Issue.record(
        "Golden/\(name).txt is missing: run once with PTOKEN_RECORD_GOLDEN=1",
        sourceLocation: sourceLocation)
      return
    }
    // Line by line, so that a failure shows the line and not two pages.
    let (found, wanted) = (lines(text), lines(expected))
    for number in 0..<max(found.count, wanted.count) {
      let line = number < found.count ? found[number] : nil
      let other = number < wanted.count ? wanted[number] : nil
      #expect(line == other, "Golden/\(name).txt:\(number + 1)", sourceLocation: sourceLocation)
    }
  }

  private static func lines(_ text: String) -> [Substring] {
    text.split(separator: "\n", omittingEmptySubsequences: false)
  }

  /// Runs one line after the other and writes down what was said; also expects that a folder is left as it was.
  static func transcript(
    _ commands: [String], in folder: TemporaryFolder,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> String {
    var text = ""
    for line in commands {
      let before = try state(of: folder)
      let words = line.split(separator: " ").map { $0 == "''" ? "" : String($0) }
      let outcome = try Tool.run(words, in: folder)
      #expect(outcome.output == "", "\(line)", sourceLocation: sourceLocation)
      #expect(try state(of: folder) == before, "\(line)", sourceLocation: sourceLocation)
      text += "$ \(line)\n\(outcome.errors)[\(outcome.status)]\n\n"
    }
    return text
  }

  /// Name, size and time of everything in a folder.
  static func state(of folder: TemporaryFolder) throws -> [String] {
    try folder.contents().map {
      let attributes = try FileManager.default.attributesOfItem(atPath: folder.file($0))
      return "\($0) \(attributes[.size]!) \(attributes[.modificationDate]!)"
    }
  }
}
