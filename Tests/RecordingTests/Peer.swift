import Foundation
import Recording
import Results
import SnapshotFormat
import TestSupport
import Testing
import Wire

/// A training process, as the server sees it.
final class Peer {
  let descriptor: Int32
  private let source: ByteSource

  /// Connects to a server, which gets the other end.
  init(_ server: RecordingServer) {
    let (near, far) = socketPair()
    descriptor = near
    source = ByteSource(near, patience: 20)
    server.take(far)
  }

  deinit { leave() }

  private var isOpen = true

  func leave() {
    if isOpen { close(descriptor) }
    isOpen = false
  }

  @discardableResult
  func say(_ blob: Blob) -> Bool { send(blob.bytes, to: descriptor) }

  /// The body of the next message of a kind; those of other kinds are passed over.
  func hear(_ kind: String) throws -> JSONValue {
    let deadline = ContinuousClock.now + .seconds(20)
    while let frame = try Frame.readHead(
      from: source, most: 1 << 20, mostHeader: 1 << 20, by: deadline)
    {
      if frame.message == kind { return frame.body }
      if frame.message == "refused" {
        throw Refused(message: frame.body["message"]?.text ?? "")
      }
    }
    throw Refused(message: "the recorder hung up")
  }

  struct Refused: Error { var message: String }

  /// A hello with one table of examples: a feature, labels, a gradient, and one that is sketched.
  static func hello(
    rank: Int = 0, ranks: Int = 1, changing change: (String) -> String = { $0 }
  ) -> Blob {
    Blob(
      "hello",
      change(
        #"""
        {"protocol": "1.0", "producer": "peer 1", "rank": \#(rank), "ranks": \#(ranks),
        "model": {"name": "m", "layers": [{"name": "w", "parameters": 2}, {"name": "v", "parameters": 8}],
        "parameters": 10}, "training": {}, "observer": {"role": "r", "layers": "all", "aggregation": "none"},
        "loss_unit": "nats", "has_trainable": true, "capture": {"adapter": "peer"}, "tables": [
        {"name": "trace", "unit": "example", "mode": "trace", "schedule": "{\"every\": 1}", "has_weight": false,
        "has_local_steps": false, "has_members": false, "streams": [
        {"name": "x", "kind": "feature", "shape": [2], "width": 2, "sketch": "none", "role": "input"},
        {"name": "y", "kind": "label", "shape": [1], "width": 1, "sketch": "none"},
        {"name": "w", "kind": "gradient", "shape": [2], "width": 2, "sketch": "none", "layer": "w", "stage": "raw"},
        {"name": "v", "kind": "gradient", "shape": [8], "width": 4, "sketch": "sparse-sign", "sketch_seed": "42",
        "sketch_nonzeros": 4, "layer": "v", "stage": "raw"}]}]}
        """#))
  }

  /// A step of that table.
  static func step(
    _ number: Int, rows: Int = 2, isSketched: Bool = false, body: String = "",
    changing change: (inout [Blob.Tensor]) -> Void = { _ in }
  ) -> Blob {
    var tensors: [Blob.Tensor] = [
      .init(
        "0/record", "U8", [rows, 16],
        (0..<rows * 16).map { UInt8(truncatingIfNeeded: ($0 / 16) >> ($0 % 2 * 8)) }),
      .init("0/0", "F32", [rows, 2], (0..<rows * 2).map { Float(number) + Float($0) }),
      .init("0/1", "I32", [rows, 1], (0..<rows).map { Int32($0) }),
      .init("0/2", "F16", [rows, 2], [UInt16](repeating: 0x3e00, count: rows * 2)),
      .init(
        "0/3", "F32", [rows, isSketched ? 4 : 8],
        (0..<rows).flatMap { _ in
          isSketched
            ? [2.875, -1, -4.5, -8.125] as [Float] : [1, -2, 0.5, 3, 0, -0.25, 4, 8] as [Float]
        }),
    ]
    change(&tensors)
    return Blob(
      "step",
      #"{"number": \#(number), "index": \#(number), "mode": "trace", "loss": 0.5, "tables": [0]\#(body)}"#,
      tensors)
  }

  static func bye(_ status: String = "complete") -> Blob {
    Blob(
      "bye",
      #"{"status": "\#(status)", "dropped": 3, "blocked": 0.25, "passed": 70, "problems": ["a hook failed"]}"#
    )
  }
}

/// A server for a file in a fresh folder.
func withServer(
  changing change: (inout RecordingServer.Options) -> Void = { _ in },
  _ body: (RecordingServer, TemporaryFolder) throws -> Void
) throws {
  try withTemporaryFolder { folder in
    var options = RecordingServer.Options(key: [UInt8](repeating: 7, count: 32))
    options.recording.queueBytes = 1 << 20
    change(&options)
    let server = try RecordingServer(
      path: folder.file("run.h5"), producer: "tests 1", options: options)
    try body(server, folder)
  }
}
