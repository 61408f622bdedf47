private import Foundation

/// The machine-readable schema of a file format (spec/schema/README.md says what the keys mean).
struct Schema: Decodable, Sendable {
  var format: String
  var version: String
  var storage: Storage
  var dimensions: [String: Limit]
  var root: Node

  /// What holds for every dataset.
  struct Storage: Decodable, Sendable {
    struct Filters: Decodable, Sendable {
      var allowed: [Int]
      var requirement: String
    }
    struct Rule: Decodable, Sendable { var requirement: String }
    var filters: Filters
    var chunkBytes: Limit
    var textBytes: Int
    var jsonBytes: Int
    var links: Rule
    var missingChunks: Rule
  }

  /// The most that a length may be.
  struct Limit: Decodable, Sendable {
    var most: Int
    var requirement: String
  }

  /// An attribute.
  struct Attribute: Decodable, Sendable {
    var type: String
    var requirement: String
    /// One name: one axis; nil: a scalar.
    var shape: [String]?
    var values: [String]?
    var optional: Bool?
    var when: [String: String]?
  }

  /// An axis of a dataset: a number, or the name of a length.
  enum Axis: Decodable, Sendable {
    case length(Int)
    case named(String)

    init(from decoder: any Swift.Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let length = try? container.decode(Int.self) {
        self = .length(length)
      } else {
        self = .named(try container.decode(String.self))
      }
    }
  }

  /// Objects named by letter and number.
  struct Numbered: Decodable, Sendable {
    var requirement: String
    var most: Int
    var sparse: Bool?
    var objects: [String: Node]
  }

  /// A group, a dataset, or a dataset that holds JSON.
  final class Node: Decodable, Sendable {
    enum Kind: String, Decodable, Sendable { case group, dataset, json }
    let kind: Kind
    let requirement: String
    let absent: String?
    let optional: Bool?
    let attributes: [String: Attribute]?
    let objects: [String: Node]?
    let numbered: Numbered?
    let type: String?
    let shape: [Axis]?
    let dimensions: [String]?
  }

  /// The schemas that this module works from, by the format's mark.
  static func builtIn(_ format: String) -> Schema {
    format == Names.snapshotFormat ? snapshot : analysis
  }

  /// The bytes that a file of our version carries.
  static func text(_ format: String) -> [UInt8] {
    (format == Names.snapshotFormat ? snapshotText : analysisText).withUTF8Buffer { Array($0) }
  }

  private static let snapshot = decoded(snapshotText)
  private static let analysis = decoded(analysisText)

  private static func decoded(_ text: StaticString) -> Schema {
    let decoder = JSONDecoder()
    // Attribute and object names are data: only our own keys are in snake case.
    decoder.keyDecodingStrategy = .useDefaultKeys
    let data = text.withUTF8Buffer { Data($0) }
    guard let schema = try? decoder.decode(Schema.self, from: data) else {
      preconditionFailure("the embedded schema is damaged: run scripts/embed-schema")
    }
    return schema
  }
}

extension Schema.Storage {
  private enum CodingKeys: String, CodingKey {
    case filters, links
    case chunkBytes = "chunk_bytes"
    case textBytes = "text_bytes"
    case jsonBytes = "json_bytes"
    case missingChunks = "missing_chunks"
  }
}
