import Foundation
import Recording
import Results
import SnapshotFormat
import TestSupport
import Testing

@Suite("Peers that break the protocol")
struct HostilePeerTests {
  /// What the server answers to a frame in the place of a hello, or after one and a step.
  private func refusal(afterStep: Bool, _ blob: Blob) throws -> (message: String, steps: Int) {
    var message = ""
    var steps = 0
    try withServer { (server, folder) throws in
      let peer = Peer(server)
      if afterStep {
        peer.say(Peer.hello())
        peer.say(Peer.step(0))
      }
      peer.say(blob)
      let error = #expect(throws: Peer.Refused.self) { while true { _ = try peer.hear("closed") } }
      message = error?.message ?? ""
      server.finish()
      if afterStep {
        let reader = try Reader(path: folder.file("run.h5"))
        steps = reader.steps.count
        #expect(reader.status == .crashed && reader.captures[0].end == .failed)
        #expect(reader.captures[0].problems.last == message)
      } else {
        #expect(try folder.contents() == [])
      }
    }
    return (message, steps)
  }

  @Test(
    "a hello that is wrong is refused with its offset",
    arguments: [
      (#""protocol": "1.0""#, #""protocol": "2.0""#, "expected protocol 1.x, found '2.0'"),
      (#""producer": "peer 1""#, #""producer": 1"#, "expected a string 'producer'"),
      (#""rank": 0"#, #""rank": 1"#, "expected a rank below 1"),
      (#""rank": 0"#, #""rank": -1"#, "expected an integer 'rank'"),
      (#""training": {}"#, #""training": []"#, "expected an object 'training'"),
      (#""has_trainable": true"#, #""has_trainable": 1"#, "expected has_trainable"),
      (#""unit": "example""#, #""unit": "row""#, "expected tables"),
      (#""width": 4"#, #""width": 8"#, "expected a sketch narrower than 8"),
      (#""width": 4"#, #""width": 5000000000000"#, "expected"),
      (#""shape": [8]"#, #""shape": [0]"#, "expected tables"),
      (#""kind": "label""#, #""kind": "lable""#, "expected tables"),
    ])
  func hellos(old: String, new: String, words: String) throws {
    let (message, _) = try refusal(
      afterStep: false, Peer.hello { $0.replacing(old, with: new, maxReplacements: 1) })
    #expect(message.contains("byte 0 of the connection") && message.contains(words), "\(message)")
  }

  @Test(
    "a hello that a file may not say is refused by its requirement",
    arguments: [
      (#""layer": "w""#, #""layer": "q""#, "R-045"),
      (#""name": "v", "kind""#, #""name": "w", "kind""#, "R-041"),
      (#""parameters": 10"#, #""parameters": 1"#, "R-011"),
    ])
  func descriptions(old: String, new: String, requirement: String) throws {
    let (message, _) = try refusal(afterStep: false, Peer.hello { $0.replacing(old, with: new) })
    #expect(message.contains(requirement), "\(message)")
  }

  @Test("a hello that is refused is told of, and its rank may try again")
  func again() throws {
    try withServer { (server, _) throws in
      let first = Peer(server)
      first.say(Peer.hello { $0.replacing(#""layer": "w""#, with: #""layer": "q""#) })
      #expect(throws: Peer.Refused.self) { try first.hear("ready") }
      server.finish()
      #expect(server.refusals.count == 1 && server.refusals[0].contains("R-045"))
      let second = Peer(server)
      second.say(Peer.hello())
      second.say(Peer.step(0))
      second.say(Peer.bye())
      #expect(try second.hear("closed")["steps"] == .number(1))
    }
  }

  @Test(
    "a step that is wrong is refused with its offset, and the steps before are kept",
    arguments: [
      (#""number": 1"#, #""number": 2"#, "expected number 1, found 2"),
      (#""number": 1"#, #""number": 1e300"#, "expected an integer 'number'"),
      (#""mode": "trace""#, #""mode": "tracing""#, "expected 'mode'"),
      (#""mode": "trace""#, #""mode": "probe""#, "expected a trace step"),
      (#""tables": [0]"#, #""tables": [1]"#, "positions of the 1 tables"),
      (#""tables": [0]"#, #""tables": [0, 0]"#, "each once"),
      (#""tables": [0]"#, #""tables": []"#, "expected no tensor"),
      (#""loss": 0.5"#, #""loss": "low""#, "expected a number 'loss'"),
      (#""loss": 0.5"#, #""loss": 0.5, "frozen": ["z"]"#, "expected layers of the model"),
      (#""loss": 0.5"#, #""loss": 0.5, "model_mode": "asleep""#, "expected 'model_mode'"),
      (#""index": 1"#, #""index": -1"#, "expected a step index of at least 0"),
    ])
  func bodies(old: String, new: String, words: String) throws {
    var blob = Peer.step(1)
    let quoted = { (text: String) in text.replacing("\"", with: "\\\"") }
    blob.header = blob.header.replacing(quoted(old), with: quoted(new))
    let (message, steps) = try refusal(afterStep: true, blob)
    #expect(message.contains(words), "\(message)")
    #expect(steps == 1)
  }

  @Test(
    "tensors that the tables do not ask for are refused, and none of the step is kept",
    arguments: 0..<6)
  func tensors(number: Int) throws {
    let changes: [((inout [Blob.Tensor]) -> Void, String)] = [
      ({ $0.removeLast() }, "expected '0/3', F32 or F16 or BF16 [2, 8] or [2, 4], found nothing"),
      ({ $0.removeFirst() }, "expected a tensor '0/record'"),
      ({ $0[1].shape = [4, 1] }, "found F32 [4, 1]"),
      ({ $0[1].type = "I32" }, "found I32 [2, 2]"),
      ({ $0[2] = .init("0/1", "I32", [1, 1], [Int32(0)]) }, "found I32 [1, 1]"),
      ({ $0.append(.init("1/0", "U8", [1], [UInt8(0)])) }, "expected no tensor '1/0'"),
    ]
    let (change, words) = changes[number]
    let (message, steps) = try refusal(afterStep: true, Peer.step(1, changing: change))
    #expect(message.contains(words), "\(message)")
    #expect(steps == 1)
  }

  @Test("a message out of turn is refused")
  func turns() throws {
    #expect(
      try refusal(afterStep: false, Peer.step(0)).message.contains("expected hello first"))
    #expect(
      try refusal(afterStep: true, Peer.hello()).message.contains("expected step or bye"))
  }

  @Test("a peer that says nothing, or stops within a frame, is sent away")
  func stuck() throws {
    try withServer(changing: {
      $0.helloSeconds = 0.2
      // Not what ends them.
      $0.patience = 30
    }) { (server, _) throws in
      let silent = Peer(server)
      let first = #expect(throws: Peer.Refused.self) { try silent.hear("ready") }
      #expect(first?.message.contains("sent nothing") == true)
      // One byte now and then does not help.
      let slow = Peer(server)
      for byte in Peer.hello().bytes.prefix(8) {
        send([byte], to: slow.descriptor)
        usleep(60_000)
      }
      #expect(throws: Peer.Refused.self) { try slow.hear("ready") }
    }
    try withServer(changing: { $0.patience = 0.2 }) { (server, folder) throws in
      let begun = Peer(server)
      begun.say(Peer.hello())
      begun.say(Peer.step(0))
      send(Array(Peer.step(1).bytes.prefix(100)), to: begun.descriptor)
      #expect(throws: Peer.Refused.self) { try begun.hear("closed") }
      server.finish()
      #expect(try Reader(path: folder.file("run.h5")).steps.count == 1)
    }
  }

  @Test("a peer may pause between frames for as long as it likes")
  func pause() throws {
    try withServer(changing: { $0.patience = 0.1 }) { (server, _) throws in
      let peer = Peer(server)
      peer.say(Peer.hello())
      peer.say(Peer.step(0))
      usleep(400_000)
      peer.say(Peer.step(1))
      peer.say(Peer.bye())
      #expect(try peer.hear("closed")["steps"] == .number(2))
    }
  }

  @Test("a peer that floods and never reads fills its queue and no more, and loses nothing")
  func flood() throws {
    try withServer { (server, folder) throws in
      let peer = Peer(server)
      peer.say(Peer.hello())
      // 24 MB through a queue of 1 MiB: frames of 60 kB, and of acknowledgements more than a socket's buffer holds.
      let most = 400
      for number in 0..<most {
        #expect(peer.say(Peer.step(number, rows: 1000)))
        if number % 20 == 0 { #expect(server.progress.queued <= 1 << 20) }
      }
      peer.say(Peer.bye())
      server.finish()
      #expect(try Reader(path: folder.file("run.h5")).steps.count == most)
    }
  }

  @Test("a frame larger than the queue is refused before it is read")
  func tooLong() throws {
    let (message, steps) = try refusal(afterStep: true, Peer.step(1, rows: 20_000))
    #expect(message.contains("expected a frame of 8 to 1048576 bytes"))
    #expect(steps == 1)
  }

  @Test("more peers than there may be are sent away at once")
  func crowd() throws {
    try withServer(changing: { $0.mostConnections = 2 }) { (server, _) throws in
      let peers = (0..<3).map { _ in Peer(server) }
      #expect(throws: (any Error).self) { try peers[2].hear("welcome") }
      _ = try peers[0].hear("welcome")
    }
  }
}
