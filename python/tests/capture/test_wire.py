"""Frames, as a strict reader of the specification takes them."""

import struct
import time

import numpy as np
import ptoken
import pytest
from fake_recorder import KEY, FakeRecorder, frame
from ptoken import RecordingError, RecordingWarning
from ptoken.capture import session as session_module
from ptoken.capture.identity import content
from ptoken.capture.wire import Incoming, head


def data(index, rows=6):
    random = np.random.default_rng(index)
    return random.normal(size=(rows, 2, 3)).astype("f4"), random.integers(0, 4, rows)


def gradients(x, y):
    flat = x.reshape(len(x), -1)
    return {"a": flat * 2, "b": (flat[:, :2], np.asarray(y)[:, None].astype("f4"))}, flat[:, 0]


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_every_frame_is_as_the_specification_says(dtype):
    fake = FakeRecorder()
    recorder = ptoken.Recorder(
        fake.target, gradients=gradients, probe=data(9), probe_every=2, every=1, dtype=dtype,
        reductions=["norm", "cosine"], sketch=4, training={"batch_size": np.int64(6)},
    )  # fmt: skip
    for index in range(4):
        x, y = data(index)
        with recorder.step(
            inputs=x,
            labels=y,
            epoch=np.float32(0.5),
            accumulation=np.int64(2),
            learning_rate=np.nan,
        ) as step:
            step.loss = float("nan") if index == 1 else index
            step.features({"embedding": x[:, 0]})
            step.scalars({"margin": x[:, 1, 1]})
            step.batch_gradients({"a": x.mean(0)})
    with pytest.warns(RecordingWarning) if recorder.dropped else _nothing():
        recorder.close()
    fake.finish()
    traced = [body for body, _ in fake.steps if body["mode"] == "trace"]
    assert [body["index"] for body in traced] == [0, 1, 2, 3]
    assert [body.get("loss") for body in traced] == [0, None, 2, 3]
    assert all(body["accumulation"] == 2 and "learning_rate" not in body for body in traced)
    assert [body["index"] for body, _ in fake.steps if body["mode"] == "probe"] == [0, 2]
    assert fake.hello["training"] == {"batch_size": 6}
    last = len(fake.steps) - 1
    np.testing.assert_array_equal(fake.tensor(last, "trace", "label")[:, 0], data(3)[1])
    np.testing.assert_allclose(
        fake.tensor(last, "trace", "margin")[:, 0], data(3)[0][:, 1, 1], rtol=1e-6
    )


def _nothing():
    import contextlib

    return contextlib.nullcontext()


def test_a_slow_reader_gets_every_byte():
    fake = FakeRecorder(delay=0.05)
    recorder = ptoken.Recorder(fake.target, every=1, sketch=None, collect=["gradients"])
    large = np.random.default_rng(0).normal(size=(50, 40_000)).astype("f4")
    for index in range(5):
        with recorder.step() as step:
            step.gradients({"w": large + index})
    recorder.close()
    fake.finish()
    assert recorder.dropped == 0 and len(fake.steps) == 5
    for index in range(5):
        np.testing.assert_array_equal(fake.tensor(index, "trace", "w"), large + index)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("rows", [None, 4])
def test_what_training_does_with_its_arrays_afterwards_changes_nothing(dtype, rows):
    fake = FakeRecorder(delay=0.1)
    recorder = ptoken.Recorder(fake.target, every=1, max_rows=rows)
    x, y = np.zeros((6, 3), dtype), np.zeros(6, int)
    for index in range(3):
        x[...], gradient = index, np.full((6, 4), index, "f4")
        y[...] = index
        with recorder.step(inputs=x, labels=y) as step:
            step.gradients({"w": gradient})
        x[...] = gradient[...] = y[...] = -1
    recorder.close()
    fake.finish()
    for index in range(3):
        [id_] = content(KEY, [np.full((1, 3), index, dtype), np.full(1, index)])
        assert (fake.tensor(index, "trace", "record") == id_).all()
        assert (fake.tensor(index, "trace", "label") == index).all()
        assert (fake.tensor(index, "trace", "input") == index).all()
        assert (fake.tensor(index, "trace", "w") == index).all()


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"refuse_at": 2}, "recording stopped: run.h5: disk full; training goes on unrecorded"),
        ({"stop_at": 2}, "run.h5: the budget is used up; training goes on unrecorded"),
        ({"die_at": 2}, "recording stopped: the recorder is gone"),
    ],
)
def test_a_recorder_that_ends_is_said_once_and_the_steps_are_counted(how, words):
    fake = FakeRecorder(**how)
    recorder = ptoken.Recorder(fake.target, gradients=gradients, every=1)
    x, y = data(0)
    with pytest.warns(RecordingWarning) as said:
        for index in range(40):
            with recorder.step(inputs=x, labels=y):
                pass
            if index >= 2:
                time.sleep(0.005)
        recorder.close()
    fake.finish()
    assert len(said) == 1 and words in str(said[0].message)
    assert recorder.passed == 40 and recorder.dropped > 20 and not recorder.is_recording
    if fake.bye is not None:
        assert fake.bye["dropped"] == recorder.dropped
        assert words in fake.bye["problems"][0]


def test_a_probe_does_not_wait_for_a_stuck_recorder_again_and_again(monkeypatch):
    monkeypatch.setattr(session_module, "PROBE_PATIENCE", 0.4)
    fake = FakeRecorder(stuck=True)
    x = np.ones((100, 1000), "f4")
    recorder = ptoken.Recorder(
        fake.target, gradients=lambda x, y: {"w": x}, probe=(x, None, range(100)), probe_every=1,
        trace="none", sketch=None, collect=["gradients"], queue="1MB",
    )  # fmt: skip
    with pytest.warns(RecordingWarning):
        for _ in range(20):
            with recorder.step():
                pass
        recorder.close(timeout=0.1)
    assert recorder.dropped >= 16
    assert 0.4 <= recorder.blocked < 1.6  # one wait, not sixteen


def test_a_file_that_is_not_as_it_was_asked_for_is_said():
    fake = FakeRecorder()
    original = fake.say
    fake.say = lambda kind, **body: original(
        kind, **({**body, "status": "interrupted"} if kind == "closed" else body)
    )
    recorder = ptoken.Recorder(fake.target, gradients=gradients, every=1)
    with recorder.step(inputs=data(0)[0], labels=data(0)[1]):
        pass
    with pytest.warns(
        RecordingWarning, match=r"run\.h5: expected a file that is complete, found interrupted"
    ):
        recorder.close()


@pytest.mark.parametrize(
    "change", [{"key": None}, {"key": "00"}, {"run_id": None}, {"block_seconds": "long"}]
)
def test_a_welcome_that_is_none_is_refused_at_construction(change):
    fake = FakeRecorder(**change)
    with pytest.raises(RecordingError, match="expected a recorder"):
        ptoken.Recorder(fake.target, gradients=gradients)


@pytest.mark.parametrize(
    "bytes_",
    [
        struct.pack("<QQ", 1 << 21, 8),  # longer than any message of a recorder
        struct.pack("<QQ", 24, 8) + b'{"a": 1}' + b"x" * 8,  # data after the header
        struct.pack("<QQ", 8, 9) + b"123456789",  # a header longer than its frame
        struct.pack("<QQ", 16, 8) + b'{"a": 1}',
        struct.pack("<QQ", 10, 2) + b"[]",
        struct.pack("<QQ", 10, 2) + b"\xff\xfe",
        struct.pack("<QQ", 8 + 100_000, 100_000) + b"[" * 100_000,
        frame("ready", [1]),
        frame(1, {}),
    ],
)
def test_what_is_no_message_is_refused(bytes_):
    incoming = Incoming()
    incoming.add(bytes_)
    with pytest.raises(ValueError):
        incoming.next()


def test_messages_come_in_any_pieces():
    whole = head("ready", {"file": "a"}) + head("committed", {"steps": 3})
    incoming, found = Incoming(), []
    for byte in whole:
        incoming.add(bytes([byte]))
        while (message := incoming.next()) is not None:
            found.append(message)
    assert found == [("ready", {"file": "a"}), ("committed", {"steps": 3})]


def test_the_key_of_the_welcome_is_that_of_the_ids():
    import hashlib
    import hmac

    fake = FakeRecorder()
    recorder = ptoken.Recorder(fake.target, gradients=gradients, every=1)
    x, y = data(0)
    with recorder.step(inputs=x, labels=y, record_ids=np.arange(17, 23)):
        pass
    recorder.close()
    fake.finish()
    ids = fake.tensor(0, "trace", "record")
    assert bytes(ids[0]) == hmac.new(KEY, b"17", hashlib.sha256).digest()[:16]
