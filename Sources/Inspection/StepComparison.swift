internal import SnapshotFormat

/// Pairs the steps of two snapshots by index, mode and order among equals, and compares their columns.
struct StepComparison {
  /// What makes two steps the same.
  private struct Key: Hashable {
    var index: Int
    var mode: StepMode
    var occurrence: Int

    var text: String { "\(mode) \(index)" }
  }

  /// For each step of A, the row of the same in B.
  private(set) var partner: [Int?] = []
  private(set) var differences: [Difference] = []

  init(_ a: Reader, _ b: Reader) {
    let (first, second) = (Self.keys(a.steps), Self.keys(b.steps))
    let rows = Dictionary(uniqueKeysWithValues: second.enumerated().map { ($1, $0) })
    partner = first.map { rows[$0] }
    let known = Set(first)
    note(first.filter { rows[$0] == nil }, "A")
    note(second.filter { !known.contains($0) }, "B")
    compareColumns(a.steps, b.steps)
    let says = (
      a.stepColumns.contains { $0.name == "trainable" },
      b.stepColumns.contains { $0.name == "trainable" }
    )
    if says.0 != says.1 {
      differences.append(Difference("steps/trainable", "only in \(says.0 ? "A" : "B")"))
    }
  }

  private static func keys(_ steps: [StepDescription]) -> [Key] {
    var seen: [Key: Int] = [:]
    return steps.map { step in
      var key = Key(index: step.index, mode: step.mode, occurrence: 0)
      let occurrence = seen[key, default: 0]
      seen[key] = occurrence + 1
      key.occurrence = occurrence
      return key
    }
  }

  private mutating func note(_ keys: [Key], _ file: String) {
    guard !keys.isEmpty else { return }
    differences.append(
      Difference(
        "steps", "\(keys.count) only in \(file): \(Difference.some(keys.map(\.text)))",
        rows: keys.count, firstStep: keys[0].index))
  }

  private mutating func compareColumns(_ a: [StepDescription], _ b: [StepDescription]) {
    let pairs = partner.enumerated().compactMap { row, other in other.map { (a[row], b[$0]) } }
    func compare(_ name: String, _ value: (StepDescription) -> Double) {
      add(name, pairs) { one, two in
        let (first, second) = (value(one), value(two))
        // NaN is "unknown", in both.
        guard first != second, !(first.isNaN && second.isNaN) else { return nil }
        return abs(first - second)
      }
    }
    compare("epoch", \.epoch)
    compare("time", \.time)
    compare("loss", \.loss)
    compare("learning_rate", \.learningRate)
    compare("loss_scale", \.lossScale)
    compare("accumulation") { Double($0.accumulation) }
    compare("participants") { Double($0.participants) }
    add("model_mode", pairs) { $0.modelMode == $1.modelMode ? nil : 0 }
    add("dropout", pairs) { $0.dropout == $1.dropout ? nil : 0 }
    add("batch_norm", pairs) { $0.batchNorm == $1.batchNorm ? nil : 0 }
    add("trainable", pairs) { one, two in
      guard let first = one.frozenLayers, let second = two.frozenLayers else { return nil }
      return first == second ? nil : 0
    }
  }

  /// - Parameter distance: how far two steps are apart; nil where they are equal, 0 where there is no number to it.
  private mutating func add(
    _ name: String, _ pairs: [(StepDescription, StepDescription)],
    _ distance: (StepDescription, StepDescription) -> Double?
  ) {
    var (count, largest, first) = (0, 0.0, Int?.none)
    for (one, two) in pairs {
      guard let distance = distance(one, two) else { continue }
      count += 1
      // One of them unknown: no distance.
      if distance.isFinite { largest = max(largest, distance) }
      first = first ?? one.index
    }
    guard let first else { return }
    let amount = largest > 0 ? ", by up to \(largest)" : ""
    differences.append(
      Difference(
        "steps/\(name)", "\(count) of \(pairs.count) steps differ\(amount), first step \(first)",
        rows: count, largest: largest > 0 ? largest : nil, firstStep: first))
  }
}
