private import Foundation
internal import Results
internal import SnapshotFormat

/// What differs between two analyses: where they come from, and their figures.
enum StudyComparison {
  static func differences(_ a: Study, _ b: Study) -> [Difference] {
    var found =
      JSONValue.differences("run", json(a.run), json(b.run))
      + JSONValue.differences("provenance", json(a.provenance), json(b.provenance))
      + JSONValue.differences("warnings", json(a.warnings), json(b.warnings))
    found += pairs("layer", a.layers, b.layers, layerName) { one, two, place in
      [
        Difference("\(place) parameters", of: one.parameters, and: two.parameters),
        Difference("\(place) width", of: one.width, and: two.width),
      ].compactMap { $0 }
    }
    found += pairs("window", a.windows, b.windows, windowName) { one, two, place in
      [
        Difference("\(place) rows", of: one.rows, and: two.rows),
        Difference("\(place) folds", of: one.folds, and: two.folds),
        Difference("\(place) candidates", of: one.candidates, and: two.candidates),
        number("\(place) epoch", one.epoch, two.epoch),
        number("\(place) loss", one.loss, two.loss),
        number("\(place) label entropy", one.labelEntropy, two.labelEntropy),
        number("\(place) label chance", one.labelChance, two.labelChance),
      ].compactMap { $0 }
    }
    found += pairs("cell", cells(a), cells(b), { $0.name }) { one, two, place in
      [
        Difference("\(place) components", of: one.cell.components, and: two.cell.components),
        number("\(place) kept variance", one.cell.keptVariance, two.cell.keptVariance),
      ].compactMap { $0 }
        + pairs("\(place)", one.cell.figures, two.cell.figures, { $0.measure.rawValue }, figures)
    }
    return found
  }

  private struct NamedCell {
    var name: String
    var cell: Study.Cell
  }

  private static func cells(_ study: Study) -> [NamedCell] {
    study.cells.map {
      NamedCell(
        name: "\(layerName(study.layers[$0.layer])), \(windowName(study.windows[$0.window]))",
        cell: $0)
    }
  }

  private static func layerName(_ layer: Study.Layer) -> String { "\(layer.name) (\(layer.stage))" }

  private static func windowName(_ window: Study.Window) -> String {
    "\(window.mode) \(window.firstStep)"
      + (window.lastStep == window.firstStep ? "" : " to \(window.lastStep)")
      + " of table \(window.table)"
  }

  private static func figures(_ a: Figure, _ b: Figure, _ place: String) -> [Difference] {
    var parts: [String] = []
    func add(_ name: String, _ value: KeyPath<Figure, Double>) {
      if let difference = number(name, a[keyPath: value], b[keyPath: value]) {
        parts.append(difference.line)
      }
    }
    add("value", \.value)
    add("standard error", \.standardError)
    add("low", \.low)
    add("high", \.high)
    add("null mean", \.nullMean)
    add("null deviation", \.nullDeviation)
    add("p", \.p)
    add("map p", \.mapP)
    add("ceiling", \.ceiling)
    if a.rows != b.rows { parts.append("rows: \(a.rows) in A, \(b.rows) in B") }
    if a.flags != b.flags {
      let (one, two) = (a.flags.map(\.name), b.flags.map(\.name))
      parts.append("flags: \(one.joined(separator: " ")) in A, \(two.joined(separator: " ")) in B")
    }
    guard !parts.isEmpty else { return [] }
    return [
      Difference(place, parts.joined(separator: "; "), largest: abs(a.value - b.value))
    ]
  }

  /// NaN is "not known", in both.
  private static func number(_ place: String, _ a: Double, _ b: Double) -> Difference? {
    a.isNaN && b.isNaN ? nil : Difference(place, of: a, and: b)
  }

  /// Compares things of the same name, the k-th of one name with the k-th, and notes those that have none.
  private static func pairs<T>(
    _ what: String, _ a: [T], _ b: [T], _ name: (T) -> String,
    _ compare: (T, T, String) -> [Difference]
  ) -> [Difference] {
    var others = Dictionary(grouping: b.indices.reversed()) { ExactText(name(b[$0])) }
    var found: [Difference] = []
    for item in a {
      let place = "\(what) \(name(item))"
      if let other = others[ExactText(name(item))]?.popLast() {
        found += compare(item, b[other], place)
      } else {
        found.append(Difference(place, "only in A"))
      }
    }
    let left = Set(others.values.flatMap { $0 })
    for number in b.indices where left.contains(number) {
      found.append(Difference("\(what) \(name(b[number]))", "only in B"))
    }
    return found
  }

  private static func json(_ value: some Encodable) -> JSONValue {
    (try? JSONEncoder().encode(value)).flatMap {
      JSONValue(parsing: String(decoding: $0, as: UTF8.self))
    } ?? .null
  }
}
