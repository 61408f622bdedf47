import CHDF5

/// Shapes, as libhdf5 keeps them.
enum Dataspace {
  /// Lengths and greatest lengths (nil: unlimited) of a dataspace's axes; call under the lock.
  ///
  /// - Throws: `corrupt` for an axis that does not fit an Int, or more than 8 axes.
  static func shape(
    of id: hid_t, file: String, object: String
  ) throws(HDF5Error) -> (shape: [Int], limit: [Int?]) {
    let rank = Int(H5Sget_simple_extent_ndims(id))
    guard (0...8).contains(rank), H5Sget_simple_extent_type(id) != H5S_NULL else {
      throw HDF5Error(
        code: .mismatch, file: file, object: object,
        message: "expected 0 to 8 axes, found \(rank < 0 ? "none readable" : String(rank))")
    }
    var lengths = [hsize_t](repeating: 0, count: rank)
    var limits = lengths
    if rank > 0 { H5Sget_simple_extent_dims(id, &lengths, &limits) }
    var elements = 1
    for length in lengths {
      let (product, overflow) = elements.multipliedReportingOverflow(by: Int(clamping: length))
      guard !overflow, product <= 1 << 48 else {
        throw HDF5Error(
          code: .corrupt, file: file, object: object,
          message: "expected at most 2^48 elements, found shape \(lengths)")
      }
      elements = max(product, 1)
    }
    return (lengths.map { Int($0) }, limits.map { $0 == ptk_unlimited() ? nil : Int(clamping: $0) })
  }
}
