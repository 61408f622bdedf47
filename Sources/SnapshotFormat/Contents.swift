/// What a snapshot file declares.
struct Contents {
  /// One step's rows in a table.
  struct StepRows {
    /// Row of the step in /steps.
    var step: Int
    /// Rows of the table.
    var rows: Range<Int>
  }

  /// A table and where its streams are.
  struct Table {
    var description: TableDescription
    /// Object name of each stream.
    var objects: [String]
    var steps: [StepRows]
  }

  var run = RunDescription(id: "", created: "", producer: "", model: "{}", training: "{}")
  var status: RunStatus?
  var steps: [StepDescription] = []
  var tables: [Table] = []
}
