private import Foundation
internal import HDF5

/// Puts the files of several ranks together.
public enum Merge {
  /// What a merge made.
  public struct Report: Sendable, Equatable {
    /// Steps of the new file.
    public var steps: Int
    /// Steps that not every rank had: it was killed before the others, say.
    public var partialSteps: Int
    /// Ranks in the new file.
    public var ranks: [UInt16]
  }

  /// Merges files of one run: steps by index and mode, the rows of each rank after those of the lower one.
  ///
  /// Whole chunks are copied as they are stored where a rank's rows begin and end with chunks; other rows are encoded anew.
  /// - Throws: `SnapshotError`: as `Reader.init`; `mismatch` for files that do not belong together.
  public static func merge(
    _ paths: [String], to output: String, force: Bool = false
  ) throws(SnapshotError) -> Report {
    var files: [(opened: Opened, path: String, ranks: Set<UInt16>)] = []
    for path in paths {
      let opened = try Opened(path)
      if let breach = opened.breaches.first {
        throw SnapshotError(
          code: .invalid, file: path, object: breach.object, message: breach.message,
          remedy: "List every fault with ptoken-inspect validate.",
          requirement: breach.requirement)
      }
      files.append((opened, path, try ranks(of: opened)))
    }
    files.sort { ($0.ranks.min() ?? 0) < ($1.ranks.min() ?? 0) }
    for (number, file) in files.enumerated() {
      try requireAgreement(file.opened, file.path, with: files[0].opened, files[0].path)
      for other in files[..<number] {
        if let shared = other.ranks.intersection(file.ranks).min() {
          throw SnapshotError(
            code: .mismatch, file: file.path,
            message: "expected a rank of its own, found rank \(shared) as in \(other.path)",
            remedy: "Name each rank's file once.")
        }
      }
    }
    let opened = files.map(\.opened)
    let steps = order(opened)
    guard steps.count <= Limits.steps else {
      throw SnapshotError(
        code: .invalid, file: output, message: "expected at most \(Limits.steps) steps",
        requirement: "R-021")
    }
    let file = try ReplacingFile(output, force: force)
    // The store makes it anew, and only where nothing is.
    unlink(file.temporary)
    do throws(SnapshotError) {
      let compression = Recovery.compression(of: opened[0])
      var declaration = Recovery.declaration(of: opened[0], compression)
      declaration.run.created = opened.map(\.declaration.run.created).min() ?? ""
      let store = try ChunkStore(
        creating: file.temporary, declaration, compression: compression)
      try StepCopy(sources: opened, to: store).append(steps)
      try store.finish(
        status(opened), sessions: sessions(opened, steps),
        captures: opened.flatMap(\.declaration.captures))
    } catch {
      throw [SnapshotError.Code.noSpace, .permission].contains(error.code)
        ? error.naming(output) : error
    }
    try file.commit()
    return Report(
      steps: steps.count, partialSteps: steps.count { $0.parts.count < opened.count },
      ranks: files.flatMap(\.ranks).sorted())
  }

  private static func ranks(of opened: Opened) throws(SnapshotError) -> Set<UInt16> {
    var ranks = Set(opened.declaration.sessions.map(\.rank))
    for (number, table) in opened.declaration.layout.tables.enumerated() {
      let rows = opened.contents.tables[number].last?.rows.upperBound ?? 0
      try opened.source.forEachBlock(table.rank, rows: 0..<rows, as: UInt16.self) { _, values in
        ranks.formUnion(values)
        return true
      }
    }
    return ranks
  }

  private static func requireAgreement(
    _ opened: Opened, _ path: String, with first: Opened, _ firstPath: String
  ) throws(SnapshotError) {
    func mismatch(_ object: String, _ expected: String) -> SnapshotError {
      SnapshotError(
        code: .mismatch, file: path, object: object,
        message: "expected \(expected) as in \(firstPath), found another",
        remedy: "Merge files of one run only.")
    }
    let (own, other) = (opened.declaration, first.declaration)
    guard own.run.id == other.run.id else { throw mismatch("@run_id", "the run") }
    for (name, one, two) in [
      ("/model", own.run.model, other.run.model),
      ("/training", own.run.training, other.run.training),
      ("/observer", own.run.observer, other.run.observer),
      ("/steps/loss@unit", own.run.lossUnit, other.run.lossUnit),
    ] where one != two {
      throw mismatch(name, "the description")
    }
    guard own.tables.count == other.tables.count else { throw mismatch("/tables", "the tables") }
    for (number, (one, two)) in zip(own.tables, other.tables).enumerated() where one != two {
      throw mismatch("/tables/" + Names.numbered("T", number), "the table '\(two.name.prefix(80))'")
    }
    guard (own.layout.trainable == nil) == (other.layout.trainable == nil) else {
      throw mismatch("/steps/trainable", "the columns")
    }
  }

  /// The steps of all files: equal index and mode is one step, each time it occurs.
  private static func order(_ files: [Opened]) -> [StepCopy.Step] {
    struct Key: Hashable {
      var index: Int
      var mode: StepMode
      var occurrence: Int
    }
    var order: [Int: [Key]] = [:]
    var parts: [Key: [StepCopy.Step.Part]] = [:]
    for (number, file) in files.enumerated() {
      var seen: [Key: Int] = [:]
      for (row, step) in file.contents.steps.enumerated() {
        let plain = Key(index: step.index, mode: step.mode, occurrence: 0)
        let key = Key(index: step.index, mode: step.mode, occurrence: seen[plain, default: 0])
        seen[plain, default: 0] += 1
        if parts[key] == nil { order[step.index, default: []].append(key) }
        parts[key, default: []].append(.init(source: number, step: row))
      }
    }
    return order.keys.sorted().flatMap { index in
      order[index]!.map { StepCopy.Step(parts: parts[$0]!) }
    }
  }

  private static func status(_ files: [Opened]) -> RunStatus {
    let all = files.map(\.status)
    if all.allSatisfy({ $0 == .complete }) { return .complete }
    return all.contains(.crashed) || all.contains(.recording) ? .crashed : .interrupted
  }

  /// The sessions of all files, by the steps of the new one.
  private static func sessions(_ files: [Opened], _ steps: [StepCopy.Step]) -> [Session] {
    var place: [StepCopy.Step.Part: Int] = [:]
    for (number, step) in steps.enumerated() {
      for part in step.parts { place[part] = number }
    }
    let all = files.enumerated().flatMap { number, file in
      file.declaration.sessions.map { session -> Session in
        var moved = session
        moved.firstStep =
          session.firstStep == 0
          ? 0 : place[.init(source: number, step: session.firstStep)] ?? steps.count
        return moved
      }
    }
    return all.sorted { ($0.firstStep, $0.rank) < ($1.firstStep, $1.rank) }
  }
}
