import LinearAlgebra
import Testing

@Suite("Ascending order")
struct AscendingOrderTests {
  @Test("a stable sort, whatever the values", arguments: [0, 1, 256, 257, 3000])
  func sorts(count: Int) {
    var generator = SeededGenerator(seed: UInt64(count))
    let special = [
      0, -0.0, .infinity, -.infinity, .leastNonzeroMagnitude, -.leastNonzeroMagnitude,
      .greatestFiniteMagnitude, -.greatestFiniteMagnitude,
    ]
    let columns: [[Double]] = [
      (0..<count).map { _ in generator.normal() },
      (0..<count).map { _ in (3 * generator.normal()).rounded() },
      (0..<count).map { _ in special[Int(generator.next() >> 61)] },
      (0..<count).map { _ in 7 }, (0..<count).map { Double(-$0) },
    ]
    for values in columns {
      // The standard library's sort keeps equal values, 0 and -0 among them, as they stand.
      #expect(
        values.ascendingOrder.map(Int.init) == values.indices.sorted { values[$0] < values[$1] })
    }
  }
}
