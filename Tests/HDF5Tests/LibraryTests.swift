import Dispatch
import Foundation
import HDF5
import Synchronization
import TestSupport
import Testing

@Suite("Library")
struct LibraryTests {
  @Test("the version is libhdf5's, 1.10 or newer")
  func version() {
    let parts = Library.version.split(separator: ".").compactMap { Int($0) }
    #expect(parts.count == 3)
    #expect((parts[0], parts[1]) >= (1, 10))
  }

  @Test("the lock may be taken again by its holder, and returns and throws what its body does")
  func recursive() {
    #expect(Library.locked { Library.locked { Library.locked { 42 } } } == 42)
    #expect(throws: HDF5Error.self) {
      try Library.locked { () throws(HDF5Error) in
        try Library.locked { () throws(HDF5Error) in
          _ = try File.open(at: "/nowhere/at all")
        }
      }
    }
  }

  @Test("many threads write files of their own and read one file at once")
  func threads() throws {
    try withTemporaryFolder { folder in
      let values = (0..<5000).map { Int64($0) }
      let shared = folder.file("shared.h5")
      let file = try File.create(at: shared)
      try file.createDataset(
        "x", of: Int64.self, shape: [5000], chunk: [100], filters: [.shuffle, .zstd(1)]
      ).write(values, start: [0], count: [5000])
      try file.close()
      let failures = Mutex<[String]>([])
      DispatchQueue.concurrentPerform(iterations: 16) { thread in
        do {
          let dataset = try File.open(at: shared).dataset("x")
          for round in 0..<20 {
            let start = (thread * 20 + round) * 15
            let found = try dataset.read(Int64.self, start: [start], count: [15])
            if found != Array(values[start..<start + 15]) {
              failures.withLock { $0.append("thread \(thread) read \(found)") }
            }
          }
          let own = folder.file("\(thread).h5")
          let file = try File.create(at: own)
          for part in 0..<10 { try file.write("x\(part)", [thread, part].map { Int32($0) }) }
          try file.close()
          let again = try File.open(at: own)
          for part in 0..<10 {
            let found = try again.dataset("x\(part)").readAll(Int32.self)
            if found != [Int32(thread), Int32(part)] {
              failures.withLock { $0.append("thread \(thread) wrote \(found)") }
            }
          }
        } catch {
          failures.withLock { $0.append("\(error)") }
        }
      }
      #expect(failures.withLock { $0 } == [])
    }
  }

  @Test("each thread gets the error of its own call")
  func errorsOfThreads() {
    let wrong = Mutex(0)
    DispatchQueue.concurrentPerform(iterations: 64) { thread in
      do throws(HDF5Error) {
        _ = try File.open(at: "/nowhere/\(thread).h5")
      } catch {
        let names = error.stack.contains { $0.contains("'/nowhere/\(thread).h5'") }
        if error.code != .notFound || !names { wrong.withLock { $0 += 1 } }
      }
    }
    #expect(wrong.withLock { $0 } == 0)
  }

  @Test("libhdf5 prints nothing when a call fails, on any thread")
  func silence() throws {
    try withTemporaryFolder { folder in
      let path = folder.file("stderr")
      let saved = dup(STDERR_FILENO)
      let capture = open(path, O_CREAT | O_WRONLY | O_APPEND, 0o600)
      dup2(capture, STDERR_FILENO)
      for _ in 0..<4 {
        let thread = Thread { _ = try? File.open(at: "/nowhere/a.h5") }
        thread.start()
        while !thread.isFinished { usleep(1000) }
      }
      dup2(saved, STDERR_FILENO)
      close(saved)
      close(capture)
      // Other tests may report meanwhile; libhdf5's reports all begin like this.
      let printed = String(decoding: try folder.bytes("stderr"), as: UTF8.self)
      #expect(!printed.contains("HDF5-DIAG"))
      FileHandle.standardError.write(Data(printed.utf8))
    }
  }
}
