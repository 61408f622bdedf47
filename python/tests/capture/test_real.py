"""With the real program: what only it can show."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import warnings

import numpy as np
import ptoken
import pytest
from ptoken import RecordingError
from ptoken.capture import connection, identity
from recording import environment, program

X = np.random.default_rng(0).normal(size=(8, 4)).astype("f4")
Y = np.arange(8) % 3


def gradients(x, y):
    return {"a": x * 2}, x[:, 0]


def steps(recorder, count=3, **rest):
    for _ in range(count):
        with recorder.step(inputs=X, labels=Y, **rest):
            pass


def require_whole(file, count=3, status="complete"):
    with ptoken.open(file) as snap:
        assert (snap.status, len(snap.steps)) == (status, count)
        table = snap.tables["trace"]
        for step in snap.steps["index"]:
            np.testing.assert_array_equal(table.gradients["a"].at(int(step)), X * 2)
            np.testing.assert_array_equal(table.features["input"].at(int(step)), X)
            np.testing.assert_array_equal(table.labels["label"].at(int(step))[:, 0], Y)
            np.testing.assert_array_equal(table.scalars["loss"].at(int(step))[:, 0], X[:, 0])
        return bytes(table.observations["record"][0])


SCRIPT = """
import sys, time
import numpy as np, ptoken
X = np.random.default_rng(0).normal(size=(8, 4)).astype("f4"); Y = np.arange(8) % 3
def main():
    recorder = ptoken.Recorder("run.h5", gradients=lambda x, y: ({"a": x * 2}, x[:, 0]), every=1)
    time.sleep(float(sys.argv[1]))
    for _ in range(3):
        with recorder.step(inputs=X, labels=Y):
            pass
main()
"""


def run(folder, wait, around):
    command = [sys.executable, "-W", "error", "-c", SCRIPT, str(wait)]
    before = [program("ptoken-record"), "run.h5", "--"] if around else []
    return subprocess.run(
        before + command, cwd=folder, env=environment(), capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize("around", [False, True])
def test_a_recorder_that_goes_out_of_scope_unclosed_loses_nothing(tmp_path, around):
    outcome = run(tmp_path, 0, around)
    assert outcome.returncode == 0 and "Warning" not in outcome.stderr, outcome.stderr
    require_whole(tmp_path / "run.h5")


def test_training_that_needs_longer_than_a_recorder_waits_for_a_hello_is_recorded(tmp_path):
    # 11 s, as a recorder hangs up after 10 (W-06). Both ways at a time.
    folders = [tmp_path / "alone", tmp_path / "around"]
    started = []
    for folder in folders:
        folder.mkdir()
        before = [program("ptoken-record"), "run.h5", "--"] if folder.name == "around" else []
        started.append(
            subprocess.Popen(
                [*before, sys.executable, "-c", SCRIPT, "11"],
                cwd=folder,
                env=environment(),
                stderr=subprocess.PIPE,
                text=True,
            )
        )
    for folder, process in zip(folders, started, strict=True):
        _, said = process.communicate(timeout=60)
        assert process.returncode == 0 and "refused" not in said and "Warning" not in said, said
        require_whole(folder / "run.h5")


def test_run_and_key_stay_those_of_the_first_welcome(tmp_path, monkeypatch):
    monkeypatch.setattr(connection, "MOST_SILENT", -1.0)
    recorder = ptoken.Recorder(tmp_path / "run.h5", gradients=gradients, probe=(X, Y), every=1)
    first, run_id, key = recorder._recording.process.pid, recorder._run.id, recorder._key
    recorder.probe()
    steps(recorder)
    recorder.close()
    assert recorder._recording.process.pid != first
    with ptoken.open(tmp_path / "run.h5") as snap:
        assert snap.run_id == run_id and snap.status == "complete"
        id_ = bytes(snap.tables["trace"].observations["record"][0])
        assert id_ == bytes(snap.tables["probe"].observations["record"][0])
    assert id_ == bytes(identity.content(key, [X, Y])[0])


def test_a_file_that_came_meanwhile_is_not_touched_and_said(tmp_path, monkeypatch):
    monkeypatch.setattr(connection, "MOST_SILENT", -1.0)
    recorder = ptoken.Recorder(tmp_path / "run.h5", gradients=gradients, every=1)
    (tmp_path / "run.h5").write_text("precious")
    with pytest.warns(
        ptoken.RecordingWarning, match=r"recording stopped: .*run\.h5: already exists"
    ):
        steps(recorder)
        recorder.close()
    assert (tmp_path / "run.h5").read_text() == "precious"


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("exit 3", r"ended before it said anything \(.*ended with status 3\)"),
        ("echo 'error: no licence' >&2; exit 9", r"no licence \(.*ended with status 9\)"),
    ],
)
def test_a_program_that_is_no_recorder_is_said_with_its_status(
    tmp_path, monkeypatch, script, words
):
    false = tmp_path / "ptoken-record"
    false.write_text(f"#!/bin/sh\n{script}\n")
    false.chmod(0o755)
    monkeypatch.setenv("PTOKEN_RECORD", str(false))
    with pytest.raises(RecordingError, match=words):
        ptoken.Recorder(tmp_path / "run.h5")


def test_a_program_that_says_nothing_is_ended(tmp_path, monkeypatch):
    false = tmp_path / "ptoken-record"
    false.write_text("#!/bin/sh\nexec sleep 60\n")
    false.chmod(0o755)
    monkeypatch.setenv("PTOKEN_RECORD", str(false))
    original = connection.Connection._await_welcome
    monkeypatch.setattr(
        connection.Connection, "_await_welcome", lambda self, seconds: original(self, 0.3)
    )
    with pytest.raises(RecordingError, match=r"welcome within 0\.3 s, found none .*was ended"):
        ptoken.Recorder(tmp_path / "run.h5")


@contextlib.contextmanager
def held_elsewhere(*locks):
    """Locks that another thread holds, as the sender's may at the moment of a fork."""
    taken, done = threading.Event(), threading.Event()

    def hold():
        with contextlib.ExitStack() as stack:
            for lock in locks:
                stack.enter_context(lock)
            taken.set()
            done.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    taken.wait()
    yield
    done.set()
    thread.join()


def test_a_fork_inside_a_step_neither_hangs_nor_sends(tmp_path):
    recorder = ptoken.Recorder(tmp_path / "run.h5", gradients=gradients, every=1)
    steps(recorder, 2)
    inner = recorder._recording.connection
    with recorder.step(inputs=X, labels=Y) as step:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            with held_elsewhere(inner._condition, inner.pool._lock, recorder._warn._lock):
                child = os.fork()
                if child == 0:
                    # Whatever the child does with the step, and with further ones, must not wait for those locks.
                    signal.alarm(10)
                    step.__exit__(None, None, None)
                    with recorder.step(inputs=X, labels=Y) as another:
                        is_recorded = another.recording
                    recorder.probe(X, Y)
                    recorder.close()
                    os._exit(int(is_recorded))
    assert os.waitpid(child, 0)[1] == 0
    steps(recorder, 1)
    recorder.close()
    require_whole(tmp_path / "run.h5", 4)


def test_a_thousand_small_steps_all_arrive(tmp_path):
    recorder = ptoken.Recorder(
        tmp_path / "run.h5", gradients=gradients, every=1, on_full="block", block_seconds=30
    )
    steps(recorder, 1000, record_ids=range(8))
    recorder.close()
    assert recorder.dropped == 0
    with ptoken.open(tmp_path / "run.h5") as snap:
        assert list(snap.steps["index"]) == list(range(1000))
