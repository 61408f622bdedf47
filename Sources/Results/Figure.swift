/// One measured number with everything needed to read it: interval, null, ceiling, rows, flags.
public struct Figure: Codable, Sendable, Equatable {
  /// What was measured; fixes unit and kind.
  public var measure: Measure
  /// The number itself, in `measure.unit`. Negative values are kept: they say "nothing found".
  public var value: Double
  /// Standard error of `value`, clustered by record or step.
  public var standardError: Double
  /// Lower end of the 95 % interval.
  public var low: Double
  /// Upper end of the 95 % interval.
  public var high: Double
  /// Mean over mismatched pairings; NaN where no null was drawn.
  public var nullMean: Double
  /// Standard deviation over mismatched pairings; NaN where no null was drawn.
  public var nullDeviation: Double
  /// One-sided p-value of this figure alone, at least 1/(pairings + 1); NaN where no null was drawn.
  public var p: Double
  /// p-value of this figure against the largest over the whole map (max-statistic); NaN as above.
  public var mapP: Double
  /// The largest value that this figure could have shown, whatever the truth.
  public var ceiling: Double
  /// Held-out rows that the figure was evaluated on.
  public var rows: Int
  /// What limits the reading.
  public var flags: [Flag]

  /// Creates a figure from its parts.
  public init(
    measure: Measure, value: Double, standardError: Double, low: Double, high: Double,
    nullMean: Double, nullDeviation: Double, p: Double, mapP: Double, ceiling: Double, rows: Int,
    flags: [Flag] = []
  ) {
    self.measure = measure
    self.value = value
    self.standardError = standardError
    self.low = low
    self.high = high
    self.nullMean = nullMean
    self.nullDeviation = nullDeviation
    self.p = p
    self.mapP = mapP
    self.ceiling = ceiling
    self.rows = rows
    self.flags = flags
  }

  /// A limit on what a figure says. Raw values are bit positions in analysis files.
  public enum Flag: Int, Codable, Sendable, CaseIterable {
    /// Above 80 % of its ceiling: read it as "at least", not as a number.
    case saturated = 0
    /// Not distinguishable from mismatched pairs at 5 % over the map.
    case nullNotBeaten = 1
    /// Fewer held-out rows than the figure needs to be tight.
    case fewRows = 2
    /// A few large gradients set the scale, so that most tokens look alike: the figure understates.
    case heavyTails = 3

    /// The name used in JSON and CSV.
    public var name: String {
      switch self {
      case .saturated: "saturated"
      case .nullNotBeaten: "null_not_beaten"
      case .fewRows: "few_rows"
      case .heavyTails: "heavy_tails"
      }
    }
  }
}
