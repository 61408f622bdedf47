private import Foundation
internal import MutualInformation
internal import Results

/// What `ptoken-analyze pair` says.
struct PairReport {
  let estimate: Estimate
  let columns: (x: Int, y: Int)
  /// Estimates from fewer rows, and from all; empty where not asked for.
  let curve: [(rows: Int, estimate: Estimate)]

  var json: JSONValue {
    let null = estimate.null
    var members: [JSONValue.Member] = [
      .init(key: "value", value: .number(estimate.value)),
      .init(key: "unit", value: "nats"),
      .init(key: "kind", value: .string(estimate.kind.rawValue)),
      .init(key: "low", value: .number(estimate.low)),
      .init(key: "high", value: .number(estimate.high)),
      .init(key: "standard_error", value: .number(estimate.standardError)),
      .init(key: "p", value: null.map { .number($0.p) } ?? .null),
      .init(key: "null_mean", value: null.map { .number($0.mean) } ?? .null),
      .init(key: "pairings", value: .number(null?.pairings ?? 0)),
      .init(key: "n", value: .number(estimate.rows)),
      .init(key: "columns", value: .array([.number(columns.x), .number(columns.y)])),
      .init(key: "ceiling", value: .number(estimate.ceiling)),
      .init(key: "flags", value: .array(flags.map { .string($0) })),
      .init(key: "estimator", value: .string(estimate.estimator)),
      .init(key: "seed", value: .number(estimate.seed)),
      .init(key: "notes", value: .array(estimate.notes.map { .string($0) })),
    ]
    if !curve.isEmpty {
      members.append(
        .init(
          key: "curve",
          value: .array(
            curve.map {
              .object([
                "n": .number($0.rows), "value": .number($0.estimate.value),
                "low": .number($0.estimate.low), "high": .number($0.estimate.high),
              ])
            })))
    }
    return .object(members)
  }

  private var flags: [String] { estimate.flags.map(\.rawValue).sorted() }

  var text: String {
    var page = Page()
    let bits = estimate.value / log(2)
    let high = estimate.high == .infinity ? "no upper end" : Self.number(estimate.high)
    page.line(
      "I(x; y) = \(Self.number(estimate.value)) nats (\(Self.number(bits)) bits), \(Self.kind(estimate.kind)); 95 %: \(Self.number(estimate.low)) to \(high)"
    )
    page.entry("estimator", "\(estimate.estimator), seed \(estimate.seed)")
    page.entry(
      "rows", "\(estimate.rows) used, \(columns.x) and \(columns.y) columns")
    if let null = estimate.null {
      page.entry(
        "null",
        "p = \(String(format: "%.3g", null.p)) of \(null.pairings) mismatched pairings")
    }
    if estimate.ceiling.isFinite {
      page.entry("ceiling", "\(Self.number(estimate.ceiling)) nats on so many rows")
    }
    for flag in estimate.flags.sorted(by: { $0.rawValue < $1.rawValue }) {
      page.entry("flag", "\(flag.rawValue): \(Self.meaning(flag))")
    }
    for point in curve {
      page.entry(
        "n = \(point.rows)",
        "\(Self.number(point.estimate.value)) nats")
    }
    for (number, note) in estimate.notes.enumerated() { page.entry(number == 0 ? "how" : "", note) }
    return page.text
  }

  private static func number(_ value: Double) -> String { String(format: "%.3f", value) }

  private static func kind(_ kind: Estimate.Kind) -> String {
    switch kind {
    case .lowerBound: "a lower bound"
    case .estimate: "an estimate"
    case .bracket: "the middle of a bracket"
    }
  }

  private static func meaning(_ flag: Estimate.Flag) -> String {
    switch flag {
    case .saturated: "near the most that so many rows can show: the truth may be anything above"
    case .notConverged: "more rows would probably read more: the truth is likely to be larger"
    case .nullNotBeaten: "mismatched pairs do as well: nothing was found"
    case .fewRows: "too few rows for more than a rough figure"
    case .duplicates: "some rows are copies; they were left out"
    case .manyDimensions: "nearest neighbours understate in so many columns"
    case .constant: "a side does not vary, so there is nothing to know"
    }
  }
}
