internal import ArgumentParser

struct RecordImport: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "import", abstract: "x")
  func run() throws {}
}
