import SnapshotFormat
import TestSupport
import Testing

@Suite("Snapshots in h5py")
struct InteropTests {
  @Test("h5py reads every value that the writer was given", arguments: Writer.Compression.allCases)
  func everyValue(compression: Writer.Compression) throws {
    try withTemporaryFolder { folder in
      let path = folder.file("run.h5")
      try Sample.write(path, compression: compression)
      let dump = try H5Dump.ofFile(at: path)
      func text(_ name: String) -> String? { dump.attributes[name]?.text }

      #expect(text("@format") == "ptoken-snapshot")
      #expect(text("@version") == "1.0")
      #expect(text("@run_id") == Sample.run.id)
      #expect(text("@created") == Sample.run.created)
      #expect(text("@producer") == Sample.run.producer)
      #expect(text("@status") == "complete")
      #expect(dump.datasets["/model"]?.text == Sample.run.model)
      #expect(dump.datasets["/training"]?.text == Sample.run.training)
      #expect(dump.datasets["/observer"]?.text == Sample.run.observer)
      #expect(dump.datasets["/sessions/first_step"]?.values(UInt64.self) == [0])
      #expect(dump.datasets["/sessions/started"]?.text == Sample.run.created)

      let steps = Sample.steps
      #expect(dump.datasets["/steps/index"]?.values(Int64.self) == steps.map { Int64($0.index) })
      #expect(
        dump.datasets["/steps/epoch"]?.values(Double.self) == steps.map { Double($0.index) / 8 })
      #expect(
        dump.datasets["/steps/time"]?.values(Double.self) == steps.map { Double($0.index) * 2 })
      #expect(dump.datasets["/steps/learning_rate"]?.values(Double.self) == steps.map { _ in 0.1 })
      #expect(dump.datasets["/steps/mode"]?.values(UInt8.self) == steps.map { UInt8($0.table) })
      #expect(
        dump.datasets["/steps/trainable"]?.values(UInt8.self) == steps.flatMap { _ in [1, 1] })
      #expect(dump.datasets["/steps/loss_scale"]?.values(Double.self) == steps.map { _ in 1024 })
      #expect(dump.datasets["/steps/accumulation"]?.values(UInt32.self) == steps.map { _ in 2 })
      #expect(text("/steps/time@unit") == "s" && text("/steps/loss@unit") == "bits")
      #expect(text("/steps/mode@values") == "0 probe, 1 trace")
      let losses = try #require(dump.datasets["/steps/loss"]?.values(Double.self))
      #expect(losses.map(\.isNaN) == steps.map { $0.table == 0 })
      #expect(losses.filter { !$0.isNaN } == [0.5, 0.5, 0.5])

      for (number, table) in Sample.tables.enumerated() {
        let place = "/tables/T000\(number)"
        #expect(text("\(place)@name") == table.name)
        #expect(text("\(place)@unit") == table.unit.rawValue)
        #expect(text("\(place)@mode") == table.mode.description)
        let parts = steps.enumerated().filter { $0.element.table == number }
          .map { ($0.offset, Sample.rows($0.element.rows, step: $0.offset, table: number)) }
        #expect(
          dump.datasets["\(place)/observations/step"]?.values(UInt32.self)
            == parts.flatMap { [UInt32](repeating: UInt32($0), count: $1.records.count) })
        #expect(
          dump.datasets["\(place)/observations/record"]?.values(UInt8.self)
            == parts.flatMap { $1.records.flatMap(\.bytes) })
        #expect(
          dump.datasets["\(place)/observations/rank"]?.values(UInt16.self)
            == parts.flatMap { [UInt16](repeating: UInt16(number), count: $1.records.count) })
        for (position, stream) in table.streams.enumerated() {
          let letter =
            switch stream.kind {
            case .gradient: "L"
            case .feature: "F"
            case .label: "Y"
            case .scalar: "S"
            }
          let object = "\(place)/streams/\(letter)000\(position)"
          let found = try #require(dump.datasets[object])
          #expect(text("\(object)@name") == stream.name)
          #expect(
            dump.attributes["\(object)@shape"]?.values(UInt64.self)
              == stream.shape.map { UInt64($0) })
          #expect(found.shape == [parts.reduce(0) { $0 + $1.1.records.count }, stream.width])
          var floats: [Float] = []
          var labels: [Int32] = []
          for (_, rows) in parts {
            switch rows.values[position] {
            case .float(let values): floats += values
            case .label(let values): labels += values
            }
          }
          if stream.kind == .label {
            #expect(found.dtype == "<i4")
            #expect(found.values(Int32.self) == labels)
          } else {
            #expect(found.dtype == "<f4")
            #expect(found.values(Float.self) == floats)
          }
          #expect(
            dump.filters[object]
              == (compression == .zstd ? [2, 32015, 3] : [2, 1, 3]))
        }
      }
      let dense = "/tables/T0000/streams/L0001"
      #expect(text("\(dense)@kind") == "gradient")
      #expect(text("\(dense)@layer") == "net.9.dense")
      #expect(text("\(dense)@stage") == "clipped")
      #expect(text("\(dense)@sketch") == "sparse-sign")
      #expect(dump.attributes["\(dense)@sketch_seed"]?.values(UInt64.self) == [.max])
      #expect(dump.attributes["\(dense)@sketch_nonzeros"]?.values(UInt32.self) == [4])
    }
  }
}
