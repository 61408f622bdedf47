package import LinearAlgebra

/// Tells rows that are copies of others from values that repeat.
///
/// A row that equals another on both sides is a copy, unless repeats are the nature of both: of a side that is symbols or
/// counts, of a side rounded so far that its values come back with other partners, or of a value that many rows have.
package struct Copies {
  /// Rows but for copies.
  package let kept: [Int]

  package init(_ x: Matrix, _ y: Matrix) { self.init(Side(x), Side(y)) }

  /// - Parameter y: what tells rows of y apart.
  package init(_ x: Matrix, _ y: RowCodes) { self.init(Side(x), Side(y, isWhole: false)) }

  private init(_ xSide: Side, _ ySide: Side) {
    var pairs: Set<Int> = []
    var (partnersOfX, partnersOfY) = (
      [Int](repeating: 0, count: xSide.counts.count), [Int](repeating: 0, count: ySide.counts.count)
    )
    let rows = xSide.codes.indices
    let isFirst = rows.map { row in
      let (a, b) = (xSide.codes[row], ySide.codes[row])
      guard pairs.insert(a << 32 | b).inserted else { return false }
      partnersOfX[a] += 1
      partnersOfY[b] += 1
      return true
    }
    let (xRepeats, yRepeats) = (xSide.repeats(partnersOfX), ySide.repeats(partnersOfY))
    kept = rows.filter { row in
      isFirst[row]
        || (xRepeats || xSide.isCommon(row)) && (yRepeats || ySide.isCommon(row))
    }
  }

  private struct Side {
    let codes: [Int]
    /// Rows of each value.
    let counts: [Int]
    /// Whether values repeat by nature, whatever their partners.
    let isSymbols: Bool

    /// So few values are names of something.
    private static let fewValues = 100

    init(_ rows: Matrix) {
      self.init(
        RowCodes(rows),
        isWhole: rows.columns == 1 && rows.elements.allSatisfy { $0 == $0.rounded() })
    }

    init(_ values: RowCodes, isWhole: Bool) {
      codes = values.codes
      var counts = [Int](repeating: 0, count: values.count)
      for code in codes { counts[code] += 1 }
      self.counts = counts
      // Rows that were copied as a whole are there equally often; rounded values are not.
      let times = counts.reduce(0, Self.greatestCommonDivisor)
      isSymbols =
        isWhole && 2 * values.count <= codes.count
        || 4 * values.count <= codes.count && (times == 1 || values.count <= Self.fewValues)
    }

    private static func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int {
      b == 0 ? a : greatestCommonDivisor(b, a % b)
    }

    /// Whether one row in twenty or more has a row's value.
    func isCommon(_ row: Int) -> Bool { isCommon(value: codes[row]) }

    private func isCommon(value: Int) -> Bool { 20 * counts[value] >= codes.count }

    /// Whether values repeat by nature: a tenth of those that do, common ones aside, come with different partners.
    func repeats(_ partners: [Int]) -> Bool {
      if isSymbols { return true }
      let repeated = counts.indices.filter { counts[$0] > 1 && !isCommon(value: $0) }
      return !repeated.isEmpty && 10 * repeated.count { partners[$0] > 1 } >= repeated.count
    }
  }
}

extension Matrix {
  /// Whether a row equals another.
  package var hasRepeatedRows: Bool { distinctRows < rows }

  /// Whether rows are whole numbers that repeat by nature: each four times and more on average.
  package var isOfSymbols: Bool {
    elements.allSatisfy { $0 == $0.rounded() } && 4 * distinctRows <= rows
  }

  /// By 64 bits of each, so that wide rows are not copied.
  private var distinctRows: Int {
    Set((0..<rows).map { row($0).reduce(0) { SplitMix64.mix($0 ^ ($1 + 0).bitPattern) } }).count
  }
}
