private import Analysis
public import ArgumentParser
private import Foundation
private import SnapshotFormat

/// How every ptoken program runs: parse, run, one line for an error, a stable exit status.
public enum Command {
  /// Version of the programs, as `--version` prints it and files record it.
  static let version = "0.1.0"

  /// Exit statuses, for the end of every `--help`.
  static let statuses = """
    EXIT STATUS
      0    done
      1    a check said no (validate, reading: violations; diff: differences)
      2    an input cannot be read or analysed, or an output cannot be written
      64   wrong usage
      130  interrupted by Ctrl-C or a termination signal
    """

  /// Parses the command line, runs, and ends the process.
  ///
  /// - Parameter others: commands that a first argument of their name calls in place of `type`.
  public static func run(
    _ type: any ParsableCommand.Type, or others: [String: any ParsableCommand.Type] = [:]
  ) -> Never {
    var arguments = Array(CommandLine.arguments.dropFirst())
    guard let first = arguments.first, let other = others[first] else {
      run(type, arguments: arguments)
    }
    arguments.removeFirst()
    run(other, arguments: arguments)
  }

  private static func run<C: ParsableCommand>(_ type: C.Type, arguments: [String]) -> Never {
    openStandardStreams()
    Interruption.install()
    do {
      var command = try type.parseAsRoot(arguments)
      try command.run()
    } catch let error as SnapshotError {
      fail("\(error)", status: 2)
    } catch let error as AnalysisError {
      fail("\(error)", status: 2)
    } catch let error as Interrupted {
      fail(error.message, status: 130)
    } catch let status as ExitCode {
      exit(status.rawValue)
    } catch {
      switch type.exitCode(for: error) {
      case .success: answer(type.fullMessage(for: error))
      case .validationFailure: refuse(type.message(for: error), type.fullMessage(for: error))
      default: fail("unexpected: \(error). Please report it.", status: 2)
      }
    }
    exit(0)
  }

  /// A closed stream is replaced by nothing: otherwise an output file would take its number, and its text.
  private static func openStandardStreams() {
    for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO]
    where fcntl(descriptor, F_GETFD) == -1 {
      _ = open("/dev/null", O_RDWR)
    }
  }

  /// Prints help, version or a completion script.
  private static func answer(_ text: String) -> Never {
    do throws(SnapshotError) { try Console.result(text) } catch { fail("\(error)", status: 2) }
    exit(0)
  }

  /// Reports wrong usage: what is wrong, the usage, where to read on.
  private static func refuse(_ message: String, _ full: String) -> Never {
    let first = message.first.map { $0.lowercased() + message.dropFirst() } ?? "wrong usage"
    Console.line("error: " + first + (first.hasSuffix(".") || first.hasSuffix("?") ? "" : "."))
    let lines = full.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
    for line in lines where line.lowercased().hasPrefix("usage: ") {
      Console.line("usage:" + line.dropFirst(6))
      // `Usage: ptoken-record demo [<options>] <output>`: the command is what comes before its arguments.
      let words = line.split(separator: " ").dropFirst()
        .prefix { !$0.hasPrefix("[") && !$0.hasPrefix("<") && !$0.hasPrefix("-") }
      Console.line("See '\(words.joined(separator: " ")) --help'.")
      break
    }
    exit(ExitCode.validationFailure.rawValue)
  }

  private static func fail(_ message: String, status: Int32) -> Never {
    Console.line("error: " + message)
    exit(status)
  }
}

/// Thrown when the user asked to stop; `message` says what is left.
struct Interrupted: Error {
  var message: String
}

/// A command that only leads to others: called alone it says which.
protocol CommandGroup: ParsableCommand {}

extension CommandGroup {
  func requireSubcommand() throws {
    let names = Self.configuration.subcommands.compactMap { $0.configuration.commandName }
    throw ValidationError(
      "Expected a subcommand (\(names.joined(separator: ", "))), found none.")
  }
}
