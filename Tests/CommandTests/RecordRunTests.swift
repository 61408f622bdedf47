import Foundation
import TestSupport
import Testing

/// The training process in C, built once.
enum CClient {
  static let path: Result<String, any Error> = Result {
    let source = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "C/client.c")
    let folder = FileManager.default.temporaryDirectory.appending(path: "ptoken-client-\(getpid())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let program = folder.appending(path: "client").path(percentEncoded: false)
    let outcome = try withTemporaryFolder { streams in
      try Tool.finish(
        Tool.start(
          ["cc", "-Wall", "-Wextra", "-Werror", "-o", program, source.path(percentEncoded: false)],
          in: streams, streams: streams), streams: streams)
    }
    try #require(outcome.status == 0, "\(outcome.errors)")
    return program
  }
}

@Suite("ptoken-record around a training process")
struct RecordRunTests {
  /// Runs a line of bash in which `$PROGRAM` is ptoken-record and `$CLIENT` the training process in C.
  private static func run(_ script: String, in folder: TemporaryFolder) throws -> Tool.Outcome {
    try Tool.shell("ptoken-record", "CLIENT=\(CClient.path.get()); " + script, in: folder)
  }

  @Test("a client in C records over the socket; its output and exit status are passed through")
  func client() throws {
    try withTemporaryFolder { folder in
      let outcome = try Self.run("$PROGRAM run.h5 -- $CLIENT 5 4", in: folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(outcome.output.contains("closed"))
      #expect(
        outcome.errors.hasPrefix("run.h5: complete, 5 steps, ")
          && outcome.errors.hasSuffix("; training made 1000.\nNext: ptoken-analyze run.h5\n"))
      #expect(try folder.contents() == ["run.h5"])
      try expectSound("run.h5", "complete", in: folder)
      let info = try Tool.run("ptoken-inspect info run.h5 --json", in: folder).json()
      #expect(info["producer"] as? String == "ptoken-record 0.1.0, client in C")
      let captures = try #require(info["captures"] as? [[String: Any]])
      #expect(captures.map { $0["ended"] as? String } == ["bye"])
    }
  }

  @Test("a command's end is seen where the parent ignores the ends of its children")
  func ignoredChildren() throws {
    try withTemporaryFolder { folder in
      let outcome = try Self.run(
        "trap '' CHLD; exec $PROGRAM run.h5 -q -- bash -c 'exit 3'", in: folder)
      #expect(outcome.status == 3, "\(outcome.errors)")
    }
  }

  @Test("the socket is its user's alone, and nothing of it stays")
  func privacy() throws {
    try withTemporaryFolder { folder in
      let outcome = try Self.run(
        #"""
        $PROGRAM run.h5 -q -- bash -c 'path=${PTOKEN_ENDPOINT#unix:}; stat -c %a "$path" "$(dirname "$path")"; echo "$path"'
        """#, in: folder)
      let lines = outcome.output.split(separator: "\n")
      #expect(lines.prefix(2) == ["600", "700"])
      #expect(!FileManager.default.fileExists(atPath: String(lines.last ?? "/")))
      let parent = (String(lines.last ?? "/") as NSString).deletingLastPathComponent
      #expect(!FileManager.default.fileExists(atPath: parent))
    }
  }

  @Test(
    "the exit status is the command's, whatever became of the recording",
    arguments: [
      ("$CLIENT 2 3 7", 7, "run.h5: crashed, 2 steps"), ("false", 1, "nothing was recorded"),
      ("sh -c 'kill -9 $$'", 137, "nothing was recorded"),
      ("nosuchcommand", 127, "error: nosuchcommand: cannot run: no such file or directory."),
      ("/", 126, "error: /: cannot run: permission denied."),
    ])
  func status(command: String, status: Int32, words: String) throws {
    try withTemporaryFolder { folder in
      let outcome = try Self.run("$PROGRAM run.h5 -- \(command)", in: folder)
      #expect(outcome.status == status, "\(outcome.errors)")
      #expect(outcome.errors.contains(words), "\(outcome.errors)")
    }
  }

  @Test("a command that records nothing is told of loudly, with what to do")
  func nothing() throws {
    try withTemporaryFolder { folder in
      let outcome = try Self.run("$PROGRAM run.h5 -q -- true", in: folder)
      #expect(outcome.status == 0)
      #expect(
        outcome.errors.contains("error: run.h5: nothing was recorded: no recorder connected."))
      #expect(try folder.contents() == [])
    }
  }

  @Test("a name that is taken is refused before the command runs")
  func taken() throws {
    try withTemporaryFolder { folder in
      try folder.write("run.h5", Array("precious".utf8))
      let outcome = try Self.run("$PROGRAM run.h5 -- touch ran", in: folder)
      expectError(outcome, "run.h5: already exists", "--force")
      #expect(try folder.contents() == ["run.h5"])
    }
  }

  @Test(
    "a signal that is sent to the recorder reaches the command, once",
    arguments: ["TERM", "INT", "USR1"])
  func signals(name: String) throws {
    try withTemporaryFolder { folder in
      let outcome = try Self.run(
        """
        $PROGRAM run.h5 -q -- bash -c 'n=0; trap "n=\\$((n+1))" \(name); touch ready; for i in {1..200}; do [ $n = 0 ] || break; sleep 0.05; done; sleep 0.3; echo got $n; exit 5' &
        await ready
        kill -\(name) $!; wait $!
        """, in: folder)
      #expect(outcome.output == "got 1\n")
      #expect(outcome.status == 5)
    }
  }

  @Test("a client that another user's rules bind cannot use a socket in an open folder")
  func openFolder() throws {
    try withTemporaryFolder { folder in
      let outcome = try Tool.shell(
        "ptoken-record",
        "mkdir open; chmod 755 open; exec $PROGRAM listen run.h5 --socket open/socket",
        in: folder)
      expectError(outcome, "open/socket: expected a folder of your own that nobody else can enter")
    }
  }

  @Test("listen prints its endpoint, records one client, and ends")
  func listen() throws {
    try withTemporaryFolder { folder in
      let outcome = try Self.run(
        """
        mkdir -m 700 private
        $PROGRAM listen run.h5 --socket private/socket >said &
        await private/socket
        PTOKEN_ENDPOINT=unix:private/socket $CLIENT 4 2 >/dev/null; wait $!; status=$?
        cat said; exit $status
        """, in: folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(
        outcome.output.hasPrefix("PTOKEN_ENDPOINT=unix:private/socket\nrun.h5: complete, 4 steps, ")
      )
      try expectSound("run.h5", "complete", in: folder)
    }
  }

  @Test("listen keeps what has come when it is interrupted")
  func interrupted() throws {
    try withTemporaryFolder { folder in
      let outcome = try Self.run(
        """
        mkdir -m 700 private
        $PROGRAM listen run.h5 --socket private/socket -q & recorder=$!
        await private/socket
        PTOKEN_ENDPOINT=unix:private/socket $CLIENT 3 2 stay & client=$!
        await run.h5.journal
        sleep 0.3; kill -INT $recorder; wait $recorder; status=$?
        kill $client; exit $status
        """, in: folder)
      #expect(outcome.status == 130, "\(outcome.errors)")
      #expect(outcome.errors == "error: run.h5: interrupted; kept what had come.\n")
      try expectSound("run.h5", "interrupted", in: folder)
    }
  }

  @Test(
    "wrong usage is refused in one line",
    arguments: [
      ("run.h5", "expected a command after --"),
      ("run.h5 --budget lots -- true", "--budget: expected a size such as 500MB or 2GB"),
      ("run.h5 --on-full wait -- true", "--on-full: expected drop or block"),
      ("run.h5 --queue 1 -- true", "--queue: expected 1 MB to 64 GB"),
      ("run.h5 --every 0 -- true", "--every"),
      ("listen run.h5 --fd 99", "--fd: expected an open socket"),
      ("listen run.h5 --fd 0 --socket x", "expected one of --socket and --fd"),
      ("import x.npz", "-o"),
    ])
  func usage(line: String, words: String) throws {
    try withTemporaryFolder { folder in
      let outcome = try Self.run("$PROGRAM \(line)", in: folder)
      #expect(outcome.status == 64)
      #expect(outcome.errors.contains(words), "\(outcome.errors)")
      #expect(try folder.contents() == [])
    }
  }
}

@Suite("ptoken-record import")
struct RecordImportTests {
  /// Writes files with numpy, imports them, and returns how that ended.
  private static func imported(
    _ python: String, _ options: String, in folder: TemporaryFolder
  ) throws -> Tool.Outcome {
    try folder.write(
      "make.py", Array("import numpy as np\nr = np.random.default_rng(0)\n\(python)\n".utf8))
    return try Tool.shell(
      "ptoken-record", "$PTOKEN_PYTHON make.py && $PROGRAM import \(options)", in: folder)
  }

  private static let arrays = """
    for s in (5, 20, 100):
        a = dict(inputs=r.normal(size=(30, 1, 4, 4)).astype('f4'), labels=r.integers(0, 3, 30),
                 record_ids=np.arange(30), **{'fc1': r.normal(size=(30, 5, 4)), 'fc2.weight': r.normal(size=(30, 7)).astype('f2')})
        np.savez(f'stored_{s:04}.npz', **a); np.savez_compressed(f'deflated_{s:04}.npz', **a)
    """

  @Test("stored and deflated archives of numpy give the same snapshot")
  func archives() throws {
    try withTemporaryFolder { folder in
      let outcome = try Self.imported(
        Self.arrays,
        // The pause puts the two imports in different seconds, always.
        "stored_*.npz -o a.h5 --key-file key && sleep 1.1"
          + " && $PROGRAM import deflated_*.npz -o b.h5 --key-file key",
        in: folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(outcome.output.hasPrefix("a.h5: 3 steps imported, "))
      try expectSound("a.h5", "complete", in: folder)
      let difference = try Tool.run("ptoken-inspect diff a.h5 b.h5", in: folder)
      #expect(
        difference.output.split(separator: "\n").map { $0.prefix { $0 != ":" } }
          == ["@run_id", "@created", "sessions[0].started"], "\(difference.output)")
      let info = try Tool.run("ptoken-inspect info a.h5 --json", in: folder).json()
      #expect(info["first_step"] as? Int == 5 && info["last_step"] as? Int == 100)
    }
  }

  @Test(
    "arrays that do not fit are refused by file and name, and nothing is left",
    arguments: [
      (
        "np.savez('a_1.npz', x=np.zeros((3, 2)), y=np.zeros((4, 2)))",
        "a_1.npz:y: expected 3 rows as in x, found 4"
      ),
      (
        "np.savez('a_1.npz', x=np.array([{}], dtype=object))",
        "a_1.npz:x.npy: expected real numbers of at most 64 bits"
      ),
      ("np.savez('a_1.npz', x=np.asfortranarray(np.zeros((3, 2))))", "expected row-major order"),
      (
        "np.savez('a_1.npz', x=np.zeros((3, 2), 'i4'))",
        "a_1.npz:x: expected a gradient of floats, found I32"
      ),
      ("np.savez('a_1.npz', x=np.zeros(()))", "expected a first axis of examples"),
      (
        "np.savez('a_1.npz', x=np.zeros((3, 2))); np.savez('a_2.npz', x=np.zeros((3, 5)))",
        "a_2.npz:x: expected rows of [2] as in a_1.npz, found [5]"
      ),
      (
        "np.savez('a_1.npz', x=np.zeros((3, 2))); np.savez('b_a_1.npz', x=np.zeros((3, 2)))",
        "expected a step of its own"
      ),
      ("open('a_1.npz', 'wb').write(b'PK')", "a_1.npz: expected a zip archive of numpy arrays"),
      (
        "np.savez_compressed('a_1.npz', x=r.normal(size=(30, 20))); b = bytearray(open('a_1.npz', 'rb').read()); b[200] ^= 255; open('a_1.npz', 'wb').write(b)",
        "error: a_1.npz"
      ),
      ("np.savez('a_1.npz', x=np.full((3, 2), np.nan))", "expected finite numbers"),
      // No elements in all, and more in a row than an integer holds.
      (
        "import io, zipfile; f = io.BytesIO(); np.lib.format.write_array_header_1_0(f, dict(descr='<f4', fortran_order=False, shape=(0, 99999999999, 99999999999))); zipfile.ZipFile('a_1.npz', 'w').writestr('x.npy', f.getvalue())",
        "a_1.npz:x: expected elements, found none"
      ),
    ])
  func refused(python: String, words: String) throws {
    try withTemporaryFolder { folder in
      let outcome = try Self.imported(python, "*.npz -o run.h5", in: folder)
      #expect(outcome.status == 2, "\(outcome.errors)")
      #expect(outcome.errors.contains(words), "\(outcome.errors)")
      #expect(try !folder.contents().contains { $0.hasPrefix("run.h5") })
    }
  }
}
