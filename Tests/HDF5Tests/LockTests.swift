import Foundation
import HDF5
import TestSupport
import Testing

@Suite("File locks")
struct LockTests {
  @Test("a process started while a file is written does not keep it locked")
  func child() throws {
    try withTemporaryFolder { folder in
      let file = try File.create(at: folder.file("a.h5"))
      try file.write("x", [1.0, 2.0])
      // A child inherits every descriptor that is not closed on exec, as libhdf5's are not.
      var process = pid_t()
      let arguments: [UnsafeMutablePointer<CChar>?] = [strdup("sleep"), strdup("20"), nil]
      defer { for argument in arguments { free(argument) } }
      try #require(posix_spawnp(&process, "sleep", nil, nil, arguments, environ) == 0)
      defer {
        kill(process, SIGKILL)
        waitpid(process, nil, 0)
      }
      try file.close()
      let again = try File.open(at: folder.file("a.h5"))
      #expect(try again.dataset("x").readAll(Double.self) == [1, 2])
    }
  }
}
