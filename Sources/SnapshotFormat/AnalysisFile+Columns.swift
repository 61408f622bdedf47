private import HDF5

extension AnalysisFile {
  /// Names of the datasets that our version of the format has in a group, in alphabetical order.
  ///
  /// - Parameter path: keys of the schema from the root on: names, and letters of numbered groups, such as
  ///   `["rows", "W", "L"]`.
  package static func datasets(in path: [String]) -> [String] {
    var node: Schema.Node? = Schema.builtIn(Names.analysisFormat).root
    for part in path { node = node?.objects?[part] ?? node?.numbered?.objects[part] }
    let objects = node?.objects ?? [:]
    return objects.filter { $0.value.kind == .dataset }.keys.sorted()
  }

  /// Version of the format of an analysis file.
  package static func version(ofFileAt path: String) throws(SnapshotError) -> String {
    let file = try translating { () throws(HDF5Error) in try File.open(at: path) }
    return try Decoder.version(of: file, format: Names.analysisFormat).description
  }
}
