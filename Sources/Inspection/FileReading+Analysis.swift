internal import HDF5
internal import SnapshotFormat

extension FileReading {
  static func analysis(_ path: String) throws(SnapshotError) -> JSON {
    do throws(HDF5Error) { return try analysis(File.open(at: path)) } catch {
      throw SnapshotError(error)
    }
  }

  private static func analysis(_ file: consuming File) throws(HDF5Error) -> JSON {
    var reading: [String: JSON] = [
      "format": .text("ptoken-analysis"), "version": .text(try file.string("version")),
      "producer": .text(try file.string("producer")),
      "json": .object(try columns(["run", "provenance", "warnings"], in: file)),
      "layers": .array(try layers(file.group("layers"))),
      "rows": .array(try rows(file)),
    ]
    for name in ["windows", "cells", "estimates"] {
      let group = try file.group(name)
      let names = AnalysisFile.datasets(in: [name])
      var object = try columns(names, in: group)
      object["count"] = .integer(try group.dataset(names[0]).shape()[0])
      if name == "estimates" {
        var lists: [String: JSON] = [:]
        for list in ["measures", "units", "kinds", "flags"] {
          lists[list] = .text(try group.string(list))
        }
        object["lists"] = .object(lists)
      }
      reading[name] = .object(object)
    }
    return .object(reading)
  }

  private static func columns<L: Location & ~Copyable>(
    _ names: [String], in location: borrowing L
  ) throws(HDF5Error) -> [String: JSON] {
    var digests: [String: JSON] = [:]
    for name in names where location.hasChild(name) {
      digests[name] = try Digest.of(location.dataset(name))
    }
    return digests
  }

  private static func layers(_ group: consuming Group) throws(HDF5Error) -> [JSON] {
    var layers: [JSON] = []
    while group.hasChild(numbered("L", layers.count)) {
      let layer = try group.group(numbered("L", layers.count))
      layers.append(
        .object([
          "name": .text(try layer.string("name")), "stage": .text(try layer.string("stage")),
          "parameters": .integer(try layer.scalar("parameters", as: UInt64.self)),
          "width": .integer(try layer.scalar("width", as: UInt64.self)),
        ]))
    }
    return layers
  }

  private static func rows(_ file: borrowing File) throws(HDF5Error) -> [JSON] {
    let cells = try file.group("cells")
    let layer = try cells.dataset("layer").readAll(UInt32.self)
    let window = try cells.dataset("window").readAll(UInt32.self)
    let components = try cells.dataset("components").readAll(UInt32.self)
    let byWindow = Dictionary(grouping: layer.indices) { window[$0] }
    let group = try file.group("rows")
    var windows: [JSON] = []
    while group.hasChild(numbered("W", windows.count)) {
      let child = try group.group(numbered("W", windows.count))
      var object = try columns(AnalysisFile.datasets(in: ["rows", "W"]), in: child)
      object["rows"] = .integer(try child.dataset("record").shape()[0])
      var found: [String: JSON] = [:]
      for cell in byWindow[UInt32(windows.count)] ?? [] {
        let name = numbered("L", Int(layer[cell]))
        var scores = try columns(
          AnalysisFile.datasets(in: ["rows", "W", "L"]), in: child.group(name))
        let tokens = scores.removeValue(forKey: "tokens") ?? .null
        found[name] = .object([
          "components": .integer(components[cell]), "tokens": tokens, "scores": .object(scores),
        ])
      }
      object["cells"] = .object(found)
      windows.append(.object(object))
    }
    return windows
  }

  private static func numbered(_ letter: String, _ number: Int) -> String {
    let digits = String(number)
    return letter + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
  }
}
