private import Foundation
internal import HDF5

/// Checks a snapshot file against the specification, payload included.
public enum Validator {
  /// One broken requirement.
  public struct Violation: Sendable, Codable, Equatable {
    /// Number of the requirement in spec/SPEC.md.
    public var requirement: String
    /// Path of the object.
    public var object: String
    /// What was expected and what was found.
    public var message: String
  }

  /// Every violation that can be found, in the order of the file; O(file size).
  ///
  /// - Throws: `SnapshotError` if the file cannot be opened as a snapshot at all.
  public static func violations(inFileAt path: String) throws(SnapshotError) -> [Violation] {
    var decoder = try Decoder(path: path)
    _ = decoder.decode()
    guard decoder.breaches.isEmpty else {
      return decoder.breaches.map {
        Violation(requirement: $0.requirement, object: $0.object, message: $0.message)
      }
    }
    return payloadViolations(of: try Reader(path: path))
  }

  private static func payloadViolations(of reader: Reader) -> [Violation] {
    var found: [Violation] = []
    for (number, table) in reader.tables.enumerated() {
      let place = "/tables/" + Names.numbered("T", number)
      let object = "\(place)/observations/record"
      for step in reader.stepRanges(ofTable: number) {
        do throws(SnapshotError) {
          let records = try reader.records(ofTable: number, rows: step.rows)
          guard table.mode == .probe, Set(records).count != records.count else { continue }
          found.append(
            Violation(
              requirement: "R-036", object: object,
              message: "expected each record once in probe step \(reader.steps[step.step].index)"))
        } catch {
          found.append(Violation(requirement: "R-051", object: object, message: error.message))
          break
        }
      }
      do throws(SnapshotError) {
        _ = try reader.ranks(ofTable: number, rows: 0..<reader.rowCount(ofTable: number))
      } catch {
        found.append(
          Violation(
            requirement: "R-051", object: "\(place)/observations/rank", message: error.message))
      }
      for (position, stream) in table.streams.enumerated() {
        if let violation = payloadViolation(of: reader, table: number, position, stream) {
          found.append(violation)
        }
      }
    }
    return found
  }

  private static func payloadViolation(
    of reader: Reader, table: Int, _ position: Int, _ stream: StreamDescription
  ) -> Violation? {
    let place =
      "/tables/" + Names.numbered("T", table) + "/streams/"
      + Names.numbered(stream.prefix, position)
    let rows = 0..<reader.rowCount(ofTable: table)
    do {
      if stream.kind == .label {
        let labels = try reader.labels(ofStream: position, table: table, rows: rows)
        if let wrong = labels.first(where: { $0 < 0 }) {
          return Violation(
            requirement: "R-046", object: place,
            message: "expected labels from 0, found \(wrong)")
        }
        return nil
      }
      var broken: Violation?
      let blockRows = max(1, (4 << 20) / max(1, stream.width * 4))
      try reader.forEachBlock(ofStream: position, table: table, rows: rows, blockRows: blockRows) {
        range, values in
        guard broken == nil, let wrong = values.firstIndex(where: { !$0.isFinite }) else { return }
        broken = Violation(
          requirement: "R-046", object: place,
          message:
            "expected finite numbers, found \(values[wrong]) in row \(range.lowerBound + wrong / stream.width)"
        )
      }
      return broken
    } catch let error as SnapshotError {
      return Violation(requirement: "R-051", object: place, message: error.message)
    } catch {
      return Violation(requirement: "R-051", object: place, message: "\(error)")
    }
  }
}
