private import Foundation
internal import HDF5

/// A snapshot as it was found: what it declares, its steps, and every breach of the specification on the way.
struct Opened {
  private(set) var declaration: Declaration
  private(set) var contents = Contents()
  private(set) var breaches: [DescriptionRules.Breach] = []
  let source: any RowSource
  private(set) var status: RunStatus

  /// Opens a finished file, or the journal of a growing one.
  init(_ path: String) throws(SnapshotError) {
    if let journal = Self.journal(for: path) {
      try self.init(journal: journal)
    } else {
      try self.init(file: path)
    }
  }

  private init(file path: String) throws(SnapshotError) {
    let file = try Decoder.open(path, format: Names.snapshotFormat)
    let decoder = try Decoder(file)
    declaration = decoder.declaration
    breaches = decoder.breaches
    status = declaration.status
    guard breaches.isEmpty else {
      source = try FileSource(file, columns: [])
      return
    }
    source = try FileSource(file, columns: declaration.layout.columns)
    load()
  }

  private init(journal path: String) throws(SnapshotError) {
    // Asked first: a recorder that ends meanwhile is taken for one at work, which the next look puts right.
    let isAlive = JournalReader.isLocked(path)
    let journal = try JournalReader(path: path)
    declaration = journal.declaration
    source = try JournalSource(journal: journal)
    status = isAlive ? .recording : .crashed
    load()
  }

  private mutating func load() {
    let loader = ContentsLoader(declaration, source)
    contents = loader.contents
    breaches += loader.breaches
  }

  /// The journal to read in place of a file: the one that is named, or the one beside a file that is not there yet.
  static func journal(for path: String) -> String? {
    if Names.isJournal(path) { return path }
    let journal = Names.journal(of: path)
    let manager = FileManager.default
    return !manager.fileExists(atPath: path) && manager.fileExists(atPath: journal)
      ? journal : nil
  }
}
