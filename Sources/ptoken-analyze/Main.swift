import Commands

@main
enum Main {
  static func main() { Command.run(AnalyzeCommand.self, or: ["pair": AnalyzePair.self]) }
}
