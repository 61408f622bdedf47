import Foundation
import TestSupport
import Testing

@Suite("ptoken-analyze pair")
struct PairTests {
  private func save(
    _ bytes: [UInt8], _ type: String, shape: String, to name: String, in folder: TemporaryFolder,
    order: String = "False"
  ) throws {
    try NumPyBytes.save(bytes, type, shape: shape, to: name, in: folder, order: order)
  }

  private func bytes<T>(_ values: [T]) -> [UInt8] { values.withUnsafeBytes { Array($0) } }

  /// 400 rows of whole numbers 0 to 7 and of twice these.
  private func numbers() -> [Int] { (0..<400).map { ($0 &* 2_654_435_761 >> 7) % 8 } }

  @Test("every type of number gives the same estimate, and the JSON has its keys")
  func types() throws {
    try withTemporaryFolder { folder in
      let values = numbers()
      try save(bytes(values.map { Int64($0) }), "<i8", shape: "400,", to: "i8.npy", in: folder)
      try save(bytes(values.map { Int32($0) }), "<i4", shape: "400, 1", to: "i4.npy", in: folder)
      try save(bytes(values.map { UInt8($0) }), "|u1", shape: "400,", to: "u1.npy", in: folder)
      try save(bytes(values.map { Float($0) }), "<f4", shape: "400,", to: "f4.npy", in: folder)
      try save(bytes(values.map { Double($0) }), "<f8", shape: "400,1", to: "f8.npy", in: folder)
      var outputs: Set<String> = []
      for x in ["i8", "i4", "u1", "f4", "f8"] {
        let outcome = try Tool.run("ptoken-analyze pair \(x).npy i8.npy --json", in: folder)
        #expect(outcome.status == 0 && outcome.errors == "")
        outputs.insert(outcome.output)
      }
      #expect(outputs.count == 1)
      let json = try #require(
        JSONSerialization.jsonObject(with: Data(outputs.first!.utf8)) as? [String: Any])
      for key in ["value", "kind", "low", "high", "p", "n", "ceiling", "flags", "estimator"] {
        #expect(json[key] != nil, "\(key)")
      }
      // Eight symbols, each its own copy: their entropy.
      #expect(abs((json["value"] as? Double ?? 0) - log(8)) < 0.02)
      let text = try Tool.run("ptoken-analyze pair i8.npy f4.npy", in: folder)
      #expect(text.status == 0 && text.output.hasPrefix("I(x; y) = 2.0"))
    }
  }

  @Test("what is no array of numbers, or no rows that belong together, is refused in one line")
  func refusals() throws {
    try withTemporaryFolder { folder in
      let values = numbers().map { Double($0) }
      try save(bytes(values), "<f8", shape: "400,", to: "x.npy", in: folder)
      try save(bytes(Array(values.dropLast())), "<f8", shape: "399,", to: "short.npy", in: folder)
      try save(
        bytes([Double.nan] + values.dropFirst()), "<f8", shape: "400,", to: "nan.npy", in: folder)
      try save(bytes(values), "<f8", shape: "400, 2", to: "cut.npy", in: folder)
      try save(bytes(values), "<f8", shape: "20, 20, 1", to: "cube.npy", in: folder)
      try save(bytes(values), "<f8", shape: "20, 20", to: "columns.npy", in: folder, order: "True")
      try save(bytes(values), "|O", shape: "400,", to: "object.npy", in: folder)
      let large = [Int64](repeating: 1 << 53 + 1, count: 400)
      try save(bytes(large), "<i8", shape: "400,", to: "large.npy", in: folder)
      try folder.write("text.npy", "x,y\n1,2\n".utf8)
      try save(bytes(values), ">f8", shape: "400,", to: "swapped.npy", in: folder)
      try save([], "<f8", shape: "0, 2", to: "empty.npy", in: folder)
      let cases = [
        ("missing.npy", "no such file"), ("short.npy", "found 400 and 399"),
        ("nan.npy", "found nan in row 0, column 0"), ("cut.npy", "bytes"),
        ("cube.npy", "found [20, 20, 1]. Save x.reshape(n, -1)"),
        ("columns.npy", "numpy.ascontiguousarray"),
        ("object.npy", "expected real numbers of at most 64 bits, found '|O'"),
        ("large.npy", "2^53"),
        ("text.npy", "expected an array of numpy"),
        ("swapped.npy", "expected little-endian numbers, found '>f8'. Save x.astype(float)."),
        ("empty.npy", "Save at least one row."),
      ]
      for (name, words) in cases {
        let outcome = try Tool.run("ptoken-analyze pair x.npy \(name)", in: folder)
        #expect(outcome.status == 2 && outcome.output == "", "\(name)")
        #expect(
          outcome.errors.contains(words) && outcome.errorLines.count == 1, "\(outcome.errors)")
      }
    }
  }

  @Test("ids may be any 64 bits, but no floats that stand for several")
  func ids() throws {
    try withTemporaryFolder { folder in
      let values = numbers()
      try save(bytes(values.map { Double($0) }), "<f8", shape: "400,", to: "x.npy", in: folder)
      let ids = (0..<400).map { Int64($0 / 4) &* 0x7fed_cba9_8765_4321 }
      try save(bytes(ids), "<i8", shape: "400,", to: "ids.npy", in: folder)
      let small = (0..<400).map { Int64($0 / 4) }
      try save(bytes(small), "<i8", shape: "400,", to: "small.npy", in: folder)
      func value(_ ids: String) throws -> Double? {
        try Tool.run(
          "ptoken-analyze pair x.npy x.npy --estimator ksg --records \(ids).npy --json", in: folder
        ).json()["value"] as? Double
      }
      #expect(try value("ids") != nil && value("ids") == value("small"))
      try save(bytes(ids.map { Double($0) }), "<f8", shape: "400,", to: "rounded.npy", in: folder)
      let outcome = try Tool.run(
        "ptoken-analyze pair x.npy x.npy --records rounded.npy", in: folder)
      expectError(outcome, "rounded.npy: expected one whole number for each row")
    }
  }

  @Test(
    "options that an estimator has no use for are wrong usage",
    arguments: [
      "--transform ranks", "--estimator ksg --critic separable", "--estimator gaussian --folds 3",
      "--estimator plugin --norm maximum", "--estimator mine --neighbours 4",
    ])
  func unused(options: String) throws {
    try withTemporaryFolder { folder in
      let outcome = try Tool.run("ptoken-analyze pair x.npy y.npy \(options)", in: folder)
      #expect(outcome.status == 64 && outcome.errors.contains("expected with one of"))
    }
  }
}
