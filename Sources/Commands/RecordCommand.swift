public import ArgumentParser

/// `ptoken-record`: records training runs.
public struct RecordCommand: ParsableCommand {
  /// Name, help and version.
  public static let configuration = CommandConfiguration(
    commandName: "ptoken-record",
    abstract: "Record the gradients of a training run into one snapshot file.",
    discussion: """
      A snapshot file holds, for each recorded step, per-layer gradients and the data they came from. Analyse it \
      later and elsewhere with ptoken-analyze. Treat it as personal data: whoever has the gradients may learn \
      about the records.

      Without a subcommand it runs a training command and records what its ptoken.Recorder sends.

      EXAMPLES
        ptoken-record run.h5 -- python train.py
        ptoken-record run.h5 --every 50 -- torchrun train.py
        ptoken-record listen run.h5
        ptoken-record import grads/*.safetensors -o run.h5
        ptoken-record demo run.h5

      \(Command.statuses)
      """,
    version: Command.version,
    subcommands: [RecordRun.self, RecordListen.self, RecordImport.self, RecordDemo.self],
    defaultSubcommand: RecordRun.self)

  /// An empty command, for the parser to fill.
  public init() {}
}
