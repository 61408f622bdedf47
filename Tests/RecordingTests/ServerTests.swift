import Foundation
import Recording
import Results
import SnapshotFormat
import TestSupport
import Testing

@Suite("RecordingServer")
struct ServerTests {
  @Test("what a client sends is in the file, with how it was captured")
  func roundTrip() throws {
    try withServer { (server, folder) throws in
      let peer = Peer(server)
      let welcome = try peer.hear("welcome")
      #expect(welcome["protocol"] == "1.0" && welcome["max_frame"] == .number(1 << 20))
      #expect(welcome["key"]?.text == String(repeating: "07", count: 32))
      peer.say(Peer.hello())
      #expect(try peer.hear("ready")["file"]?.text == folder.file("run.h5"))
      peer.say(Peer.step(0))
      peer.say(
        Peer.step(1, isSketched: true, body: #", "frozen": [], "epoch": null, "dropped": 2"#))
      peer.say(Peer.bye())
      let closed = try peer.hear("closed")
      #expect(closed["status"] == "complete" && closed["steps"] == .number(2))
      let reader = try Reader(path: folder.file("run.h5"))
      #expect(reader.run.id == welcome["run_id"]?.text)
      #expect(reader.run.producer == "tests 1, peer 1")
      #expect(reader.steps.map(\.index) == [0, 1] && reader.steps[0].loss == 0.5)
      #expect(reader.steps[0].time >= 0 && reader.steps[0].epoch.isNaN)
      #expect(try reader.values(ofStream: 0, table: 0, rows: 2..<3) == [1, 2])
      #expect(try reader.labels(ofStream: 1, table: 0, rows: 0..<2) == [0, 1])
      #expect(try reader.values(ofStream: 2, table: 0, rows: 0..<1) == [1.5, 1.5])
      // By the recorder and by the client: the vector of spec/SPEC.md, seed 42.
      let sketched: [Float] = [2.875, -1, -4.5, -8.125]
      #expect(try reader.values(ofStream: 3, table: 0, rows: 0..<1) == sketched)
      #expect(try reader.values(ofStream: 3, table: 0, rows: 3..<4) == sketched)
      #expect(
        reader.captures == [
          CaptureReport(
            rank: 0, producer: "peer 1", method: #"{"adapter":"peer"}"#, passedSteps: 70,
            droppedSteps: 3, blockedSeconds: 0.25, end: .bye, problems: ["a hook failed"])
        ])
      #expect(try Validator.violations(inFileAt: folder.file("run.h5")).isEmpty)
    }
  }

  @Test(
    "rows with numbers that a file may not hold are left out and counted; a step of such rows is dropped"
  )
  func faultyRows() throws {
    try withServer { (server, folder) throws in
      let peer = Peer(server)
      peer.say(Peer.hello())
      peer.say(
        Peer.step(0, rows: 3) {
          $0[1] = .init("0/0", "F32", [3, 2], [0, 1, .nan, 3, 4, 5] as [Float])
          $0[2] = .init("0/1", "I32", [3, 1], [7, 8, -100] as [Int32])
        })
      peer.say(
        Peer.step(1) {
          $0[1] = .init("0/0", "F32", [2, 2], [Float](repeating: .infinity, count: 4))
        })
      peer.say(Peer.bye())
      #expect(try peer.hear("closed")["steps"] == .number(1))
      let reader = try Reader(path: folder.file("run.h5"))
      #expect(reader.rowCount(ofTable: 0) == 1)
      #expect(try reader.labels(ofStream: 1, table: 0, rows: 0..<1) == [7])
      #expect(reader.captures[0].droppedSteps == 4)
      #expect(reader.captures[0].problems.last?.hasPrefix("4 rows with numbers") == true)
    }
  }

  @Test("a client that goes away without a word leaves a crashed file with every whole step")
  func lost() throws {
    try withServer { (server, folder) throws in
      let peer = Peer(server)
      peer.say(Peer.hello())
      peer.say(Peer.step(0))
      send(Array(Peer.step(1).bytes.dropLast(5)), to: peer.descriptor)
      peer.leave()
      server.finish()
      let reader = try Reader(path: folder.file("run.h5"))
      #expect(reader.status == .crashed && reader.steps.count == 1)
      #expect(reader.captures.map(\.end) == [.connectionLost])
    }
  }

  @Test("a recorder that is asked to stop keeps what has come, as interrupted")
  func stopped() throws {
    try withServer { (server, folder) throws in
      let peer = Peer(server)
      peer.say(Peer.hello())
      peer.say(Peer.step(0))
      _ = try peer.hear("committed")
      server.stop()
      server.finish()
      #expect(try peer.hear("stop")["reason"] == "signal")
      let reader = try Reader(path: folder.file("run.h5"))
      #expect(reader.status == .interrupted && reader.captures.map(\.end) == [.signal])
    }
  }

  @Test("a client that sends no step leaves no file")
  func nothing() throws {
    try withServer { (server, folder) throws in
      let peer = Peer(server)
      peer.say(Peer.hello())
      peer.say(Peer.bye())
      _ = try peer.hear("closed")
      server.finish()
      #expect(try folder.contents() == [])
      #expect(server.outcomes.map(\.status) == [nil])
    }
  }

  @Test("each rank has its file under one run id, and the files merge")
  func ranks() throws {
    try withServer { (server, folder) throws in
      let peers = (0..<2).map { _ in Peer(server) }
      for (rank, peer) in peers.enumerated() {
        peer.say(Peer.hello(rank: rank, ranks: 2))
        // Other records than the other rank's: a trace may have the same, but these are told apart.
        peer.say(Peer.step(0))
        peer.say(Peer.bye())
        _ = try peer.hear("closed")
      }
      server.finish()
      #expect(server.isDone)
      #expect(try folder.contents() == ["run.rank0.h5", "run.rank1.h5"])
      _ = try Merge.merge(
        ["run.rank0.h5", "run.rank1.h5"].map(folder.file), to: folder.file("run.h5"))
      let merged = try Reader(path: folder.file("run.h5"))
      #expect(merged.rowCount(ofTable: 0) == 4 && merged.captures.map(\.rank) == [0, 1])
    }
  }

  @Test("a second recording of a rank is refused, and the first goes on")
  func twice() throws {
    try withServer { (server, folder) throws in
      let first = Peer(server)
      first.say(Peer.hello())
      _ = try first.hear("ready")
      let second = Peer(server)
      second.say(Peer.hello())
      let refused = #expect(throws: Peer.Refused.self) { try second.hear("ready") }
      #expect(refused?.message.contains("rank 0 has a recording already") == true)
      first.say(Peer.step(0))
      first.say(Peer.bye())
      #expect(try first.hear("closed")["steps"] == .number(1))
    }
  }

  @Test("a name that is taken is refused before there is a client")
  func taken() throws {
    try withTemporaryFolder { folder in
      try folder.write("run.h5", [1])
      let error = #expect(throws: SnapshotError.self) {
        try RecordingServer(
          path: folder.file("run.h5"), producer: "t", options: .init(key: [1]))
      }
      #expect(error?.code == .exists)
    }
  }

  @Test("a budget stops the recording, says so, and counts what came after")
  func budget() throws {
    try withServer(changing: { $0.budget = 100_000 }) { (server, folder) throws in
      let peer = Peer(server)
      peer.say(Peer.hello())
      for number in 0..<40 { peer.say(Peer.step(number, rows: 500)) }
      #expect(try peer.hear("stop")["reason"] == "budget")
      peer.say(Peer.bye())
      #expect(try peer.hear("closed")["status"] == "interrupted")
      let reader = try Reader(path: folder.file("run.h5"))
      #expect(reader.steps.count < 40 && reader.steps.count > 0)
      #expect(reader.captures[0].end == .budget)
      #expect(reader.captures[0].droppedSteps == 40 - reader.steps.count + 3)
    }
  }

  @Test("a recording that goes on passes over steps that the file has already")
  func resumed() throws {
    try withServer { (server, folder) throws in
      let first = Peer(server)
      first.say(Peer.hello())
      for number in 0..<3 { first.say(Peer.step(number)) }
      first.say(Peer.bye("interrupted"))
      _ = try first.hear("closed")
      var options = server.options
      options.resumes = true
      let again = try RecordingServer(
        path: folder.file("run.h5"), producer: "tests 1", options: options)
      let second = Peer(again)
      second.say(Peer.hello())
      let ready = try second.hear("ready")
      #expect(ready["steps"] == .number(3) && ready["last_index"] == .number(2))
      for number in 0..<5 { second.say(Peer.step(number)) }
      second.say(Peer.bye())
      #expect(try second.hear("closed")["steps"] == .number(5))
      let reader = try Reader(path: folder.file("run.h5"))
      #expect(reader.steps.map(\.index) == [0, 1, 2, 3, 4])
      #expect(reader.sessions.count == 2 && reader.captures.count == 2)
    }
  }
}
