public import ArgumentParser
private import Importing
private import LinearAlgebra
private import MutualInformation
private import Reporting
private import Results
private import SnapshotFormat

/// `ptoken-analyze pair`: the information between two arrays.
public struct AnalyzePair: ParsableCommand {
  /// Name, help and version.
  public static let configuration = CommandConfiguration(
    commandName: "ptoken-analyze pair",
    abstract: "Estimate the mutual information between two arrays of numpy.",
    discussion: """
      Row i of x belongs to row i of y: .npy files of numbers, shape [n] or [n, columns]. Prints the estimate in nats \
      with its kind (lower_bound, estimate or bracket), a 95 % interval, the p-value against mismatched pairs, the \
      ceiling that so many rows set, and flags; docs/estimators says what each means.

      Values below zero say that nothing was found; they are not clipped. A saturated figure has no upper end.

      EXAMPLES
        ptoken-analyze pair x.npy y.npy
        ptoken-analyze pair x.npy y.npy --estimator ksg --transform ranks
        ptoken-analyze pair x.npy y.npy --groups person.npy --json | jq .value

      \(Command.statuses)
      """,
    version: Command.version)

  @Argument(help: "Array x.") var x: String
  @Argument(help: "Array y, of as many rows.") var y: String

  @Option(
    help: .init(
      "auto, gaussian, copula, ksg, ksg2, ross, plugin, mine, nwj, infonce, logistic, hybrid or latent.",
      valueName: "name"))
  var estimator = "auto"

  @Option(help: .init("Whole numbers: rows that may depend on each other.", valueName: "file"))
  var groups: String?

  @Option(help: .init("Whole numbers: the record of each row, never split.", valueName: "file"))
  var records: String?

  @Option(
    parsing: .unconditional,
    help: .init("Folds of critics, split by record. (default: 5)", valueName: "count")
  )
  var folds: Int?

  @Option(
    parsing: .unconditional,
    help: .init("Repetitions with other folds and weights.", valueName: "count"))
  var seeds = 1

  @Option(
    parsing: .unconditional,
    help: .init("Mismatched pairings to compare with.", valueName: "count"))
  var pairings = 199

  @Option(
    parsing: .unconditional,
    help: .init(
      "Pairings that everything is fitted to again; slow. (default: 0; with --thorough 39)",
      valueName: "count"))
  var retrained: Int?

  @Flag(help: "Three seeds, and a null by 39 pairings fitted again.") var thorough = false

  @Option(
    help: .init(
      "k of nearest neighbours; of several, the mean (others than ksg take the first). (default: 4)",
      valueName: "k,..."))
  var neighbours: String?

  @Option(
    help: .init(
      "Neighbours' distance within each side: maximum or euclidean. (default: maximum)",
      valueName: "norm"))
  var norm: String?

  @Option(
    help: .init(
      "Of each column, first: none, standard or ranks. Not for auto, hybrid, latent and plugin. (default: the estimator's own)",
      valueName: "name"))
  var transform: String?

  @Option(
    help: .init(
      "Form of mine, nwj, infonce and logistic: joint or separable. (default: joint)",
      valueName: "form"))
  var critic: String?

  @Flag(help: "Also estimate from a quarter and a half of the rows.") var curve = false

  @Option(
    parsing: .unconditional,
    help: .init("Seed of all that is random.", valueName: "number"))
  var seed: UInt64 = 1

  @OptionGroup var common: CommonOptions

  /// An empty command, for the parser to fill.
  public init() {}

  /// Refuses options that are not offered.
  public func validate() throws {
    try Files.requireName(x, "<x>")
    try Files.requireName(y, "<y>")
    try StudyOptions.require(folds, "--folds", in: 2...20)
    try StudyOptions.require(seeds, "--seeds", in: 1...100)
    try StudyOptions.require(pairings, "--pairings", in: 0...100_000)
    try StudyOptions.require(retrained, "--retrained", in: 0...10_000)
    let estimator: Estimator = try choice(estimator, "--estimator")
    _ = try options
    let given: [Estimator.Option: Bool] = [
      .transform: transform != nil, .critic: critic != nil, .folds: folds != nil,
      .neighbours: neighbours != nil, .norm: norm != nil,
    ]
    for option in Estimator.Option.allCases where given[option]! && !estimator.takes(option) {
      let names = Estimator.allCases.filter { $0.takes(option) }.map(\.rawValue)
        .joined(separator: ", ")
      throw ValidationError(
        "--\(option.rawValue): expected with one of \(names), found with \(estimator.rawValue), which does without."
      )
    }
  }

  private func choice<T: RawRepresentable & CaseIterable>(
    _ text: String, _ name: String
  ) throws -> T where T.RawValue == String {
    if let value = T(rawValue: text) { return value }
    let names = T.allCases.map(\.rawValue).joined(separator: ", ")
    throw ValidationError("\(name): expected one of \(names), found '\(text)'.")
  }

  private var options: EstimationOptions {
    get throws {
      var result = EstimationOptions()
      if let folds { result.folds = folds }
      result.seeds = thorough ? max(3, seeds) : seeds
      result.pairings = pairings
      result.retrainedPairings = retrained ?? (thorough ? 39 : 0)
      if let norm { result.norm = try choice(norm, "--norm") }
      result.transform = try transform.map { try choice($0, "--transform") }
      if let critic { result.critic = try choice(critic, "--critic") }
      result.seed = seed
      if let neighbours { result.neighbours = try Self.numbers(neighbours) }
      return result
    }
  }

  private static func numbers(_ text: String) throws(ValidationError) -> [Int] {
    let parts = text.split(separator: ",", omittingEmptySubsequences: false)
    let numbers = parts.compactMap { Int($0) }.filter { (1...100).contains($0) }
    guard !parts.isEmpty, numbers.count == parts.count else {
      throw ValidationError(
        "--neighbours: expected numbers from 1 to 100, such as 4 or 3,5,10, found '\(text)'.")
    }
    return numbers
  }

  /// Runs the command.
  public func run() throws { try Interruption.endingAtOnce(estimateAndPrint) }

  private func estimateAndPrint() throws {
    BLAS.useOneThread()
    let (x, y) = (try NumPyFile.matrix(self.x), try NumPyFile.matrix(self.y))
    let groups = try self.groups.map { try NumPyFile.integers($0) }
    let records = try self.records.map { try NumPyFile.integers($0) }
    let rows: PairedRows
    let estimate: Estimate
    var curve: [(rows: Int, estimate: Estimate)] = []
    do {
      rows = try PairedRows(
        x: Matrix(rows: x.rows, columns: x.columns, elements: x.elements),
        y: Matrix(rows: y.rows, columns: y.columns, elements: y.elements), records: records,
        groups: groups)
      let name: Estimator = try choice(estimator, "--estimator")
      if self.curve { curve = try rows.curve(name, options: options) }
      let console = Console(quiet: common.quiet)
      estimate = try rows.estimate(name, options: options) { done, total in
        // A single fit takes seconds.
        if total > 1 { console.progress(done, of: total, "\(done) of \(total) fits") }
      }
    } catch let error as InformationError {
      throw SnapshotError(
        code: .invalid, file: "\(self.x), \(self.y)", message: error.message, remedy: error.remedy)
    }
    if self.curve { curve.append((rows.count, estimate)) }
    let report = PairReport(
      estimate: estimate, columns: (x.columns, y.columns), curve: curve)
    try Console.result(
      common.json ? report.json.text() : report.text, isJSON: common.json)
  }
}
