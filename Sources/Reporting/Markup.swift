/// HTML that is safe by construction: what is written in the source is markup, what is interpolated is text.
///
/// `"<td>\(layer.name)</td>" as Markup` escapes the name. Only another `Markup` passes unescaped, so that
/// forgetting to say so shows as visible tags and never opens a hole. The output is well-formed XML too.
package struct Markup: ExpressibleByStringInterpolation, Sendable {
  /// The HTML text.
  package private(set) var html: String

  package init(stringLiteral value: String) { html = value }

  package init(stringInterpolation: StringInterpolation) { html = stringInterpolation.html }

  /// Takes each literal part as markup and each interpolated part as text.
  package struct StringInterpolation: StringInterpolationProtocol {
    fileprivate var html = ""

    package init(literalCapacity: Int, interpolationCount: Int) {
      html.reserveCapacity(literalCapacity + 16 * interpolationCount)
    }

    package mutating func appendLiteral(_ literal: String) { html += literal }

    /// Text on one line, shortened to `limit` scalars.
    package mutating func appendInterpolation(_ text: String, limit: Int = 1000) {
      Markup.escape(PlainText.line(text, limit: limit), into: &html)
    }

    /// Text with its line breaks, shortened to `limit` scalars.
    package mutating func appendInterpolation(block text: String, limit: Int) {
      Markup.escape(PlainText.block(text, limit: limit), into: &html)
    }

    /// A whole number.
    package mutating func appendInterpolation(_ number: Int) { html += "\(number)" }

    /// A coordinate, to a tenth.
    package mutating func appendInterpolation(_ coordinate: Double) {
      html += Numbers.exact((coordinate * 10).rounded() / 10)
    }

    /// Markup as it is.
    package mutating func appendInterpolation(_ markup: Markup) { html += markup.html }

    /// Pieces of markup, one after the other.
    package mutating func appendInterpolation(_ pieces: [Markup]) {
      for piece in pieces { html += piece.html }
    }
  }

  package static func += (left: inout Markup, right: Markup) { left.html += right.html }

  private static func escape(_ text: String, into html: inout String) {
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": html += "&amp;"
      case "<": html += "&lt;"
      case ">": html += "&gt;"
      case "\"": html += "&quot;"
      case "'": html += "&#39;"
      default: html.unicodeScalars.append(scalar)
      }
    }
  }
}
