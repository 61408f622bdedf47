internal import ArgumentParser

/// Options that every command understands.
struct CommonOptions: ParsableArguments {
  @Flag(name: .shortAndLong, help: "Say nothing but results and errors.")
  var quiet = false

  @Flag(help: "Print the result as JSON.")
  var json = false
}
