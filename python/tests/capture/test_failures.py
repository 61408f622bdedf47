"""Recorders that are slow, stuck, killed, full or gone: training goes on."""

import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import warnings

import numpy as np
import ptoken
import pytest
from ptoken import RecordingError, RecordingWarning
from ptoken.capture.wire import head
from recording import environment, program

ROWS = np.ones((100, 1000), "f4")


def gradients(x, y):
    return {"a": x}


class FakeRecorder:
    """A recorder that welcomes and then does what a test tells it."""

    def __init__(self, **welcome):
        self.ours, theirs = socket.socketpair()
        self.target = f"fd:{theirs.detach()}"
        body = {
            "protocol": "1.0",
            "run_id": "0b8f4f0e-3f43-4d6b-9c2a-5a2f7f0f1e11",
            "key": "00" * 32,
        }
        self.say(
            "welcome", max_frame=1 << 30, on_full="drop", block_seconds=1, **{**body, **welcome}
        )

    def say(self, kind, /, **body):
        self.ours.sendall(head(kind, body))

    def read(self):
        """The next frame: message, body, bytes of data."""
        (length,) = struct.unpack("<Q", self._take(8))
        frame = self._take(length)
        (size,) = struct.unpack_from("<Q", frame)
        metadata = json.loads(frame[8 : 8 + size])["__metadata__"]
        return metadata["message"], json.loads(metadata["body"]), length - 8 - size

    def _take(self, count):
        found = b""
        while len(found) < count:
            piece = self.ours.recv(min(count - len(found), 1 << 20))
            if not piece:
                raise EOFError
            found += piece
        return found


def step(recorder, count=1):
    for _ in range(count):
        with recorder.step(inputs=ROWS):
            pass


def recorder_of(fake, **options):
    settings = {"every": 1, "sketch": None, "collect": ["gradients"], **options}
    return ptoken.Recorder(fake.target, gradients=gradients, **settings)


def test_a_stuck_recorder_costs_steps():
    fake = FakeRecorder()
    recorder = recorder_of(fake, queue="1MB")
    with pytest.warns(RecordingWarning, match="a step was dropped: 1 MB were waiting") as said:
        step(recorder, 50)
        recorder.close(timeout=0.2)
    assert [str(w.message) for w in said if "dropped" in str(w.message)] != []
    assert recorder.dropped > 40
    assert recorder._recording.connection._waiting <= 1_000_000


def test_blocking_waits_and_then_drops():
    fake = FakeRecorder()
    recorder = recorder_of(fake, queue="1MB", on_full="block", block_seconds=0.3)
    step(recorder, 3)
    start = time.monotonic()
    with pytest.warns(RecordingWarning):
        step(recorder)
        step(recorder)
        assert recorder.dropped >= 1 and time.monotonic() - start >= 0.3
        assert recorder.blocked >= 0.3
        recorder.close(timeout=0.2)


def test_blocking_loses_nothing_where_the_recorder_is_only_slow():
    fake = FakeRecorder()
    seen = []

    def serve():
        with fake.ours:
            while True:
                message, body, size = fake.read()
                seen.append((message, body, size))
                time.sleep(0.02)
                if message == "bye":
                    fake.say("closed", file="x", status="complete", steps=20, bytes=1)
                    return

    thread = threading.Thread(target=serve)
    thread.start()
    recorder = recorder_of(fake, queue="1MB", on_full="block", block_seconds=20)
    step(recorder, 20)
    recorder.close()
    thread.join()
    assert recorder.dropped == 0
    assert [body["number"] for message, body, _ in seen if message == "step"] == list(range(20))
    assert all(size == 100 * 16 + 400_000 for message, _, size in seen if message == "step")
    assert seen[-1][0] == "bye" and seen[-1][1]["passed"] == 20


def test_a_refusal_is_said_once_and_training_goes_on():
    fake = FakeRecorder()
    recorder = recorder_of(fake)

    def serve():
        # After the first step, not the hello: the step must be on its way for the counts to be known.
        fake.read(), fake.read()
        fake.say(
            "refused",
            code="noSpace",
            message="run.h5: the device is full. Free some space.",
            offset=None,
        )
        fake.ours.close()

    thread = threading.Thread(target=serve)
    thread.start()
    with pytest.warns(RecordingWarning) as said:
        step(recorder)
        thread.join()
        recorder._recording.connection._ended.wait(5)
        step(recorder, 5)
        recorder.close()
    assert [str(w.message) for w in said] == [
        "ptoken: recording stopped: run.h5: the device is full. Free some space; training goes on unrecorded."
    ]
    assert recorder.dropped == 5 and recorder.passed == 6


def test_a_stop_ends_recording_and_the_rest_is_counted():
    fake = FakeRecorder()
    byes = []

    def serve():
        fake.read(), fake.read()
        fake.say("stop", reason="budget", message="the recording has reached its budget of 5 bytes")
        while (frame := fake.read())[0] != "bye":
            pass
        byes.append(frame[1])
        fake.say("closed", file="x", status="interrupted", steps=1, bytes=1)

    thread = threading.Thread(target=serve)
    thread.start()
    recorder = recorder_of(fake)
    with pytest.warns(
        RecordingWarning, match="reached its budget of 5 bytes; training goes on unrecorded"
    ):
        step(recorder)
        while recorder._recording.connection.is_active:
            time.sleep(0.01)
        step(recorder, 4)
        recorder.close()
    thread.join()
    assert byes[0]["dropped"] == 4 and byes[0]["passed"] == 5


@pytest.mark.parametrize(
    "bytes_", [b"HTTP/1.1 400 Bad Request\r\n\r\n", head("welcome", {"protocol": "2.0"}), b""]
)
def test_what_is_no_recorder_is_refused(bytes_):
    ours, theirs = socket.socketpair()
    ours.sendall(bytes_)
    ours.shutdown(socket.SHUT_WR)
    with pytest.raises(RecordingError, match=r"expected a recorder|ended before"):
        ptoken.Recorder(f"fd:{theirs.detach()}", gradients=gradients)


def test_warnings_that_are_errors_do_not_end_training(capsys):
    fake = FakeRecorder()
    recorder = recorder_of(fake)
    fake.ours.close()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        step(recorder, 2)
        recorder._recording.connection._ended.wait(5)
        step(recorder, 2)
        recorder.close()
    assert "recording stopped: the recorder is gone" in capsys.readouterr().err


SCRIPT = """
import os, signal, sys, time, warnings
import numpy as np, ptoken
x = np.random.default_rng(0).normal(size=(64, 2000)).astype("f4")
recorder = ptoken.Recorder("run.h5", gradients=lambda a, b: {"w": a}, every=1, sketch=None, collect=["gradients"])
for index in range(int(os.environ.get("STEPS", "20"))):
    with recorder.step(inputs=x) as step:
        step.loss = 1.0
    exec(os.environ.get("EACH", ""))
print("trained", recorder.passed)
exec(os.environ.get("LAST", ""))
"""


def under(folder, options=(), **changes):
    return subprocess.run(
        [program("ptoken-record"), "run.h5", *options, "--", sys.executable, "-c", SCRIPT],
        cwd=folder, env=environment(**changes), capture_output=True, text=True, timeout=120,
    )  # fmt: skip


def alone(folder, **changes):
    return subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=folder,
        env=environment(**changes),
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize("run", [under, alone])
def test_how_training_ends_is_how_the_file_is_closed(tmp_path, run):
    for name, changes, status, code in (
        ("exit", {}, "complete", 0),
        ("raise", {"LAST": "raise ValueError('x')"}, "crashed", 1),
        ("interrupt", {"LAST": "raise KeyboardInterrupt"}, "interrupted", 130),
        ("kill", {"LAST": "time.sleep(0.5); os.kill(os.getpid(), signal.SIGKILL)"}, "crashed", 137),
        ("status", {"LAST": "sys.exit(7)"}, "complete", 7),
    ):
        folder = tmp_path / name
        folder.mkdir()
        outcome = run(folder, **changes)
        assert outcome.returncode in (code, code - 128 - 2 * (code - 128)), (name, outcome.stderr)
        for _ in range(100):
            if (folder / "run.h5").exists():
                break
            time.sleep(0.05)
        with ptoken.open(folder / "run.h5") as snap:
            assert (snap.status, len(snap.steps)) == (status, 20), name
        assert [path.name for path in folder.iterdir()] == ["run.h5"]


def test_a_recorder_that_is_killed_leaves_training_and_every_committed_step(tmp_path):
    each = "if index == 9: time.sleep(0.5); os.kill(recorder._recording.process.pid, signal.SIGKILL); time.sleep(0.3)"
    outcome = alone(tmp_path, EACH=each)
    assert outcome.returncode == 0 and "trained 20" in outcome.stdout
    assert (
        outcome.stderr.count("RecordingWarning") == 1 and "the recorder is gone" in outcome.stderr
    )
    subprocess.run(
        [program("ptoken-inspect"), "recover", "run.h5"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    with ptoken.open(tmp_path / "run.h5") as snap:
        assert snap.status == "crashed" and len(snap.steps) >= 10


def test_a_recorder_around_training_that_is_killed_leaves_it_running(tmp_path):
    each = "if index == 9: os.kill(os.getppid(), signal.SIGKILL); time.sleep(0.3)"
    outcome = under(tmp_path, EACH=each, LAST="open('done', 'w').write(str(recorder.passed))")
    assert outcome.returncode == -signal.SIGKILL
    for _ in range(100):
        if (tmp_path / "done").exists():
            break
        time.sleep(0.05)
    time.sleep(0.1)
    assert (tmp_path / "done").read_text() == "20"


def test_a_full_disk_leaves_training_its_exit_status_and_the_file_says_so(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", disk], capture_output=True, text=True
    )
    if mounted.returncode != 0:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr}")
    try:
        require_full_disk_is_survived(disk)
    finally:
        subprocess.run(["umount", disk], check=True)


def require_full_disk_is_survived(disk):
    changes = {"STEPS": "300", "EACH": "time.sleep(0.002)"}
    outcome = under(disk, ["--compression", "none"], **changes)
    assert outcome.returncode == 0 and "trained 300" in outcome.stdout, outcome.stderr
    assert outcome.stderr.count("RecordingWarning") == 1
    assert "quota is full" in outcome.stderr
    with ptoken.open(disk / "run.h5") as snap:
        assert snap.status == "interrupted" and 0 < len(snap.steps) < 300
    info = subprocess.run(
        [program("ptoken-inspect"), "info", "run.h5", "--json"],
        cwd=disk,
        capture_output=True,
        check=True,
    )
    [capture] = json.loads(info.stdout)["captures"]
    assert capture["ended"] == "failed" and "quota is full" in capture["problems"][-1]


def test_a_budget_stops_the_recording_and_training_goes_on(tmp_path):
    outcome = under(
        tmp_path, ["--budget", "3MB", "--compression", "none"], STEPS="40", EACH="time.sleep(0.01)"
    )
    assert outcome.returncode == 0 and "trained 40" in outcome.stdout
    assert "reached its budget of 3000000 bytes" in outcome.stderr
    size = os.path.getsize(tmp_path / "run.h5")
    assert size < 3_600_000
    with ptoken.open(tmp_path / "run.h5") as snap:
        assert snap.status == "interrupted" and 0 < len(snap.steps) < 10


def test_settings_of_the_command_line_go_before_those_of_the_script(tmp_path):
    outcome = under(tmp_path, ["--every", "5"])
    assert outcome.returncode == 0
    with ptoken.open(tmp_path / "run.h5") as snap:
        assert list(snap.steps["index"]) == [0, 5, 10, 15]
    outcome = under(tmp_path, ["--dry-run", "--force"])
    assert outcome.returncode == 0 and "nothing is recorded" in outcome.stderr


def test_nothing_recorded_is_said_loudly(tmp_path):
    outcome = under(tmp_path, PTOKEN_START="1000")
    assert outcome.returncode == 0
    assert (
        "nothing was recorded: training made 20 steps, and the schedule is every 1 from 1000"
        in outcome.stderr
    )
    assert not (tmp_path / "run.h5").exists()


def test_a_file_that_cannot_be_finished_is_not_spoken_of_as_one(tmp_path):
    # A limit on the size of files leaves no room to finish in: all committed steps are in the journal.
    command = [
        program("ptoken-record"),
        "run.h5",
        "--compression",
        "none",
        "--",
        sys.executable,
        "-c",
        SCRIPT,
    ]
    outcome = subprocess.run(
        ["bash", "-c", 'ulimit -f 42000; exec "$@"', "bash", *command],
        cwd=tmp_path, env=environment(STEPS="200", EACH="time.sleep(0.002)"),
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert outcome.returncode == 0 and "trained 200" in outcome.stdout, outcome.stderr
    assert " 0 B" not in outcome.stderr
    if not (tmp_path / "run.h5").exists():
        assert "ptoken-inspect recover run.h5" in outcome.stderr
        assert "Next: ptoken-analyze" not in outcome.stderr
        subprocess.run(
            [program("ptoken-inspect"), "recover", "run.h5"],
            cwd=tmp_path,
            check=True,
            capture_output=True,
        )
    with ptoken.open(tmp_path / "run.h5") as snap:
        assert 0 < len(snap.steps) < 200
