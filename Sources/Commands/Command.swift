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
      1    a check said no (validate found violations)
      2    an input cannot be read or analysed, or an output cannot be written
      64   wrong usage
      130  interrupted by Ctrl-C or a termination signal
    """

  /// Parses the command line, runs, and ends the process.
  public static func run<C: ParsableCommand>(_ type: C.Type) -> Never {
    Interruption.install()
    do {
      var command = try type.parseAsRoot()
      try command.run()
    } catch let error as SnapshotError {
      fail("\(error)", status: 2)
    } catch let error as AnalysisError {
      fail("\(error)", status: error.code == .cancelled ? 130 : 2)
    } catch let error as Interrupted {
      fail(error.message, status: 130)
    } catch {
      type.exit(withError: error)
    }
    exit(0)
  }

  private static func fail(_ message: String, status: Int32) -> Never {
    Console.line("error: " + message.filter { !$0.isNewline })
    exit(status)
  }
}

/// Thrown when the user asked to stop; `message` says what is left.
struct Interrupted: Error {
  var message: String
}
