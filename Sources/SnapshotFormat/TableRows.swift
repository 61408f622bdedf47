/// One step's rows of one table.
public struct TableRows: Sendable {
  /// One column of a stream, row-major [rows, width].
  public enum Values: Sendable {
    /// Gradients, features and scalars.
    case float([Float])
    /// Labels.
    case label([Int32])

    /// The first element that a file may not hold: a number that is not finite, a label below 0.
    package var firstFault: (index: Int, value: String)? {
      switch self {
      case .float(let values):
        guard !FiniteScan.areFinite(values) else { return nil }
        return values.firstIndex { !$0.isFinite }.map { ($0, "\(values[$0])") }
      case .label(let values):
        return values.firstIndex { $0 < 0 }.map { ($0, "\(values[$0])") }
      }
    }

    /// Number of elements.
    public var count: Int {
      switch self {
      case .float(let values): values.count
      case .label(let values): values.count
      }
    }
  }

  /// Index of the table.
  public var table: Int
  /// Keyed hashes of the records, one per row.
  public var records: [RecordID]
  /// Rank that produced the rows.
  public var rank: UInt16
  /// Weight of each row in the aggregate, NaN if unknown; where the table has the column.
  public var weights: [Double]
  /// Local steps behind each row, 0 if unknown; where the table has the column.
  public var localSteps: [Int]
  /// What the rows were made of; where the table has the columns.
  public var members: Members
  /// Values of each stream, in the table's order.
  public var values: [Values]

  /// Examples that made up batches or clients' updates, one row's after the other's.
  public struct Members: Sendable, Equatable {
    /// Members of each row.
    public var counts: [Int]
    /// Ids of the examples.
    public var records: [RecordID]
    /// Factor with which each one's gradient entered.
    public var weights: [Double]

    /// Members from their parts.
    public init(counts: [Int] = [], records: [RecordID] = [], weights: [Double] = []) {
      self.counts = counts
      self.records = records
      self.weights = weights
    }
  }

  /// Creates rows from their parts.
  public init(
    table: Int, records: [RecordID], rank: UInt16 = 0, weights: [Double] = [],
    localSteps: [Int] = [], members: Members = Members(), values: [Values]
  ) {
    self.table = table
    self.records = records
    self.rank = rank
    self.weights = weights
    self.localSteps = localSteps
    self.members = members
    self.values = values
  }
}
