/// Names of the files that the ranks of a run are recorded to.
public enum RankFiles {
  /// `run.h5` for one rank; `run.rank0.h5`, `run.rank1.h5` and so on for several.
  public static func path(for path: String, rank: Int, of ranks: Int) -> String {
    guard ranks > 1 else { return path }
    return (path.hasSuffix(".h5") ? String(path.dropLast(3)) : path) + ".rank\(rank).h5"
  }
}
