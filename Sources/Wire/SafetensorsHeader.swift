internal import Results
internal import SnapshotFormat

/// The header of a safetensors blob, checked: tensors that fill the data without gap or overlap.
package struct SafetensorsHeader: Sendable {
  /// Texts of `__metadata__`.
  package var metadata: [String: String]
  /// The tensors in the order of their bytes.
  package var tensors: [Tensor]

  /// What is wrong with a header, in words.
  package struct Fault: Error { package var message: String }

  /// Reads a header.
  ///
  /// - Parameters:
  ///   - bytes: the JSON.
  ///   - dataBytes: bytes that follow it, all of which must be a tensor's.
  /// - Throws: `Fault`.
  package init(_ bytes: [UInt8], dataBytes: Int) throws(Fault) {
    guard let text = String(validating: bytes, as: UTF8.self), !JSONText.isLax(bytes),
      case .object(let members)? = JSONValue(parsing: text)
    else { throw Fault(message: "expected a header that is a JSON object in UTF-8") }
    guard JSONText.outermostKeys(bytes) == members.count else {
      throw Fault(message: "expected each name once in the header")
    }
    metadata = [:]
    tensors = []
    for member in members {
      if member.key == "__metadata__" {
        guard case .object(let texts) = member.value else {
          throw Fault(message: "__metadata__: expected an object of strings")
        }
        for entry in texts {
          guard let text = entry.value.text else {
            throw Fault(message: "__metadata__: expected an object of strings")
          }
          metadata[entry.key] = text
        }
      } else {
        tensors.append(try Self.tensor(member.key, member.value))
      }
    }
    tensors.sort { ($0.begin, $0.bytes) < ($1.begin, $1.bytes) }
    var end = 0
    for tensor in tensors {
      guard tensor.begin == end else {
        throw Fault(
          message: "\(Self.quoted(tensor.name)): expected data from \(end), found \(tensor.begin)")
      }
      end += tensor.bytes
      guard end <= dataBytes else { break }
    }
    guard end == dataBytes else {
      throw Fault(message: "expected tensors of \(dataBytes) bytes, found \(end)")
    }
  }

  private static func quoted(_ name: String) -> String { "'\(name.prefix(80))'" }

  private static func tensor(_ name: String, _ json: JSONValue) throws(Fault) -> Tensor {
    func fault(_ message: String) -> Fault { Fault(message: "\(quoted(name)): \(message)") }
    guard let text = json["dtype"]?.text, let type = Tensor.ElementType(rawValue: text) else {
      throw fault("expected a dtype of safetensors")
    }
    guard let shape = integers(json["shape"]), shape.count <= 32 else {
      throw fault("expected a shape of at most 32 lengths of at least 0")
    }
    guard let offsets = integers(json["data_offsets"]), offsets.count == 2,
      offsets[0] <= offsets[1]
    else { throw fault("expected data_offsets, a begin and an end") }
    var count = 1
    for length in shape {
      let (product, overflows) = count.multipliedReportingOverflow(by: length)
      guard !overflows, product <= 1 << 40 else { throw fault("expected at most 2^40 elements") }
      count = product
    }
    let tensor = Tensor(name: name, type: type, shape: shape, begin: offsets[0], count: count)
    guard offsets[1] - offsets[0] == tensor.bytes else {
      throw fault(
        "expected \(tensor.bytes) bytes for \(text) \(shape), found \(offsets[1] - offsets[0])")
    }
    return tensor
  }

  private static func integers(_ json: JSONValue?) -> [Int]? {
    guard case .array(let list)? = json else { return nil }
    let numbers = list.map { value -> Int? in
      guard case .number(let digits) = value, let number = Int(digits), number >= 0 else {
        return nil
      }
      return number
    }
    return numbers.contains(nil) ? nil : numbers.compactMap { $0 }
  }
}
