internal import ArgumentParser

/// The input of commands that take snapshots and analyses alike.
struct AnyFile: ParsableArguments {
  @Argument(help: .init("Snapshot or analysis file.", valueName: "input"))
  var path: String

  func validate() throws { try Files.requireName(path, "<input>") }
}
