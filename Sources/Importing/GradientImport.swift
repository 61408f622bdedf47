private import Foundation
public import Recording
public import SnapshotFormat
internal import Wire

/// Makes a snapshot of gradients that were dumped by other means: one file of arrays for each step.
///
/// Arrays are gradients of the layer that they are named after, but for those that `Roles` names. In tables of examples the
/// first axis runs over examples; in tables of batches a file has one row.
public struct GradientImport: Sendable {
  /// Names of arrays that are no gradients; those that a file does not have are passed over.
  public struct Roles: Sendable {
    /// Data, the feature `input`.
    public var inputs = "inputs"
    /// Integer labels.
    public var labels = "labels"
    /// Integers that name the records; without them, records are told apart by their row (probe) or step and row.
    public var recordIDs = "record_ids"
    /// Losses, one for each row.
    public var losses = "losses"

    /// The default names.
    public init() {}
  }

  /// Options of an import.
  public struct Options: Sendable {
    /// Which arrays are no gradients.
    public var roles = Roles()
    /// What a row stands for: an example, or the batch of a whole file.
    public var unit = ObservationUnit.example
    /// How the rows arose.
    public var mode = StepMode.trace
    /// Stage of the gradients.
    public var stage: GradientStage
    /// How the file is written.
    public var recording = Recorder.Options()
    /// The key of record ids.
    public var key = RecordKey.random()

    /// The default options.
    public init() { stage = .raw }
  }

  private let options: Options

  /// An import with its options.
  public init(options: Options) { self.options = options }

  /// The optimizer step that a file name ends in, as in `grads_000100.npz`; nil without digits at its end.
  public static func step(ofFile path: String) -> Int? {
    let stem = ((path as NSString).lastPathComponent as NSString).deletingPathExtension
    let digits = stem.reversed().prefix { $0.isASCII && $0.isNumber }
    return digits.isEmpty ? nil : Int(String(digits.reversed()))
  }

  /// Imports files; steps are the numbers that names end in, or positions where none has one.
  ///
  /// - Parameters:
  ///   - producer: name and version of the program.
  ///   - progress: called after each file; true stops there, and the file is closed as interrupted.
  /// - Returns: steps recorded.
  /// - Throws: `SnapshotError` naming the file and the array.
  public func run(
    _ paths: [String], to output: String, producer: String, progress: (Int) -> Bool = { _ in false }
  ) throws(SnapshotError) -> Int {
    let steps = try ordered(paths)
    guard let first = steps.first else { return 0 }
    let sample = try ImportedStep(ArrayFiles.open(first.path), first.path, options)
    let layers = sample.gradients.map {
      ModelDescription.Layer($0.name, parameters: $0.elements)
    }
    let recorder = try Recorder(
      path: output,
      run: RunDescription(
        id: UUID().uuidString.lowercased(), created: Date().formatted(.iso8601),
        producer: producer, model: ModelDescription(name: "imported", layers: layers).json,
        training: "{}",
        observer: ObserverDescription(
          role: "reader of imported gradients",
          aggregation: options.unit == .example ? .none : .batch
        ).json),
      tables: [
        Recorder.Table(
          name: "\(options.mode)", unit: options.unit, mode: options.mode,
          schedule: nil, streams: sample.streams(options))
      ], options: options.recording)
    var isStopped = false
    do throws(SnapshotError) {
      for (number, file) in steps.enumerated() where !isStopped {
        let step =
          number == 0
          ? sample : try ImportedStep(ArrayFiles.open(file.path), file.path, options)
        try step.requireSame(as: sample, first.path)
        try recorder.record(
          StepDescription(index: file.step, mode: options.mode, accumulation: 0),
          rows: [try step.rows(file.step, options)])
        isStopped = progress(number + 1)
      }
    } catch {
      // Half of an import is of no use: the files are still there.
      recorder.discard()
      throw error
    }
    let report = CaptureReport(
      producer: producer, method: #"{"adapter":"import","per_example":"given"}"#,
      end: isStopped ? .signal : .bye)
    try recorder.close(isStopped ? .interrupted : .complete, captures: [report])
    return recorder.committedSteps
  }

  private func ordered(_ paths: [String]) throws(SnapshotError) -> [(step: Int, path: String)] {
    let numbers = paths.map { Self.step(ofFile: $0) }
    guard !numbers.contains(nil) else {
      return paths.sorted().enumerated().map { ($0.offset, $0.element) }
    }
    let steps = zip(numbers.compactMap { $0 }, paths).map { (step: $0, path: $1) }
      .sorted { ($0.step, $0.path) < ($1.step, $1.path) }
    for (one, next) in zip(steps, steps.dropFirst()) where one.step == next.step {
      throw SnapshotError(
        code: .mismatch, file: next.path,
        message: "expected a step of its own, found \(next.step) as in \(one.path)",
        remedy: "Let names end in the number of the step, such as grads_000100.npz.")
    }
    return steps
  }
}
