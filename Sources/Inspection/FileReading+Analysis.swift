internal import HDF5
internal import Results
internal import SnapshotFormat

extension FileReading {
  static func analysis(_ path: String) throws(SnapshotError) -> JSONValue {
    do throws(HDF5Error) { return try analysis(File.open(at: path)) } catch {
      throw SnapshotError(error)
    }
  }

  private static func analysis(_ file: consuming File) throws(HDF5Error) -> JSONValue {
    var reading: [String: JSONValue] = [
      "format": .string("ptoken-analysis"), "version": .string(try file.string("version")),
      "producer": .string(try file.string("producer")),
      "json": .object(sorted: try columns(["run", "provenance", "warnings"], in: file)),
      "layers": .array(try layers(file.group("layers"))),
      "rows": .array(try rows(file)),
    ]
    for name in ["windows", "cells", "estimates"] {
      let group = try file.group(name)
      let names = AnalysisFile.datasets(in: [name])
      var object = try columns(names, in: group)
      object["count"] = .number(try group.dataset(names[0]).shape()[0])
      if name == "estimates" {
        var lists: [String: JSONValue] = [:]
        for list in ["measures", "units", "kinds", "flags"] {
          lists[list] = .string(try group.string(list))
        }
        object["lists"] = .object(sorted: lists)
      }
      reading[name] = .object(sorted: object)
    }
    return .object(sorted: reading)
  }

  private static func columns<L: Location & ~Copyable>(
    _ names: [String], in location: borrowing L
  ) throws(HDF5Error) -> [String: JSONValue] {
    var digests: [String: JSONValue] = [:]
    for name in names where location.hasChild(name) {
      digests[name] = try Digest.of(location.dataset(name))
    }
    return digests
  }

  private static func layers(_ group: consuming Group) throws(HDF5Error) -> [JSONValue] {
    var layers: [JSONValue] = []
    while group.hasChild(Names.numbered("L", layers.count)) {
      let layer = try group.group(Names.numbered("L", layers.count))
      layers.append(
        .object([
          "name": .string(try layer.string("name")), "stage": .string(try layer.string("stage")),
          "parameters": .number(try layer.scalar("parameters", as: UInt64.self)),
          "width": .number(try layer.scalar("width", as: UInt64.self)),
        ]))
    }
    return layers
  }

  private static func rows(_ file: borrowing File) throws(HDF5Error) -> [JSONValue] {
    let cells = try file.group("cells")
    let layer = try cells.dataset("layer").readAll(UInt32.self)
    let window = try cells.dataset("window").readAll(UInt32.self)
    let components = try cells.dataset("components").readAll(UInt32.self)
    let byWindow = Dictionary(grouping: layer.indices) { window[$0] }
    let group = try file.group("rows")
    var windows: [JSONValue] = []
    let count = try file.group("windows").dataset("table").shape()[0]
    while windows.count < count {
      let child = try group.group(Names.numbered("W", windows.count))
      var object = try columns(AnalysisFile.datasets(in: ["rows", "W"]), in: child)
      object["rows"] = .number(try child.dataset("record").shape()[0])
      var found: [String: JSONValue] = [:]
      for cell in byWindow[UInt32(windows.count)] ?? [] {
        let name = Names.numbered("L", Int(layer[cell]))
        var scores = try columns(
          AnalysisFile.datasets(in: ["rows", "W", "L"]), in: child.group(name))
        let tokens = scores.removeValue(forKey: "tokens") ?? .null
        found[name] = .object([
          "components": .number(components[cell]), "tokens": tokens,
          "scores": .object(sorted: scores),
        ])
      }
      object["cells"] = .object(sorted: found)
      windows.append(.object(sorted: object))
    }
    return windows
  }
}
