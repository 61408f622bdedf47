import Foundation
import HDF5
import LinearAlgebra
import Synchronization

/// Rows of gradient-like numbers in chunks of 128 KiB.
struct Workload {
  static let width = 1024
  static let chunkRows = 32
  static let chunkBytes = chunkRows * width * 4
  static let cores = ProcessInfo.processInfo.activeProcessorCount

  /// The recorder's filters.
  static func filters(level: Int) -> [Filter] { [.shuffle, .zstd(level), .fletcher32] }

  let values: [Float]
  var rows: Int { values.count / Self.width }
  var bytes: Int { values.count * 4 }
  var chunks: Int { bytes / Self.chunkBytes }

  /// Seeded normals, of which 40 % are zero as after a rectifier.
  init(megabytes: Int) {
    var generator = SeededGenerator(seed: 1)
    values = (0..<megabytes << 18).map { _ in
      generator.uniform() < 0.4 ? 0 : Float(0.01 * generator.normal())
    }
  }

  /// What `make` wrote.
  init(path: String) throws {
    let data = try Data(contentsOf: URL(filePath: path))
    values = [Float](unsafeUninitializedCapacity: data.count / 4) { buffer, count in
      count = data.copyBytes(to: buffer) / 4
    }
  }

  /// Passes every chunk to `body` with the thread's number and its own, on so many threads that take chunks as they
  /// come free.
  func forEachChunk(
    threads: Int, _ body: @Sendable (_ thread: Int, _ chunk: Int, UnsafeRawBufferPointer) -> Void
  ) {
    let next = Atomic(0)
    values.withUnsafeBytes { all in
      nonisolated(unsafe) let all = all
      let chunks = chunks
      DispatchQueue.concurrentPerform(iterations: threads) { thread in
        while true {
          let chunk = next.wrappingAdd(1, ordering: .relaxed).oldValue
          guard chunk < chunks else { return }
          let start = chunk * Self.chunkBytes
          body(
            thread, chunk, UnsafeRawBufferPointer(rebasing: all[start..<start + Self.chunkBytes]))
        }
      }
    }
  }

  /// Writes the rows to a new file: chunks are encoded on so many threads.
  func write(to path: String, filters: [Filter], threads: Int = cores) throws {
    let file = try File.create(at: path, overwrite: true)
    let dataset = try file.createDataset(
      "x", of: Float.self, shape: [rows, Self.width], chunk: [Self.chunkRows, Self.width],
      filters: filters)
    guard let codec = dataset.codec else { preconditionFailure("the filters are our own") }
    forEachChunk(threads: threads) { _, chunk, bytes in
      do {
        try dataset.writeChunk(codec.encode(bytes), at: [chunk * Self.chunkRows, 0])
      } catch {
        // The threads' loop cannot throw, and a measurement of half a file would be wrong.
        fatalError("\(error)")
      }
    }
    _ = consume dataset
    try file.close()
  }

  /// Reads all rows of a file into `buffer`.
  func read(from path: String, into buffer: UnsafeMutableBufferPointer<Float>) throws {
    let file = try File.open(at: path)
    let dataset = try file.dataset("x")
    try dataset.read(into: buffer, start: [0, 0], count: [rows, Self.width])
    _ = consume dataset
    try file.close()
  }
}

/// Seconds that `body` takes.
func seconds(_ body: () throws -> Void) rethrows -> Double {
  let start = ContinuousClock.now
  try body()
  return start.duration(to: .now) / .seconds(1)
}

/// The middle one of some measurements.
func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
