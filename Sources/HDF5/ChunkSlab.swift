/// A slab of a dataset and the chunks that it overlaps, numbered in row-major order.
struct ChunkSlab: Sendable {
  let start: [Int]
  let count: [Int]
  let chunkShape: [Int]
  /// Number of chunks overlapped.
  let chunks: Int
  /// Numbers of chunks along each axis.
  private let grid: [Int]

  /// The slab of `count` elements, at least one, from `start`.
  init(_ start: [Int], _ count: [Int], _ chunkShape: [Int]) {
    self.start = start
    self.count = count
    self.chunkShape = chunkShape
    grid = start.indices.map {
      (start[$0] + count[$0] - 1) / chunkShape[$0] - start[$0] / chunkShape[$0] + 1
    }
    chunks = grid.reduce(1, *)
  }

  /// Element where a chunk begins.
  func origin(of chunk: Int) -> [Int] {
    var rest = chunk
    var origin = start
    for axis in origin.indices.reversed() {
      let (quotient, remainder) = rest.quotientAndRemainder(dividingBy: grid[axis])
      origin[axis] = (start[axis] / chunkShape[axis] + remainder) * chunkShape[axis]
      rest = quotient
    }
    return origin
  }

  /// Element of the slab where a chunk begins, if all of the chunk lies there in one piece.
  func wholePlace(of origin: [Int]) -> Int? {
    var place = 0
    var isSplit = false
    for axis in origin.indices {
      let offset = origin[axis] - start[axis]
      guard offset >= 0, offset + chunkShape[axis] <= count[axis] else { return nil }
      // After an axis with several entries every later one must be the slab's own.
      if isSplit, chunkShape[axis] != count[axis] { return nil }
      if chunkShape[axis] > 1 { isSplit = true }
      place = place * count[axis] + offset
    }
    return place
  }

  /// Copies what a decoded chunk and the slab have in common, in runs that are as long as both allow.
  func copy(
    _ chunk: UnsafeRawPointer, at origin: [Int], to slab: UnsafeMutableRawPointer, elementSize: Int
  ) {
    let low = zip(origin, start).map { max($0, $1) }
    let high = origin.indices.map { min(origin[$0] + chunkShape[$0], start[$0] + count[$0]) }
    var axis = origin.count - 1
    var run = high[axis] - low[axis]
    while axis > 0, high[axis] - low[axis] == chunkShape[axis], chunkShape[axis] == count[axis] {
      axis -= 1
      run *= high[axis] - low[axis]
    }
    let bytes = run * elementSize
    var position = low
    while true {
      var source = 0
      var target = 0
      for axis in origin.indices {
        source = source * chunkShape[axis] + position[axis] - origin[axis]
        target = target * count[axis] + position[axis] - start[axis]
      }
      (slab + target * elementSize).copyMemory(from: chunk + source * elementSize, byteCount: bytes)
      // The next run, last axis fastest.
      var next = axis - 1
      while next >= 0 {
        position[next] += 1
        if position[next] < high[next] { break }
        position[next] = low[next]
        next -= 1
      }
      if next < 0 { return }
    }
  }
}
