internal import HDF5

/// Decodes what a snapshot file declares, collecting every breach of the specification on the way.
///
/// `Reader` throws the first breach; `Validator` lists them all.
struct Decoder: ~Copyable {
  let file: File
  private(set) var breaches: [DescriptionRules.Breach] = []

  /// Opens a file and checks that it is a snapshot of a version that we know.
  init(path: String) throws(SnapshotError) {
    let file = try translating { () throws(HDF5Error) in try File.open(at: path) }
    try Self.requireFormat(Names.snapshotFormat, of: file)
    self.file = file
  }

  /// Refuses HDF5 files of other formats and of newer major versions.
  static func requireFormat(_ expected: String, of file: borrowing File) throws(SnapshotError) {
    let path = file.file
    guard let format = try? file.string(Names.format) else {
      throw SnapshotError(
        code: .notOurs, file: path, object: "@format",
        message: "expected '\(expected)', found an HDF5 file without our mark",
        remedy: "Expected a file written by ptoken.", requirement: "R-001")
    }
    guard format == expected else {
      let remedy =
        switch format {
        case Names.analysisFormat: "It is an analysis: name the snapshot file that it was made of."
        case Names.snapshotFormat: "It is a snapshot: name the analysis that was made of it."
        default: "Expected a file written by ptoken."
        }
      throw SnapshotError(
        code: .notOurs, file: path, object: "@format",
        message: "expected '\(expected)', found '\(format.prefix(40))'",
        remedy: remedy, requirement: "R-001")
    }
    let text = (try? file.string(Names.versionAttribute)) ?? ""
    guard let version = FormatVersion(text) else {
      throw SnapshotError(
        code: .invalid, file: path, object: "@version",
        message: "expected major.minor, found '\(text.prefix(40))'", requirement: "R-002")
    }
    guard version.major <= Names.version.major else {
      throw SnapshotError(
        code: .newerVersion, file: path, object: "@version",
        message: "expected version \(Names.version.major).x, found \(version)",
        remedy: "Update ptoken.", requirement: "R-002")
    }
  }

  mutating func breach(_ requirement: String, _ object: String, _ message: String) {
    breaches.append(.init(requirement: requirement, object: object, message: message))
  }

  /// Notes a failed HDF5 call as a breach of a requirement; nil then.
  mutating func noting<R>(
    _ requirement: String, _ body: (borrowing File) throws(HDF5Error) -> R
  ) -> R? {
    do throws(HDF5Error) { return try body(file) } catch {
      breach(requirement, error.object, error.message)
      return nil
    }
  }

  /// Everything the file declares, as far as it can be read.
  mutating func decode() -> Contents {
    var contents = Contents()
    contents.run = RunDescription(
      id: noting("R-004") { file throws(HDF5Error) in try file.string(Names.runID) } ?? "",
      created: noting("R-005") { file throws(HDF5Error) in try file.string(Names.created) } ?? "",
      producer: noting("R-006") { file throws(HDF5Error) in try file.string(Names.producer) } ?? "",
      model: text(Names.model), training: text(Names.training))
    if let status = noting("R-007", { file throws(HDF5Error) in try file.string(Names.status) }) {
      contents.status = RunStatus(rawValue: status)
      if contents.status == nil {
        breach(
          "R-007", "@status",
          "expected complete, interrupted or crashed, found '\(status.prefix(40))'")
      }
    }
    if breaches.isEmpty { breaches += DescriptionRules.breaches(of: contents.run) }
    decodeSteps(into: &contents)
    decodeTables(into: &contents)
    breaches += DescriptionRules.breaches(of: contents.tables.map(\.description))
    refuseStrayLinks()
    return contents
  }

  /// Notes links that are not hard links, where no other requirement has named them already.
  private mutating func refuseStrayLinks() {
    var waiting = [[String]](repeating: [], count: 1)
    while let path = waiting.popLast(), path.count < 5 {
      let children = noting("R-071") { file throws(HDF5Error) in
        try Self.children(of: file, at: path)
      }
      for (name, kind) in children ?? [] {
        switch kind {
        case .group: waiting.append(path + [name])
        case .dataset: continue
        case .refusedLink, .other:
          let object = "/" + (path + [name]).joined(separator: "/")
          guard !breaches.contains(where: { $0.object.hasPrefix(object) }) else { continue }
          breach("R-071", object, "expected a hard link to a group or dataset")
        }
      }
    }
  }

  private static func children<L: Location & ~Copyable>(
    of location: borrowing L, at path: [String]
  ) throws(HDF5Error) -> [(String, ChildKind)] {
    if let first = path.first {
      return try children(of: location.group(first), at: Array(path.dropFirst()))
    }
    var found: [(String, ChildKind)] = []
    for name in try location.children() {
      if let kind = try location.kind(of: name) { found.append((name, kind)) }
    }
    return found
  }

  private mutating func text(_ name: String) -> String {
    guard
      let bytes = noting(
        "R-010",
        { file throws(HDF5Error) -> [UInt8] in
          let dataset = try file.dataset(name)
          let shape = try dataset.shape()
          guard shape.count == 1, shape[0] <= Limits.jsonBytes else {
            throw HDF5Error(
              code: .mismatch, file: "", object: "/\(name)",
              message: "expected at most \(Limits.jsonBytes) bytes, found shape \(shape)")
          }
          return try dataset.readAll(UInt8.self)
        })
    else { return "{}" }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      breach("R-010", "/\(name)", "expected UTF-8 text")
      return "{}"
    }
    return text
  }

  private mutating func decodeSteps(into contents: inout Contents) {
    guard
      let committed = noting(
        "R-021",
        { file throws(HDF5Error) -> UInt64? in
          let dataset = try file.dataset(Names.commit)
          return try dataset.shape() == [1] ? try dataset.readAll(UInt64.self)[0] : nil
        }) ?? nil, committed <= Limits.steps
    else {
      if breaches.last?.requirement != "R-021" {
        breach("R-021", "/commit", "expected one number of at most \(Limits.steps)")
      }
      return
    }
    let count = Int(committed)
    func column<T: Element>(_ name: String, _: T.Type) -> (borrowing File) throws(HDF5Error) -> [T]
    {
      { file throws(HDF5Error) in
        try file.group(Names.steps).dataset(name).read(T.self, start: [0], count: [count])
      }
    }
    guard let index = noting("R-020", column(Names.index, Int64.self)),
      let epoch = noting("R-020", column(Names.epoch, Double.self)),
      let time = noting("R-020", column(Names.time, Double.self)),
      let loss = noting("R-020", column(Names.loss, Double.self)),
      let rate = noting("R-020", column(Names.learningRate, Double.self)),
      let mode = noting("R-020", column(Names.mode, UInt8.self))
    else { return }
    for row in 0..<count {
      guard let stepMode = StepMode(rawValue: mode[row]) else {
        breach("R-023", "/steps/mode", "expected 0 or 1 in row \(row), found \(mode[row])")
        return
      }
      if row > 0, index[row] < index[row - 1] {
        breach(
          "R-022", "/steps/index",
          "expected ascending indices, found \(index[row]) after \(index[row - 1])")
        return
      }
      contents.steps.append(
        StepDescription(
          index: Int(index[row]), epoch: epoch[row], time: time[row], loss: loss[row],
          learningRate: rate[row], mode: stepMode))
    }
  }
}
