import Inspection
import Results
import SnapshotFormat
import TestSupport
import Testing

@Suite("Differences of files")
struct FileComparisonTests {
  /// Differences of the small run and another.
  private func differences(_ other: SmallRun, from run: SmallRun = SmallRun()) throws
    -> [Difference]
  {
    try withTemporaryFolder { folder in
      try run.write(folder.file("a.h5"))
      try other.write(folder.file("b.h5"))
      return try FileComparison.differences(folder.file("a.h5"), folder.file("b.h5"))
    }
  }

  private func changed(_ change: (inout SmallRun) -> Void) -> SmallRun {
    var run = SmallRun()
    change(&run)
    return run
  }

  @Test("copies in another compression are equal", arguments: Writer.Compression.allCases)
  func recompressed(compression: Writer.Compression) throws {
    #expect(try differences(changed { $0.compression = compression }) == [])
  }

  @Test("JSON that says the same in other words is equal")
  func respelt() throws {
    let run = changed {
      $0.run.training = #"{"dp_sgd":{"noise_multiplier":0.50,"clip":1.0}, "batch_size": 3}"#
      $0.tables[0].schedule = #"{ "every" : 5 }"#
    }
    #expect(try differences(run) == [])
  }

  @Test("rows go by record, not by order")
  func reordered() throws {
    let run = changed {
      $0.change = { _, rows in reverse(&rows) }
    }
    #expect(try differences(run) == [])
  }

  /// Turns the order of rows round, members and all.
  private func reverse(_ rows: inout TableRows) {
    let count = rows.records.count
    rows.records.reverse()
    rows.weights.reverse()
    rows.localSteps.reverse()
    rows.values = rows.values.map { values in
      func turned<T>(_ values: [T]) -> [T] {
        let width = values.count / count
        return (0..<count).reversed().flatMap { values[$0 * width..<($0 + 1) * width] }
      }
      return switch values {
      case .float(let numbers): .float(turned(numbers))
      case .label(let labels): .label(turned(labels))
      }
    }
    guard !rows.members.counts.isEmpty else { return }
    let pairs = stride(from: 0, to: rows.members.records.count, by: 2).reversed()
    rows.members.records = pairs.flatMap { rows.members.records[$0..<$0 + 2] }
  }

  @Test("a description that differs is named, with both values")
  func descriptions() throws {
    let plants: [(String, (inout SmallRun) -> Void)] = [
      ("@producer: 'ptoken test' in A, 'other' in B", { $0.run.producer = "other" }),
      ("@created: ", { $0.run.created = "2026-01-31T12:00:01Z" }),
      ("@status: 'complete' in A, 'interrupted' in B", { $0.status = .interrupted }),
      (
        "training.batch_size: 3 in A, 4 in B",
        {
          $0.run.training = $0.run.training.replacing("3", with: "4")
        }
      ),
      (
        "model.layers[1].parameters: 1000 in A, 1001 in B",
        {
          $0.run.model = $0.run.model.replacing("1000", with: "1001")
        }
      ),
      (
        "observer.layers: 'all' in A, 1 items in B",
        {
          $0.run.observer = ObserverDescription(layers: ["conv"]).json
        }
      ),
      ("steps/loss@unit: 'nats' in A, 'bits' in B", { $0.run.lossUnit = "bits" }),
      (
        "table 'probe' schedule.every: 5 in A, 6 in B",
        {
          $0.tables[0].schedule = #"{"every": 6}"#
        }
      ),
      (
        "table 'probe' stream 'conv' stage: 'clipped' in A, 'noised' in B",
        {
          $0.tables[0].streams[0].kind = .gradient(layer: "conv", stage: .noised)
        }
      ),
      ("table 'probe' stream 'conv' clipping: ", { $0.tables[0].streams[0].clipping?.norm = 2 }),
      (
        "table 'probe' stream 'conv' shape: [4, 3, 2] in A, [24] in B",
        {
          $0.tables[0].streams[0].shape = [24]
        }
      ),
      ("table 'probe' stream 'dense' sketch: ", { $0.tables[0].streams[1].sketch?.seed = 1 }),
      (
        "table 'probe' stream 'input' role: 'input' in A, 'embedding' in B",
        {
          $0.tables[0].streams[2].role = .embedding
        }
      ),
      (
        "table 'probe' stream 'loss' unit: 'nats' in A, nothing in B",
        {
          $0.tables[0].streams[4].unit = nil
        }
      ),
    ]
    for (expected, plant) in plants {
      let lines = try differences(changed(plant)).map(\.line)
      // The start of recording is also that of the first session.
      #expect(lines.filter { !$0.hasPrefix("sessions[0].started") }.count == 1, "\(lines)")
      #expect(lines.contains { $0.hasPrefix(expected) }, "\(lines)")
    }
  }

  @Test("tables and streams that one file lacks are named")
  func missing() throws {
    let stream = try differences(
      changed {
        $0.tables[0].streams.removeLast()
      })
    #expect(stream.map(\.line) == ["table 'probe' stream 'loss': only in A"])
    let run = changed { $0.steps.removeAll { $0.table == 1 } }
    var without = run
    without.tables.removeLast()
    #expect(
      try differences(without, from: run).map(\.line) == ["table 'clients': only in A"])
    #expect(
      try differences(run, from: without).map(\.line) == ["table 'clients': only in B"])
    let columns = try differences(
      changed {
        $0.tables[1].columns = [.weight]
        $0.change = { _, rows in
          rows.localSteps = []
          rows.members = .init()
        }
      })
    #expect(
      columns.map(\.line) == [
        "table 'clients' local steps: only in A", "table 'clients' members: only in A",
      ])
  }

  @Test("steps that one file lacks are counted with their rows")
  func steps() throws {
    let shorter = changed { $0.steps.removeLast(2) }
    #expect(
      try differences(shorter).map(\.line) == [
        "steps: 2 only in A: probe 9, trace 10", "table 'probe': 40 rows only in A",
        "table 'clients': 3 rows only in A",
      ])
    #expect(
      try differences(SmallRun(), from: shorter).map(\.line).first
        == "steps: 2 only in B: probe 9, trace 10")
    let loss = try differences(changed { $0.loss = .nan })
    #expect(loss.map(\.line) == ["steps/loss: 6 of 6 steps differ, first step 0"])
    let larger = try differences(changed { $0.loss = 0.75 })
    #expect(larger.map(\.largest) == [0.25])
  }

  @Test("rows that differ are counted, with the largest difference and the first step")
  func rows() throws {
    let run = changed {
      $0.change = { step, rows in
        guard step == 2, case .float(var numbers) = rows.values[1] else { return }
        for row in [3, 699] { numbers[row * 100 + 7] += Float(row) / 512 }
        rows.values[1] = .float(numbers)
      }
    }
    let found = try differences(run)
    #expect(
      found.map(\.line) == [
        "table 'probe' stream 'dense': 2 of 745 rows differ, by up to 1.365234375, first in step 5"
      ])
    #expect(found.first?.rows == 2 && found.first?.firstStep == 5)
    #expect(found.first?.largest == 699.0 / 512)
  }

  @Test("labels, ranks, weights and members are compared as well")
  func columns() throws {
    let run = changed {
      $0.change = { step, rows in
        switch step {
        case 0:
          guard case .label(var labels) = rows.values[3] else { return }
          labels[4] += 3
          rows.values[3] = .label(labels)
          rows.rank = 5
        case 1:
          rows.weights[1] = 4
          rows.localSteps[0] = 9
        case 5: rows.members.weights[3] = 0.25
        default: break
        }
      }
    }
    #expect(
      try differences(run).map(\.line) == [
        "table 'probe' rank: 5 of 745 rows differ, by up to 5.0, first in step 0",
        "table 'probe' stream 'class': 1 of 745 rows differs, by up to 3.0, first in step 0",
        "table 'clients' weight: 1 of 6 rows differs, by up to 2.5, first in step 0",
        "table 'clients' local_steps: 1 of 6 rows differs, by up to 8.0, first in step 0",
        "table 'clients' members: 1 of 6 rows differs, first in step 10",
      ])
  }

  @Test("records that only one file has are counted")
  func records() throws {
    let run = changed {
      $0.change = { step, rows in
        if step == 4 { rows.records[7] = SmallRun.record(5000) }
      }
    }
    #expect(
      try differences(run).map(\.line) == [
        "table 'probe': 1 row only in A", "table 'probe': 1 row only in B",
      ])
  }

  @Test("a recording that goes on differs in its status alone")
  func growing() throws {
    try withTemporaryFolder { folder in
      try SmallRun().write(folder.file("a.h5"))
      let writer = try SmallRun().begin(folder.file("b.h5"))
      let found = try FileComparison.differences(folder.file("a.h5"), folder.file("b.h5"))
      #expect(found.map(\.line) == ["@status: 'complete' in A, 'recording' in B"])
      writer.discard()
    }
  }

  @Test("analyses: figures go by layer, window and measure")
  func studies() throws {
    try withTemporaryFolder { folder in
      let (a, b) = (folder.file("a.h5"), folder.file("b.h5"))
      try SmallStudy().write(a)
      #expect(try FileComparison.differences(a, a) == [])
      var other = SmallStudy()
      other.study.cells[1].figures[0].value = 0.625
      other.study.cells[1].figures[1].p = 0.25
      other.study.cells[2].figures.removeLast()
      other.study.provenance.settings.sigma = 0.5
      other.study.windows[0].loss = 2
      try other.write(b)
      #expect(
        try FileComparison.differences(a, b).map(\.line) == [
          "provenance.settings.sigma: 0.1 in A, 0.5 in B",
          "window probe 0 of table 0 loss: nan in A, 2.0 in B",
          "cell conv (raw), trace 0 to 10 of table 1 gaussian: value: 0.5 in A, 0.625 in B",
          "cell conv (raw), trace 0 to 10 of table 1 label_accuracy: p: 0.5 in A, 0.25 in B",
          "cell dense (raw), trace 0 to 10 of table 1 label_accuracy: only in A",
        ])
    }
  }

  @Test("rows of analyses count, and texts that only look alike differ")
  func rowsAndTexts() throws {
    try withTemporaryFolder { folder in
      let (a, b) = (folder.file("a.h5"), folder.file("b.h5"))
      var one = SmallStudy()
      one.study.warnings = ["\u{e9}"]
      var two = one
      two.study.warnings = ["e\u{301}"]
      two.token = 3
      try one.write(a)
      try two.write(b)
      #expect(try FileComparison.differences(a, a) == [])
      let places = try FileComparison.differences(a, b).map(\.place)
      #expect(places.contains { $0.hasPrefix("warnings") }, "\(places)")
      #expect(places.contains { $0.hasPrefix("rows[0].cells") }, "\(places)")
    }
  }

  @Test("a snapshot and an analysis cannot be compared, whichever comes first")
  func kinds() throws {
    try withTemporaryFolder { folder in
      let (run, study) = (folder.file("run.h5"), folder.file("study.h5"))
      try SmallRun().write(run)
      try SmallStudy().write(study)
      for (a, b) in [(run, study), (study, run)] {
        let error = #expect(throws: SnapshotError.self) {
          try FileComparison.differences(a, b)
        }
        #expect(error?.code == .notOurs && error?.file == b)
      }
    }
  }
}
