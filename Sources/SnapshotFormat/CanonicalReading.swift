private import Crypto
private import Foundation
internal import HDF5
internal import Results

/// What a reader gets from a file, in the JSON form of spec/conformance/README.md: what implementations are compared by.
public enum CanonicalReading {
  /// A reading, or the requirements that a file breaks.
  public enum Outcome: Sendable, Equatable {
    /// The reading as JSON text.
    case reading(String)
    /// Numbers of the broken requirements, in order.
    case refused([String])
  }

  /// Reads a file to its end.
  ///
  /// - Throws: `SnapshotError` where the file cannot be read at all for want of a file, permission or memory.
  public static func ofFile(at path: String) throws(SnapshotError) -> Outcome {
    do throws(SnapshotError) {
      let violations = try Validator.violations(inFileAt: path)
      guard violations.isEmpty else {
        return .refused(Set(violations.map(\.requirement)).sorted())
      }
      let object =
        AnalysisFile.isAnalysis(path)
        ? try analysis(path) : try snapshot(Opened(path))
      guard
        let data = try? JSONSerialization.data(
          withJSONObject: object, options: [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes])
      else {
        throw SnapshotError(code: .failed, file: path, message: "cannot write the reading as JSON")
      }
      return .reading(String(decoding: data, as: UTF8.self))
    } catch {
      switch error.code {
      case .notOurs, .truncated: return .refused(["R-001"])
      case .newerVersion, .olderVersion, .invalid: return .refused([error.requirement ?? "R-001"])
      default: throw error
      }
    }
  }

  /// `sha256:` and the digest of elements as the file's byte order has them.
  private static func digest(_ hash: SHA256) -> String {
    "sha256:" + Hexadecimal.text(Array(hash.finalize()))
  }

  private static func digest(_ bytes: some Collection<UInt8>) -> String {
    digest { $0.update(data: Array(bytes)) }
  }

  private static func digest(
    _ body: (inout SHA256) throws(SnapshotError) -> Void
  ) throws(SnapshotError) -> String {
    var hash = SHA256()
    try body(&hash)
    return digest(hash)
  }

  private static func digest(_ body: (inout SHA256) -> Void) -> String {
    var hash = SHA256()
    body(&hash)
    return digest(hash)
  }

  // MARK: Snapshots

  private static func snapshot(_ opened: Opened) throws(SnapshotError) -> [String: Any] {
    let (declaration, source) = (opened.declaration, opened.source)
    let layout = declaration.layout
    func column(_ position: Int) throws(SnapshotError) -> String {
      let rows = try source.rowCount(position)
      let rowBytes = source.columns[position].rowBytes
      let block = max(1, (4 << 20) / max(1, rowBytes))
      return try digest { hash throws(SnapshotError) in
        for start in stride(from: 0, to: rows, by: block) {
          let end = min(start + block, rows)
          var bytes = [UInt8](repeating: 0, count: (end - start) * rowBytes)
          try bytes.withUnsafeMutableBufferPointer { buffer throws(SnapshotError) in
            try source.read(
              position, rows: start..<end, into: UnsafeMutableRawBufferPointer(buffer))
          }
          hash.update(data: bytes)
        }
      }
    }
    var steps: [String: Any] = ["count": opened.contents.steps.count]
    for (kind, position) in zip(StepColumn.allCases, layout.steps) {
      steps[kind.rawValue] = try column(position)
    }
    if let trainable = layout.trainable { steps[Names.trainable] = try column(trainable) }
    var tables: [[String: Any]] = []
    for (table, positions) in zip(declaration.tables, layout.tables) {
      var observations: [String: Any] = [
        Names.step: try column(positions.step), Names.record: try column(positions.record),
        Names.rank: try column(positions.rank),
      ]
      if let weight = positions.weight { observations[Names.weight] = try column(weight) }
      if let steps = positions.localSteps { observations[Names.localSteps] = try column(steps) }
      var members: Any = NSNull()
      if let columns = positions.members {
        members = [
          "count": try source.rowCount(columns.observation),
          Names.observation: try column(columns.observation),
          Names.record: try column(columns.record), Names.weight: try column(columns.weight),
        ]
      }
      var streams: [[String: Any]] = []
      for (stream, position) in zip(table.streams, positions.streams) {
        streams.append(
          describe(
            stream, object: source.columns[position].path, values: try column(position)))
      }
      tables.append([
        "name": table.name, "unit": table.unit.rawValue, "mode": table.mode.description,
        "schedule": table.schedule ?? NSNull(), "rows": try source.rowCount(positions.step),
        "observations": observations, "members": members, "streams": streams,
      ])
    }
    let sessions = declaration.sessions
    return [
      "format": Names.snapshotFormat, "version": declaration.version.description,
      "run_id": declaration.run.id, "created": declaration.run.created,
      "producer": declaration.run.producer, "status": opened.status.rawValue,
      "json": [
        Names.model: digest(declaration.run.model.utf8),
        Names.training: digest(declaration.run.training.utf8),
        Names.observer: digest(declaration.run.observer.utf8),
      ],
      "sessions": [
        "count": sessions.count,
        Names.firstStep: digest(numbers: sessions.map { UInt64($0.firstStep) }),
        Names.started: digest(sessions.flatMap { Array($0.started.utf8) }),
        Names.cutBytes: digest(numbers: sessions.map(\.cutBytes)),
        Names.rank: digest(numbers: sessions.map(\.rank)),
      ] as [String: Any], "steps": steps, "tables": tables,
    ]
  }

  private static func digest<T: FixedWidthInteger>(numbers: [T]) -> String {
    var bytes: [UInt8] = []
    for number in numbers { bytes.append(littleEndian: number) }
    return digest(bytes)
  }

  private static func describe(
    _ stream: StreamDescription, object: String, values: String
  ) -> [String: Any] {
    let sketch: Any =
      stream.sketch.map { ["seed": String($0.seed), "nonzeros": $0.nonzeros] as [String: Any] }
      ?? NSNull()
    return [
      "object": object.split(separator: "/").last.map(String.init) ?? "", "name": stream.name,
      "kind": stream.kind.name, "shape": stream.shape, "width": stream.width, "sketch": sketch,
      "layer": stream.kind.layer ?? NSNull(), "stage": stream.kind.stage?.rawValue ?? NSNull(),
      "role": stream.role?.rawValue ?? NSNull(), "unit": stream.unit ?? NSNull(),
      "clip_norm": stream.clipping?.norm ?? NSNull(),
      "noise_multiplier": stream.clipping?.noiseMultiplier ?? NSNull(), "values": values,
    ]
  }

  // MARK: Analyses

  private static func analysis(_ path: String) throws(SnapshotError) -> [String: Any] {
    let file = try Decoder.open(path, format: Names.analysisFormat)
    return try translating { () throws(HDF5Error) in try analysis(file) }
  }

  private static func analysis(_ file: borrowing File) throws(HDF5Error) -> [String: Any] {
    var layers: [[String: Any]] = []
    for layer in try AnalysisFile.readLayers(file) {
      layers.append([
        "name": layer.name, "stage": layer.stage, "parameters": layer.parameters,
        "width": layer.width,
      ])
    }
    var rows: [[String: Any]] = []
    let windows = try file.group(Names.rows)
    for number in 0..<(try windows.children().count) {
      rows.append(try window(windows.group(Names.numbered("W", number))))
    }
    var estimates = try columns(of: Names.estimates, in: file)
    var lists: [String: String] = [:]
    for name in ["measures", "units", "kinds", "flags"] {
      lists[name] = try file.group(Names.estimates).string(name)
    }
    estimates["lists"] = lists
    return [
      "format": Names.analysisFormat, "version": try file.string(Names.versionAttribute),
      "producer": try file.string(Names.producer),
      "json": [
        Names.run: try digest(file.dataset(Names.run)),
        Names.provenance: try digest(file.dataset(Names.provenance)),
        Names.warnings: try digest(file.dataset(Names.warnings)),
      ], "layers": layers, "windows": try columns(of: Names.windows, in: file),
      "cells": try columns(of: Names.cells, in: file), "estimates": estimates, "rows": rows,
    ]
  }

  private static func digest(_ dataset: consuming Dataset) throws(HDF5Error) -> String {
    let shape = try dataset.shape()
    var bytes = [UInt8](
      repeating: 0, count: shape.reduce(dataset.elementType.size, *))
    let start = shape.map { _ in 0 }
    if !bytes.isEmpty {
      try bytes.withUnsafeMutableBufferPointer { buffer throws(HDF5Error) in
        try dataset.readBytes(
          into: UnsafeMutableRawBufferPointer(buffer), start: start, count: shape)
      }
    }
    return digest(bytes)
  }

  /// The columns of a group that the schema names.
  private static func columns(
    of name: String, in file: borrowing File
  ) throws(HDF5Error) -> [String: Any] {
    let group = try file.group(name)
    var found: [String: Any] = [:]
    for column in (Schema.builtIn(Names.analysisFormat).root.objects?[name]?.objects ?? [:]).keys {
      let dataset = try group.dataset(column)
      found["count"] = try dataset.shape()[0]
      found[column] = try digest(dataset)
    }
    return found
  }

  private static func window(_ group: consuming Group) throws(HDF5Error) -> [String: Any] {
    var cells: [String: Any] = [:]
    for name in try group.children() where name.hasPrefix("L") {
      guard Names.number(of: name) != nil else { continue }
      let cell = try group.group(name)
      var scores: [String: Any] = [:]
      for measure in Measure.allCases where cell.hasChild(measure.rawValue) {
        scores[measure.rawValue] = try digest(cell.dataset(measure.rawValue))
      }
      cells[name] = [
        "components": try cell.dataset("tokens").shape()[1],
        "tokens": try digest(cell.dataset("tokens")), "scores": scores,
      ]
    }
    return [
      "rows": try group.dataset(Names.record).shape()[0],
      "record": try digest(group.dataset(Names.record)),
      "step": try digest(group.dataset(Names.step)), "fold": try digest(group.dataset("fold")),
      "cells": cells,
    ]
  }
}
