import ArgumentParser
import Foundation

/// Writes the numbers that both sides of a comparison use.
struct Make: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Write the numbers, raw float32.")

  @Argument(help: "File to write.") var path: String
  @Option(help: "Size in MiB.") var megabytes = 128

  func run() throws {
    try Workload(megabytes: megabytes).values.withUnsafeBytes { Data($0) }
      .write(to: URL(filePath: path))
  }
}

/// One turn of a comparison.
struct Once: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write the numbers to an HDF5 file, read them back, and print the seconds of both.")

  @Argument(help: "Numbers, as `make` writes them.") var data: String
  @Argument(help: "HDF5 file to write.") var file: String
  @Option(help: "Read this HDF5 file instead of the one written.") var reading: String?
  @Option(help: "Level of Zstandard.") var level = 3
  @Option(help: "Threads that encode.") var threads = Workload.cores

  func run() throws {
    let workload = try Workload(path: data)
    let writing = try seconds {
      try workload.write(to: file, filters: Workload.filters(level: level), threads: threads)
    }
    // Touched beforehand, as numpy's array on the other side: not the pages are measured.
    var values = [Float](repeating: 1, count: workload.values.count)
    let reading = try values.withUnsafeMutableBufferPointer { buffer in
      try seconds { try workload.read(from: self.reading ?? file, into: buffer) }
    }
    guard values == workload.values else { throw ValidationError("read other numbers") }
    print(writing, reading)
  }
}
