import Foundation
import Results
import TestSupport
import Testing
import Wire

@Suite("Frames")
struct FrameTests {
  /// Reads a frame from bytes that a peer sends before it goes away.
  private func read(
    _ bytes: [UInt8], most: Int = 1 << 20, mostHeader: Int = 1 << 16
  ) throws(WireError) -> Frame? {
    let (near, far) = socketPair()
    defer { close(near) }
    send(bytes, to: far)
    close(far)
    return try Frame.readHead(
      from: ByteSource(near), most: most, mostHeader: mostHeader)
  }

  private func fault(
    _ bytes: [UInt8], most: Int = 1 << 20, mostHeader: Int = 1 << 16
  ) -> WireError? {
    #expect(throws: WireError.self) { try read(bytes, most: most, mostHeader: mostHeader) }
  }

  private static let message = #""__metadata__":{"message":"step","body":"{}"}"#

  @Test("a frame says its message, its body and its tensors in the order of their bytes")
  func whole() throws {
    let blob = Blob(
      "step", #"{"a": [1, "x"]}"#,
      [
        .init("z", "F32", [2], [1.5, 2.5] as [Float]),
        .init("b", "U8", [3, 1], [1, 2, 3] as [UInt8]),
      ])
    let frame = try #require(try read(blob.bytes))
    #expect(frame.message == "step")
    #expect(frame.body["a"] == .array([.number("1"), "x"]))
    #expect(frame.tensors.map(\.name) == ["z", "b"])
    #expect(frame.tensors.map(\.bytes) == [8, 3] && frame.tensors[1].begin == 8)
    #expect(frame.bytes == blob.bytes.count)
  }

  @Test("what we encode reads back, and its data would be aligned")
  func roundTrip() throws {
    let bytes = Frame.encode("stop", .object(["message": "a \"word\" \\ ü"]))
    #expect(bytes.count % 8 == 0)
    let frame = try #require(try read(bytes))
    #expect(frame.message == "stop" && frame.body["message"]?.text == "a \"word\" \\ ü")
  }

  @Test("a connection that ends between frames ends; within one, that is said")
  func ends() throws {
    #expect(try read([]) == nil)
    let bytes = Blob("bye", "{}").bytes
    for count in [1, 7, 8, 12, 20, bytes.count - 1] {
      #expect(fault(Array(bytes[..<count]))?.code == .ended, "\(count)")
    }
  }

  @Test("lengths beyond what was agreed are refused before anything is allocated")
  func lengths() {
    func long(_ length: UInt64, _ header: UInt64) -> [UInt8] {
      withUnsafeBytes(of: (length.littleEndian, header.littleEndian)) { Array($0) }
    }
    #expect(fault(long(1 << 62, 2))?.code == .tooLong)
    #expect(fault(long(.max, 2))?.offset == 0)
    #expect(fault(long(7, 0))?.code == .malformed)
    let header = fault(long(1 << 19, 1 << 18))
    #expect(header?.code == .malformed && header?.offset == 8)
    #expect(fault(long(64, 60))?.offset == 8)
  }

  @Test(
    "headers that are not what safetensors has are refused",
    arguments: [
      ("", "a JSON object"), ("{", "a JSON object"), ("[]", "a JSON object"),
      ("{\(message),}", "a JSON object"),
      ("{\(message),\(message)}", "once"),
      (#"{"__metadata__":{"message":1,"body":"{}"}}"#, "strings"),
      (#"{"__metadata__":[]}"#, "strings"),
      (#"{\#(message),"a":1}"#, "dtype"),
      (#"{\#(message),"a":{"dtype":"F31","shape":[1],"data_offsets":[0,4]}}"#, "dtype"),
      (#"{\#(message),"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#, "shape"),
      (#"{\#(message),"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}"#, "shape"),
      (#"{\#(message),"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#, "data_offsets"),
      (#"{\#(message),"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}"#, "data_offsets"),
      (#"{\#(message),"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, "expected 8 bytes"),
      (
        #"{\#(message),"a":{"dtype":"F32","shape":[4611686018427387904,8],"data_offsets":[0,4]}}"#,
        "2^40"
      ),
      (#"{\#(message),"a":{"dtype":"U8","shape":[3],"data_offsets":[1,4]}}"#, "from 0"),
      (#"{\#(message),"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}"#, "of 4 bytes"),
      (
        #"{\#(message),"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[3],"data_offsets":[1,4]}}"#,
        "from 4"
      ),
      (
        #"{\#(message),"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"a":{"dtype":"I32","shape":[1],"data_offsets":[0,4]}}"#,
        "once"
      ),
    ])
  func headers(header: String, words: String) {
    let error = fault(Blob(header: header, data: [0, 0, 0, 0]).bytes)
    #expect(error?.code == .malformed && error?.offset == 16)
    #expect(error?.message.contains(words) == true, "\(error?.message ?? "nothing")")
  }

  @Test(
    "a frame without a message and a body is refused",
    arguments: [
      "{} ", #"{"__metadata__":{"message":"x"}}"#, #"{"__metadata__":{"message":"x","body":"[]"}}"#,
      #"{"__metadata__":{"message":"x","body":"{,}"}}"#,
    ])
  func messages(header: String) {
    let error = fault(Blob(header: header).bytes)
    #expect(error?.message.contains("expected a message, and a body") == true)
  }

  @Test("random damage of a frame is refused or read, and never traps")
  func damage() throws {
    var generator = SystemRandomNumberGenerator()
    let whole = Blob("step", #"{"a": 1}"#, [.init("t", "F32", [2], [1, 2] as [Float])]).bytes
    for _ in 0..<2000 {
      var bytes = whole
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        bytes[Int.random(in: 0..<bytes.count, using: &generator)] = .random(
          in: 0...255, using: &generator)
      }
      _ = try? read(bytes)
    }
  }

  @Test("sixteen-bit floats become single precision exactly")
  func halves() {
    let known: [(UInt16, Float)] = [
      (0x0000, 0), (0x3c00, 1), (0xc000, -2), (0x7bff, 65504), (0x0400, 0x1p-14),
      (0x0001, 0x1p-24), (0x83ff, -0x3ffp-24), (0x3555, 0x1.554p-2), (0x7c00, .infinity),
    ]
    for (bits, value) in known { #expect(HalfPrecision.float(bits) == value) }
    #expect(HalfPrecision.float(0x8000).sign == .minus)
    #expect(HalfPrecision.float(0x7e00).isNaN)
    #expect(HalfPrecision.bfloat(0x3fc0) == 1.5 && HalfPrecision.bfloat(0xff80) == -.infinity)
  }
}
