import Foundation
import HDF5
import SnapshotFormat
import TestSupport
import Testing

/// Small files that the tests start from, made once by the programs themselves.
enum Samples {
  private static let recording = Result { () throws -> [UInt8] in
    try withTemporaryFolder { folder in
      let outcome = try Tool.run("ptoken-record demo run.h5 --epochs 1 --probe 150", in: folder)
      try #require(outcome.status == 0, "\(outcome.errors)")
      return try folder.bytes("run.h5")
    }
  }

  private static let study = Result { () throws -> [UInt8] in
    try withTemporaryFolder { folder in
      try folder.write("run.h5", recording.get())
      let outcome = try Tool.run("ptoken-analyze run.h5 --pairings 19", in: folder)
      try #require(outcome.status == 0, "\(outcome.errors)")
      return try folder.bytes("run.analysis.h5")
    }
  }

  /// A recording: 44 steps trained, 3 probe windows of 150 rows.
  static func run() throws -> [UInt8] { try recording.get() }

  /// Its analysis with 19 pairings.
  static func analysis() throws -> [UInt8] { try study.get() }

  /// Writes the recording as `run.h5` into a folder of its own, passes it on and removes it.
  static func withRun<R>(_ body: (TemporaryFolder) throws -> R) throws -> R {
    try withTemporaryFolder { folder in
      try folder.write("run.h5", run())
      return try body(folder)
    }
  }

  /// As `withRun`, with `run.analysis.h5` beside it.
  static func withAnalysis<R>(_ body: (TemporaryFolder) throws -> R) throws -> R {
    try withRun { folder in
      try folder.write("run.analysis.h5", analysis())
      return try body(folder)
    }
  }

  /// Gives a file another version; `change` gets major and minor.
  static func reversion(_ path: String, _ change: (Int, Int) -> (Int, Int)) throws {
    try Tool.withoutSpawning {
      let file = try File.open(at: path, mode: .readWrite)
      let parts = try file.string("version").split(separator: ".").compactMap { Int($0) }
      let (major, minor) = change(parts[0], parts[1])
      try file.setAttribute("version", "\(major).\(minor)")
      try file.close()
    }
  }

  /// An HDF5 file that is none of ours.
  static func writeForeign(_ path: String) throws {
    try Tool.withoutSpawning {
      let file = try File.create(at: path)
      try file.write("numbers", [1, 2, 3] as [Float])
      try file.close()
    }
  }

  /// Calls every table one of batches, which an analysis passes over.
  static func makeBatches(_ path: String) throws {
    try Tool.withoutSpawning {
      let file = try File.open(at: path, mode: .readWrite)
      let tables = try file.group("tables")
      for name in try tables.children() { try tables.group(name).setAttribute("unit", "batch") }
    }
  }

  /// Breaks requirements that leave the file readable as HDF5.
  static func makeInvalid(_ path: String) throws {
    try Tool.withoutSpawning {
      let file = try File.open(at: path, mode: .readWrite)
      try file.setAttribute("status", "\(hostileName)")
      try file.group("tables").group("T0000").setAttribute("unit", "thing")
    }
  }

  /// A word that would rewrite the screen and reverse what follows.
  static let hostileName = "evil\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\u{202e}\r\nerror: forged"

  /// Puts the hostile name wherever a file names things.
  static func poison(_ path: String) throws {
    try Tool.withoutSpawning {
      let reader = try Reader(path: path)
      var run = reader.run
      run.producer = hostileName
      run.model =
        ModelDescription(
          name: hostileName,
          layers: reader.layers.map { .init("\(hostileName) \($0)", parameters: 2080) }
        ).json
      var table = reader.tables[0]
      table.name = hostileName
      for (number, stream) in table.streams.enumerated() {
        table.streams[number].name = "\(hostileName) \(number)"
        if case .gradient(let layer, let stage) = stream.kind {
          table.streams[number].kind = .gradient(layer: "\(hostileName) \(layer)", stage: stage)
        }
      }
      let writer = try Writer(path: path, run: run, tables: [table], force: true)
      for (step, rows) in reader.stepRanges(ofTable: 0) {
        let values = try table.streams.enumerated().map { position, stream in
          stream.kind == .label
            ? TableRows.Values.label(
              try reader.labels(ofStream: position, table: 0, rows: rows))
            : .float(try reader.values(ofStream: position, table: 0, rows: rows))
        }
        try writer.append(
          reader.steps[step],
          rows: [
            TableRows(
              table: 0, records: try reader.records(ofTable: 0, rows: rows), values: values)
          ])
      }
      try writer.close()
    }
  }
}
