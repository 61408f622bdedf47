import Foundation

/// Runs the tests' Python scripts, which stand for the rest of the world: h5py with hdf5plugin.
///
/// The interpreter is `PTOKEN_PYTHON`, which scripts/test sets, or else `python3`. A missing package is a failure,
/// not a reason to skip.
package enum Python {
  /// Why a script did not end well.
  package struct Failure: Error, CustomStringConvertible {
    package let description: String
  }

  /// Runs a script and returns what it printed.
  ///
  /// - Parameter script: path below Tests, such as `HDF5Tests/Python/dump.py`.
  @discardableResult
  package static func run(_ script: String, _ arguments: String...) throws -> String {
    let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    let interpreter = ProcessInfo.processInfo.environment["PTOKEN_PYTHON"] ?? "python3"
    let (status, output, errors) = try Command.run(
      [interpreter, tests.appending(path: script).path(percentEncoded: false)] + arguments)
    guard status == 0 else {
      let hint =
        status == 127 || errors.contains("ModuleNotFoundError")
        ? "\nThese tests need Python with numpy, h5py and hdf5plugin: run scripts/test, or set PTOKEN_PYTHON."
        : ""
      throw Failure(description: "\(script) ended with status \(status)\n\(errors)\(hint)")
    }
    return output
  }
}

/// Runs other programs.
package enum Command {
  /// Runs a program found on the path; returns its exit status and what it wrote.
  package static func run(
    _ command: [String]
  ) throws -> (status: Int32, output: String, errors: String) {
    try withTemporaryFolder { folder in
      // Files, not pipes: a pipe that nobody drains would stop the program.
      let names = ["output", "errors"]
      for name in names { try folder.write(name, []) }
      let process = Process()
      process.executableURL = URL(filePath: "/usr/bin/env")
      process.arguments = command
      process.standardInput = FileHandle.nullDevice
      process.standardOutput = try FileHandle(forWritingTo: URL(filePath: folder.file(names[0])))
      process.standardError = try FileHandle(forWritingTo: URL(filePath: folder.file(names[1])))
      try process.run()
      process.waitUntilExit()
      let texts = try names.map { String(decoding: try folder.bytes($0), as: UTF8.self) }
      return (process.terminationStatus, texts[0], texts[1])
    }
  }
}
