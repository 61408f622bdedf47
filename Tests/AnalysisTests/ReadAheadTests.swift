import Analysis
import Foundation
import Synchronization
import Testing

@Suite("Reading ahead")
struct ReadAheadTests {
  private struct Failure: Error, Equatable { var number: Int }

  @Test("results come in the order of the work, whatever is finished first")
  func order() throws {
    let work = ReadAhead<Int>(capacity: .max)
    for number in 0..<200 {
      work.add(bytes: 1) {
        // Early work takes longest.
        var sum = 0
        for index in 0..<(200 - number) * 1000 { sum &+= index ^ number }
        return sum == 1 ? -1 : number
      }
    }
    #expect(try work.finish() == Array(0..<200))
  }

  @Test(
    "no more input is unfinished than there is room for, but for one that is larger by itself",
    arguments: [(4, 8), (25, 25)])
  func capacity(size: Int, most: Int) throws {
    let work = ReadAhead<Int>(capacity: 10)
    let unfinished = Mutex(0)
    for number in 0..<60 {
      work.add(bytes: size) {
        let sum = Self.sum(number)
        unfinished.withLock { $0 -= size }
        return sum
      }
      // Handed over only where others had ended; what has ended since only makes it less.
      let now = unfinished.withLock {
        $0 += size
        return $0
      }
      #expect(now <= most)
    }
    #expect(try work.finish().count == 60)
  }

  private static func sum(_ number: Int) -> Int {
    var sum = 0
    for index in 0..<300_000 { sum &+= index ^ number }
    return sum
  }

  @Test("the first failure in the order of the work is thrown, and nothing is begun after one")
  func failure() throws {
    let work = ReadAhead<Int>(capacity: 1)
    let begun = Mutex(0)
    // With room for one at a time, each is finished before the next is handed over.
    for number in 0..<10 where !work.isFailed {
      work.add(bytes: 1) {
        begun.withLock { $0 += 1 }
        if number >= 3 { throw Failure(number: number) }
        return number
      }
    }
    #expect(throws: Failure(number: 3)) { try work.finish() }
    #expect(begun.withLock { $0 } == 4)
  }

  @Test("after cancelling nothing is under way")
  func cancel() throws {
    let work = ReadAhead<Int>(capacity: .max)
    let begun = Mutex(0)
    let finished = Mutex(0)
    for number in 0..<500 {
      work.add(bytes: 1) {
        begun.withLock { $0 += 1 }
        // What is under way ends only after it was cancelled.
        while !work.isFailed { usleep(1000) }
        finished.withLock { $0 += 1 }
        return number
      }
    }
    work.cancel()
    let (first, then) = (begun.withLock { $0 }, finished.withLock { $0 })
    #expect(first == then && first <= ProcessInfo.processInfo.activeProcessorCount)
  }
}
