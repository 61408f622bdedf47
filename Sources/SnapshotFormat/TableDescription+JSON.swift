private import Foundation

extension TableDescription {
  /// Tables as journals and the wire describe them, from the JSON of an array.
  ///
  /// - Throws: a `DecodingError` for other JSON; nil where a value is none that a file may have.
  package static func decode(_ json: String) throws -> [TableDescription]? {
    let tables = try JSONDecoder().decode([JournalHead.Table].self, from: Data(json.utf8))
    let descriptions = tables.map(\.description)
    return descriptions.contains(nil) ? nil : descriptions.compactMap { $0 }
  }

  /// The JSON of an array of tables.
  package static func encode(_ tables: [TableDescription]) -> String {
    JSONText.of(tables.map(JournalHead.Table.init))
  }
}
