internal import MutualInformation

/// What labels say before anything is learned from gradients.
enum LabelStatistics {
  static func entropy(_ labels: [Int32]) -> Double { LabelInformation.entropy(labels) }

  static func largestShare(_ labels: [Int32]) -> Double {
    let counts = Dictionary(labels.map { ($0, 1) }, uniquingKeysWith: +)
    return Double(counts.values.max() ?? 0) / Double(labels.count)
  }
}
