package import LinearAlgebra

/// Numbers that tell rows apart, by the columns of one matrix or of several: equal rows have one.
package struct RowCodes {
  /// Of each row, from 0.
  private(set) var codes: [Int]
  /// Different ones.
  private(set) var count: Int

  /// All alike so far.
  package init(rows: Int) { (codes, count) = ([Int](repeating: 0, count: rows), 1) }

  init(_ rows: Matrix) {
    var numbers: [[Double]: Int] = [:]
    codes = (0..<rows.rows).map { row in
      let key = Array(rows.row(row))
      if let known = numbers[key] { return known }
      numbers[key] = numbers.count
      return numbers.count - 1
    }
    count = numbers.count
  }

  /// Tells rows apart by these columns too.
  package mutating func refine(by rows: Matrix) {
    var numbers: [Int: Int] = [:]
    for (row, code) in RowCodes(rows).codes.enumerated() {
      let key = codes[row] << 32 | code
      codes[row] = numbers[key] ?? numbers.count
      numbers[key] = codes[row]
    }
    count = numbers.count
  }
}
