import MutualInformation
import Testing

@Suite("Clustered")
struct ClusteredTests {
  private let values = [1.0, 2, 4, 9]

  @Test("independent rows have the textbook error of a mean")
  func plain() {
    // Deviations -3, -2, 0, 5 from the mean 4: variance 38/3, over 4 rows.
    #expect(abs(Clustered.standardError(ofMean: values) - (38.0 / 12).squareRoot()) < 1e-15)
  }

  @Test("clusters of one row each change nothing")
  func singletons() {
    let plain = Clustered.standardError(ofMean: values)
    #expect(abs(Clustered.standardError(ofMean: values, clusters: [7, 3, 9, 1]) - plain) < 1e-15)
  }

  @Test("rows of a cluster add up before they are squared")
  func known() {
    // Cluster sums -5 and 5: sqrt(50 x 2) / 4.
    let error = Clustered.standardError(ofMean: values, clusters: [0, 0, 1, 1])
    #expect(abs(error - 2.5) < 1e-15)
    // Rows that cancel within clusters leave no error: sums -3 + 5 - 2 = 0 and 0.
    #expect(Clustered.standardError(ofMean: values, clusters: [0, 0, 1, 0]) == 0)
  }

  @Test("duplicated rows do not make a mean more certain once they share a cluster")
  func duplicates() {
    let twice = values + values
    let plain = Clustered.standardError(ofMean: values)
    let naive = Clustered.standardError(ofMean: twice)
    let clustered = Clustered.standardError(ofMean: twice, clusters: [0, 1, 2, 3, 0, 1, 2, 3])
    #expect(naive < 0.7 * plain)
    #expect(abs(clustered - plain) < 1e-15)
  }

  @Test("one cluster, or none, says nothing about the error")
  func tooFew() {
    #expect(Clustered.standardError(ofMean: values, clusters: [1, 1, 1, 1]) == .infinity)
    #expect(Clustered.standardError(ofMean: [3]) == .infinity)
  }

  @Test(
    "few terms reach farther: Student's t",
    arguments: [
      (2, 12.706), (3, 4.303), (9, 2.306), (10, 2.262), (11, 2.228), (31, 2.042), (121, 1.980),
    ])
  func reach(terms: Int, expected: Double) {
    #expect(abs(Clustered.reach(of: terms) - expected) < 1e-3)
    #expect(Clustered.reach(of: terms + 1) < Clustered.reach(of: terms))
    #expect(Clustered.reach(of: 1) == .infinity && Clustered.reach(of: 5000) == 1.96)
  }

  @Test("an estimate's error is that of its contributions")
  func estimate() {
    let estimate = Estimate(value: 4, kind: .estimate, contributions: values, ceiling: 9)
    #expect(estimate.clusteredError() == Clustered.standardError(ofMean: values))
    #expect(abs(estimate.clusteredError([0, 0, 1, 1]) - 2.5) < 1e-15)
  }
}
