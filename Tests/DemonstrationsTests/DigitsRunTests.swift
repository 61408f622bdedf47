import Demonstrations
import Foundation
import LinearAlgebra
import Recording
import SnapshotFormat
import TestSupport
import Testing

@Suite("DigitsRun")
struct DigitsRunTests {
  /// A short run: one epoch of 44 steps.
  private func short(_ change: (inout DigitsRun.Options) -> Void = { _ in }) -> DigitsRun.Options {
    var options = DigitsRun.Options()
    (options.epochs, options.probe) = (1, 30)
    options.recording.sketchWidth = nil
    change(&options)
    return options
  }

  private func record(
    _ options: DigitsRun.Options, interruptAt: Int = .max,
    _ body: (DigitsRun.Outcome, Reader) throws -> Void
  ) throws {
    try withTemporaryFolder { folder in
      var step = 0
      let outcome = try DigitsRun(options).record(
        to: folder.file("a.h5"), producer: "tests 1", progress: { step = $0.step },
        isInterrupted: { step >= interruptAt })
      try body(outcome, try Reader(path: folder.file("a.h5")))
    }
  }

  /// Streams of a table by kind: positions of its gradients.
  private func gradients(_ table: TableDescription) -> [Int] {
    table.streams.indices.filter {
      if case .gradient = table.streams[$0].kind { true } else { false }
    }
  }

  private func stages(_ table: TableDescription) -> Set<GradientStage> {
    Set(
      table.streams.compactMap {
        if case .gradient(_, let stage) = $0.kind { stage } else { nil }
      })
  }

  /// Norm over all layers of each row of a table.
  private func norms(_ reader: Reader, table: Int) throws -> [Double] {
    let count = reader.rowCount(ofTable: table)
    var squares = [Double](repeating: 0, count: count)
    for stream in gradients(reader.tables[table]) {
      let width = reader.tables[table].streams[stream].width
      let values = try reader.values(ofStream: stream, table: table, rows: 0..<count)
      for (index, value) in values.enumerated() {
        squares[index / width] += Double(value) * Double(value)
      }
    }
    return squares.map { $0.squareRoot() }
  }

  @Test("both networks learn the digits", arguments: DigitsRun.Model.allCases)
  func learns(model: DigitsRun.Model) throws {
    var options = DigitsRun.Options()
    (options.model, options.probe) = (model, 30)
    try record(options) { outcome, reader in
      // 359 held-out digits: 93 % is far below what either reaches and far above chance.
      #expect(outcome.accuracy >= 0.93)
      #expect(outcome.steps == 44 * 15 && !outcome.isInterrupted)
      #expect(reader.status == .complete && outcome.recordedSteps == reader.steps.count)
      #expect(reader.steps.last?.index == 660 && reader.steps.last?.mode == .probe)
      #expect(reader.tables.map(\.name) == ["probe", "trace", "batches"])
    }
  }

  @Test("the first probe holds the raw gradients of the network before training")
  func firstProbe() throws {
    let options = short()
    try record(options) { _, reader in
      let features = try reader.values(ofStream: 0, table: 0, rows: 0..<30)
      let labels = try reader.labels(ofStream: 1, table: 0, rows: 0..<30)
      let images = Matrix(rows: 30, columns: 64, elements: features.map(Double.init))
      let expected = DigitsRun(options).network.gradients(images, labels: labels)
      #expect(stages(reader.tables[0]) == [.raw] && stages(reader.tables[2]) == [.averaged])
      for (stream, matrix) in zip(gradients(reader.tables[0]), expected.perExample) {
        let found = try reader.values(ofStream: stream, table: 0, rows: 0..<30)
        #expect(found == matrix.elements.map { Float($0) })
      }
      let losses = try reader.values(ofStream: 5, table: 0, rows: 0..<30)
      #expect(losses == expected.losses.map { Float($0) })
      // The same records at every checkpoint, each once.
      let ranges = reader.stepRanges(ofTable: 0)
      let records = try reader.records(ofTable: 0, rows: 0..<30)
      #expect(Set(records).count == 30 && ranges.count == 3)
      for range in ranges {
        #expect(try reader.records(ofTable: 0, rows: range.rows) == records)
      }
    }
  }

  @Test("a batch's gradient is the mean of its examples' gradients")
  func batches() throws {
    try record(short()) { _, reader in
      let trace = reader.stepRanges(ofTable: 1)
      #expect(trace.map { reader.steps[$0.step].index } == [0, 10, 20, 30, 40])
      #expect(reader.rowCount(ofTable: 2) == 5)
      for (stream, own) in zip(gradients(reader.tables[1]), gradients(reader.tables[2])) {
        let width = reader.tables[1].streams[stream].width
        for (row, range) in trace.enumerated() {
          let examples = try reader.values(ofStream: stream, table: 1, rows: range.rows)
          let batch = try reader.values(ofStream: own, table: 2, rows: row..<row + 1)
          var worst = 0.0
          for column in 0..<width {
            let sum = (0..<32).reduce(0.0) { $0 + Double(examples[$1 * width + column]) }
            worst = max(worst, abs(sum / 32 - Double(batch[column])))
          }
          // Single precision of numbers of order 1.
          #expect(worst < 1e-6)
        }
      }
    }
  }

  @Test("DP-SGD: the probe is clipped, batches are noised, no recorded norm exceeds C")
  func differentialPrivacy() throws {
    let clip = 0.5
    let options = short { $0.privacy = DigitsRun.Privacy(clip: clip, noise: 1) }
    try record(options) { _, reader in
      #expect(stages(reader.tables[0]) == [.clipped])
      #expect(stages(reader.tables[1]) == [.clipped])
      #expect(stages(reader.tables[2]) == [.noised])
      for table in 0...1 {
        let norms = try norms(reader, table: table)
        // Single precision.
        #expect(norms.allSatisfy { $0 <= clip * (1 + 1e-6) })
        // The bound bites: an untrained network's gradients are longer.
        #expect(norms.prefix(30).contains { $0 > clip * (1 - 1e-6) })
      }
      // Mean of 32 clipped gradients: at most C; noise of C/32 on each of 3,466 numbers: C sqrt(3466)/32 = 1.84 C.
      let batch = try norms(reader, table: 2)
      #expect(batch.allSatisfy { $0 > 1.5 * clip && $0 < 3 * clip })
      #expect(reader.run.training.contains(#""dp_sgd":{"clip":0.5,"noise_multiplier":1}"#))
    }
  }

  @Test("clipping without noise leaves batches averaged, not noised")
  func clippingOnly() throws {
    let options = short { $0.privacy = DigitsRun.Privacy(clip: 0.5, noise: 0) }
    try record(options) { _, reader in
      #expect(stages(reader.tables[0]) == [.clipped] && stages(reader.tables[2]) == [.averaged])
      let norms = try norms(reader, table: 2)
      #expect(norms.allSatisfy { $0 <= 0.5 * (1 + 1e-6) })
    }
  }

  @Test("noise on the probe has the stated deviation, the same noise at every strength")
  func probeNoise() throws {
    func first(_ noise: Double) throws -> [Float] {
      var values: [Float] = []
      let options = short { $0.probePrivacy = DigitsRun.Privacy(clip: 0.5, noise: noise) }
      try record(options) { _, reader in
        #expect(stages(reader.tables[0]) == [noise > 0 ? .noised : .clipped])
        #expect(stages(reader.tables[1]) == [.raw])
        values = try reader.values(ofStream: 2, table: 0, rows: 0..<30)
      }
      return values
    }
    let (clean, one, two) = (try first(0), try first(1), try first(2))
    let noise = zip(one, clean).map { Double($0 - $1) }
    let variance = noise.reduce(0) { $0 + $1 * $1 } / Double(noise.count)
    // 62,400 numbers: four standard errors of their variance are 2.3 %.
    #expect(abs(variance / 0.25 - 1) < 0.023)
    let doubled = zip(two, clean).map { Double($0 - $1) }
    #expect(zip(noise, doubled).allSatisfy { abs(2 * $0 - $1) < 1e-5 })
  }

  @Test("one seed gives one run, another seed another")
  func seeds() throws {
    func everything(_ seed: UInt64) throws -> [[Float]] {
      var values: [[Float]] = []
      let options = short {
        $0.seed = seed
        $0.privacy = DigitsRun.Privacy(clip: 1, noise: 0.5)
      }
      try record(options) { _, reader in
        for table in reader.tables.indices {
          for stream in gradients(reader.tables[table]) {
            values.append(
              try reader.values(
                ofStream: stream, table: table, rows: 0..<reader.rowCount(ofTable: table)))
          }
        }
      }
      return values
    }
    let first = try everything(1)
    #expect(try everything(1) == first)
    #expect(try everything(2) != first)
  }

  @Test("an interruption closes the file as interrupted, with every committed step")
  func interruption() throws {
    try record(short(), interruptAt: 15) { outcome, reader in
      #expect(outcome.isInterrupted && outcome.steps == 15)
      #expect(reader.status == .interrupted)
      // Probe at 0 and 11, trace at 0 and 10.
      #expect(reader.steps.map(\.index) == [0, 0, 10, 11])
      #expect(outcome.recordedSteps == 4)
    }
  }

  @Test("a run that is stopped before its last probe is not complete")
  func interruptedAtTheEnd() throws {
    try record(short(), interruptAt: 44) { outcome, reader in
      #expect(outcome.steps == 44 && outcome.isInterrupted)
      #expect(reader.status == .interrupted && reader.steps.last?.index == 40)
    }
  }

  @Test("progress counts every step")
  func progress() throws {
    try withTemporaryFolder { folder in
      var steps: [Int] = []
      _ = try DigitsRun(short()).record(
        to: folder.file("a.h5"), producer: "tests 1",
        progress: { progress in
          steps.append(progress.step)
          #expect(progress.steps == 44 && progress.loss > 0)
        })
      #expect(steps == Array(1...44))
    }
  }
}
