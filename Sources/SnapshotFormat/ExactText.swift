/// Text by its bytes: Swift's strings are equal when they look alike, names in a file only when they are.
package struct ExactText: Hashable {
  private let bytes: [UInt8]

  package init(_ text: String) { bytes = Array(text.utf8) }
}
