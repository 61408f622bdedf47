import LinearAlgebra
import PrivacyTokens
import Testing

@Suite("Gradient tokens")
struct GradientEncoderTests {
  private static func rows(_ count: Int, _ width: Int) -> Matrix {
    var generator = SeededGenerator(seed: 5)
    return generator.normalMatrix(rows: count, columns: width)
  }

  @Test("raw tokens are the principal components")
  func raw() throws {
    let rows = Self.rows(100, 6)
    let encoder = try GradientEncoder(fitting: rows, components: 4, form: .raw)
    let principal = try PrincipalComponents(fitting: rows, components: 4)
    #expect(encoder.count == 4)
    #expect(encoder(rows) == principal(rows))
  }

  @Test("scaling a row changes its last component only")
  func scale() throws {
    let rows = Self.rows(100, 6)
    let encoder = try GradientEncoder(fitting: rows, components: 4, form: .direction)
    #expect(encoder.count == 4)
    let tokens = encoder(rows)
    let scaled = encoder(1.5 * rows)
    for row in 0..<100 {
      for column in 0..<3 { #expect(abs(tokens[row, column] - scaled[row, column]) < 1e-12) }
      #expect(scaled[row, 3] > tokens[row, 3] || tokens[row, 3] == 4)
    }
  }

  @Test("one huge row does not flatten the others")
  func heavyTail() throws {
    var rows = Self.rows(200, 6)
    for column in 0..<6 { rows[0, column] *= 1e6 }
    let encoder = try GradientEncoder(fitting: rows, components: 4, form: .direction)
    let tokens = encoder(rows)
    for column in 0..<3 {
      let power = (1..<200).reduce(0.0) { $0 + tokens[$1, column] * tokens[$1, column] } / 199
      #expect(power > 0.9)
    }
  }

  @Test("clipped rows have no norm to tell; rows without gradient stay finite")
  func edges() throws {
    var rows = Self.rows(100, 6)
    for row in 0..<100 {
      let norm = rows.row(row).reduce(0) { $0 + $1 * $1 }.squareRoot()
      for column in 0..<6 { rows[row, column] /= norm }
    }
    #expect(try GradientEncoder(fitting: rows, components: 4, form: .direction).count == 4)
    for column in 0..<6 { rows[0, column] = 0 }
    let tokens = try GradientEncoder(fitting: rows, components: 4, form: .direction)(rows)
    #expect(tokens.elements.allSatisfy { $0.isFinite && abs($0) < 20 })
  }
}
