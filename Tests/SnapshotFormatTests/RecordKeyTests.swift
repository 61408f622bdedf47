import SnapshotFormat
import TestSupport
import Testing

@Suite("RecordKey")
struct RecordKeyTests {
  @Test(
    "ids are HMAC-SHA-256 cut to 128 bits, as in RFC 4231",
    arguments: [
      ([UInt8](repeating: 0x0b, count: 20), "Hi There", "b0344c61d8db38535ca8afceaf0bf12b"),
      (Array("Jefe".utf8), "what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c7"),
      (
        [UInt8](repeating: 0xaa, count: 131),
        "Test Using Larger Than Block-Size Key - Hash Key First",
        "60e431591ee0b67f0d8a26aacbf5b77f"
      ),
    ])
  func knownAnswer(key: [UInt8], text: String, expected: String) {
    let id = RecordKey(bytes: key).id(of: Array(text.utf8))
    #expect(id.hexadecimal == expected)
    #expect(id.bytes.count == RecordID.size)
  }

  @Test("the halves are the bytes in big-endian order")
  func halves() {
    let id = RecordKey(bytes: [UInt8](repeating: 0x0b, count: 20)).id(of: Array("Hi There".utf8))
    #expect(id.high == 0xb034_4c61_d8db_3853)
    #expect(id.low == 0x5ca8_afce_af0b_f12b)
  }

  @Test("equal key and name give equal ids; another key or name gives another")
  func equality() {
    let name = Array("record".utf8)
    let key = RecordKey(bytes: [1, 2, 3])
    #expect(key.id(of: name) == RecordKey(bytes: [1, 2, 3]).id(of: name))
    #expect(key.id(of: name) != RecordKey(bytes: [1, 2, 4]).id(of: name))
    #expect(key.id(of: name) != key.id(of: Array("recorD".utf8)))
    #expect(RecordKey.random().id(of: name) != RecordKey.random().id(of: name))
  }
}

@Suite("FileDigest")
struct FileDigestTests {
  @Test("SHA-256 of nothing, of abc and of a million a's are those of FIPS 180-4")
  func knownAnswers() throws {
    try withTemporaryFolder { folder throws in
      for (bytes, expected) in [
        ([], "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (Array("abc".utf8), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
          [UInt8](repeating: 0x61, count: 1_000_000),
          "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        ),
      ] as [([UInt8], String)] {
        #expect(try FileDigest.sha256(of: folder.write("a", bytes)) == expected)
      }
    }
  }

  @Test("an absent file is an error that names it")
  func absent() throws {
    let error = try Sample.error { _ = try FileDigest.sha256(of: "/nowhere/a") }
    #expect(error.file == "/nowhere/a")
  }
}
