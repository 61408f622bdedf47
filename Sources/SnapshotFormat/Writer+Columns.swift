internal import HDF5

extension Writer {
  /// Columns of one table.
  struct Table {
    var description: TableDescription
    var step: ColumnWriter<UInt32>
    var record: ColumnWriter<UInt8>
    var rank: ColumnWriter<UInt16>
    var streams: [Stream]

    var reserveBytes: Int {
      streams.reduce(step.reserveBytes + record.reserveBytes + rank.reserveBytes) {
        $0 + $1.reserveBytes
      }
    }

    func commit() {
      for stream in streams { stream.commit() }
      step.commit()
      record.commit()
      rank.commit()
    }

    func finish() throws(HDF5Error) {
      for stream in streams { try stream.finish() }
      try step.finish()
      try record.finish()
      try rank.finish()
    }
  }

  /// The column of a stream.
  enum Stream {
    case float(ColumnWriter<Float>)
    case label(ColumnWriter<Int32>)

    var reserveBytes: Int {
      switch self {
      case .float(let column): column.reserveBytes
      case .label(let column): column.reserveBytes
      }
    }

    func commit() {
      switch self {
      case .float(let column): column.commit()
      case .label(let column): column.commit()
      }
    }

    func finish() throws(HDF5Error) {
      switch self {
      case .float(let column): try column.finish()
      case .label(let column): try column.finish()
      }
    }
  }

  /// Columns of /steps.
  struct Steps {
    var index: ColumnWriter<Int64>
    var epoch: ColumnWriter<Double>
    var time: ColumnWriter<Double>
    var loss: ColumnWriter<Double>
    var learningRate: ColumnWriter<Double>
    var mode: ColumnWriter<UInt8>

    var reserveBytes: Int {
      index.reserveBytes + epoch.reserveBytes + time.reserveBytes + loss.reserveBytes
        + learningRate.reserveBytes + mode.reserveBytes
    }

    func append(_ step: StepDescription) throws(HDF5Error) {
      try index.append(CollectionOfOne(Int64(step.index)))
      try epoch.append(CollectionOfOne(step.epoch))
      try time.append(CollectionOfOne(step.time))
      try loss.append(CollectionOfOne(step.loss))
      try learningRate.append(CollectionOfOne(step.learningRate))
      try mode.append(CollectionOfOne(step.mode.rawValue))
    }

    func commit() {
      index.commit()
      epoch.commit()
      time.commit()
      loss.commit()
      learningRate.commit()
      mode.commit()
    }

    func finish() throws(HDF5Error) {
      try index.finish()
      try epoch.finish()
      try time.finish()
      try loss.finish()
      try learningRate.finish()
      try mode.finish()
    }
  }
}
