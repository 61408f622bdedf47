private import Foundation
internal import SnapshotFormat

/// Names of outputs, and outputs that are text.
enum Files {
  /// `run.h5` -> `run` + suffix, in the same folder; `run.analysis.h5` -> `run` + suffix.
  static func sibling(of path: String, _ suffix: String) -> String {
    var stem = path
    for ending in [".analysis.h5", ".h5", ".hdf5"] where stem.hasSuffix(ending) {
      stem.removeLast(ending.count)
      break
    }
    return stem + suffix
  }

  static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

  static func size(_ path: String) -> Int {
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    return (attributes?[.size] as? NSNumber)?.intValue ?? 0
  }

  /// Writes text so that it appears whole or not at all.
  static func write(_ text: String, to path: String, force: Bool) throws(SnapshotError) {
    let output = try ReplacingFile(path, force: force)
    do { try Data(text.utf8).write(to: URL(filePath: output.temporary)) } catch {
      let isFull = (error as? CocoaError)?.code == .fileWriteOutOfSpace
      throw SnapshotError(
        code: isFull ? .noSpace : .failed, file: path,
        message: isFull ? "cannot write: the device or its quota is full" : "cannot write: \(error.localizedDescription)",
        remedy: "Free some space, or write elsewhere.")
    }
    try output.commit()
  }

  /// A value as one line of JSON with sorted keys.
  static func json(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }
}
