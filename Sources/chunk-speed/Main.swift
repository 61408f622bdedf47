import ArgumentParser

/// How fast chunks are filtered, written and read; Benchmarks/chunks/run compares with h5py.
@main
struct ChunkSpeed: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "chunk-speed",
    abstract: "Measure the chunk path on gradient-like numbers.",
    subcommands: [Table.self, Make.self, Once.self])
}
