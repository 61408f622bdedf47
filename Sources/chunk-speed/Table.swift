import ArgumentParser
import Foundation
import HDF5

/// Prints the speed of each step, on one thread and on all cores.
struct Table: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print the speed of every step in GB/s of decoded bytes, median of repeats.")

  @Option(help: "Size of the numbers in MiB.") var megabytes = 64
  @Option(help: "Repeats of each measurement.") var repeats = 7
  @Option(help: "Level of Zstandard.") var level = 3
  @Option(help: "Folder for files.") var folder = NSTemporaryDirectory()

  func run() throws {
    let workload = Workload(megabytes: megabytes)
    print("Zstandard \(Zstd.version), level \(level)\n")
    print("| GB/s | 1 thread | \(Workload.cores) threads |\n|---|---|---|")
    memory(workload)
    try files(workload)
  }

  private func memory(_ workload: Workload) {
    guard let codec = ChunkCodec(filters: Workload.filters(level: level), elementSize: 4) else {
      return
    }
    let stored = (0..<workload.chunks).map { chunk in
      workload.values.withUnsafeBytes { all in
        let start = chunk * Workload.chunkBytes
        return codec.encode(.init(rebasing: all[start..<start + Workload.chunkBytes]))
      }
    }
    let ratio = Double(workload.bytes) / Double(stored.reduce(0) { $0 + $1.count })
    let places = Scratch()
    row("shuffle", workload) { thread, _, bytes in
      Shuffle.apply(bytes, into: places[thread], elementSize: 4)
    }
    row("unshuffle", workload) { thread, _, bytes in
      Shuffle.undo(bytes, into: places[thread], elementSize: 4)
    }
    row("fletcher32", workload) { thread, _, bytes in
      places[thread].storeBytes(of: Fletcher32.checksum(bytes), as: UInt32.self)
    }
    row("encode (ratio \((ratio * 100).rounded() / 100))", workload) { _, _, bytes in
      _ = codec.encode(bytes)
    }
    row("decode", workload) { thread, chunk, _ in
      let place = UnsafeMutableRawBufferPointer(
        start: places[thread], count: Workload.chunkBytes)
      let isWhole = stored[chunk].withUnsafeBytes { codec.decode($0, into: place) }
      precondition(isWhole)
    }
  }

  private func row(
    _ name: String, _ workload: Workload,
    _ body: @Sendable (Int, Int, UnsafeRawBufferPointer) -> Void
  ) {
    let cells = [1, Workload.cores].map { threads in
      median(
        (0..<repeats).map { _ in seconds { workload.forEachChunk(threads: threads, body) } })
    }
    line(name, cells, workload)
  }

  private func files(_ workload: Workload) throws {
    let path = "\(folder)/chunk-speed-\(getpid()).h5"
    defer { unlink(path) }
    for filters in [[], [.fletcher32], Workload.filters(level: level)] as [[Filter]] {
      let name = filters.isEmpty ? "no filter" : filters.map(\.description).joined(separator: " ")
      let writing = try [1, Workload.cores].map { threads in
        try median(
          (0..<repeats).map { _ in
            try seconds { try workload.write(to: path, filters: filters, threads: threads) }
          })
      }
      line("write: \(name)", writing, workload)
      line("read: \(name)", [nil, try reading(workload, path)], workload)
    }
    let plain = try File.create(at: path, overwrite: true)
    try plain.write("x", workload.values, shape: [workload.rows, Workload.width])
    try plain.close()
    line("read: contiguous", [nil, try reading(workload, path)], workload)
  }

  private func reading(_ workload: Workload, _ path: String) throws -> Double {
    var values = [Float](repeating: 1, count: workload.values.count)
    return try values.withUnsafeMutableBufferPointer { buffer in
      try median(
        (0..<repeats).map { _ in try seconds { try workload.read(from: path, into: buffer) } })
    }
  }

  private func line(_ name: String, _ times: [Double?], _ workload: Workload) {
    let cells = times.map { time in
      time.map { String(format: "%.2f", Double(workload.bytes) / $0 / 1e9) } ?? ""
    }
    print("| \(name) | \(cells.joined(separator: " | ")) |")
  }
}

/// A chunk's worth of output for each thread. @unchecked: each thread writes in its own part only.
private struct Scratch: @unchecked Sendable {
  private let bytes = UnsafeMutableRawPointer.allocate(
    byteCount: Workload.chunkBytes * Workload.cores, alignment: 64)

  subscript(thread: Int) -> UnsafeMutableRawPointer {
    bytes + thread * Workload.chunkBytes
  }
}
