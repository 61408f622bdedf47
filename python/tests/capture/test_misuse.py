"""What a user gets wrong is said where it is said, in one line, with the remedy; and never ends training that runs."""

import pickle

import numpy as np
import ptoken
import pytest
from fake_recorder import FakeRecorder
from ptoken import RecordingError, RecordingWarning

X = np.random.default_rng(0).normal(size=(8, 4)).astype("f4")
Y = np.arange(8) % 3


def gradients(x, y):
    return {"a": x}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"gradients": {"a": X}}, r"gradients: expected a function of \(inputs, labels\), found dict"),
        ({"record_key": "secret"}, "record_key: expected bytes, .* found str"),
        ({"record_key": b""}, "record_key: expected bytes"),
        ({"training": {"batch_size": "32"}}, r"training: batch_size: expected an integer .*\[R-012\]"),
        ({"training": {"path": object()}}, "training: expected what JSON can say"),
        ({"training": {"learning_rate": float("nan")}}, "training: expected what JSON can say"),
        ({"training": "SGD"}, "training: expected a dict"),
        ({"training": {"dp_sgd": {"clip": 1.0}}}, "training: key noise_multiplier is missing"),
        ({"observer": {"aggregation": "mean"}}, r"observer: aggregation: expected none, batch.*\[R-016\]"),
        ({"model": {"name": 3}}, r"model: name: expected a string, found 3 \[R-011\]"),
    ],
)  # fmt: skip
def test_construction_refuses_what_the_recorder_would_refuse_later(options, words):
    fake = FakeRecorder()
    with pytest.raises(RecordingError, match=words):
        ptoken.Recorder(fake.target, **options)


def test_a_variable_that_is_nearly_a_setting_is_refused(monkeypatch):
    monkeypatch.setenv("PTOKEN_EVRY", "3")
    with pytest.raises(RecordingError, match=r"PTOKEN_EVRY: .*Did you mean PTOKEN_EVERY\?"):
        ptoken.CaptureConfig.load(None)
    monkeypatch.delenv("PTOKEN_EVRY")
    for other in ("PTOKEN_VENVS", "PTOKEN_PROGRAMS", "PTOKEN_QUIET", "PTOKEN_ENDPOINT"):
        monkeypatch.setenv(other, "x")
    assert ptoken.CaptureConfig.load(None).every == 10


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ({"label": Y}, r"found 'label'\. Did you mean labels\?"),
        ({"accumulation": 1.5}, "accumulation: expected an integer from 0"),
        ({"epoch": "two"}, "epoch: expected a number, found 'two'"),
        ({"dropout": "on"}, "dropout: expected unknown or inactive or active, found 'on'"),
        ({"labels": Y + 2**32}, "labels: expected class labels from 0 to 2147483647"),
    ],
)
def test_a_step_refuses_what_it_does_not_understand(call, words):
    fake = FakeRecorder()
    recorder = ptoken.Recorder(fake.target, gradients=gradients, every=1)
    with pytest.raises(RecordingError, match=words):
        with recorder.step(inputs=X, **call):
            pass
    with pytest.warns(RecordingWarning, match="nothing was recorded"):
        recorder.close()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (lambda x, y: [x], r"gradients: expected the function to give a dict .*, found list"),
        (lambda x, y: {"a": x * 1j}, "trace/a: expected real numbers, found complex64"),
        (lambda x, y: {"input": x}, "trace/input: expected one stream of this name, found 2"),
    ],
)
def test_gradients_that_are_none_are_refused(given, words):
    fake = FakeRecorder()
    recorder = ptoken.Recorder(fake.target, gradients=given, every=1)
    with pytest.raises(RecordingError, match=words):
        with recorder.step(inputs=X):
            pass
    with pytest.warns(RecordingWarning, match="nothing was recorded"):
        recorder.close()


def test_an_index_that_begins_anew_each_epoch_costs_those_steps_and_not_the_recording():
    fake = FakeRecorder()
    recorder = ptoken.Recorder(fake.target, gradients=gradients, every=1)
    with pytest.warns(RecordingWarning, match="index: expected at least 3, .* found 0") as said:
        for _ in range(2):
            for index in range(4):
                with recorder.step(inputs=X, index=index):
                    pass
        with recorder.step(inputs=X, index=8):
            pass
        recorder.close()
    fake.finish()
    assert len(said) == 1 and recorder.dropped == 3
    assert [body["index"] for body, _ in fake.steps] == [0, 1, 2, 3, 3, 8]


def test_a_function_that_fails_costs_its_steps_and_one_warning_with_type_message_and_place():
    fake = FakeRecorder()
    calls = []

    def failing(x, y):
        calls.append(1)
        if len(calls) in (2, 3):
            raise ZeroDivisionError("no rows")
        return {"a": x}

    recorder = ptoken.Recorder(fake.target, gradients=failing, every=1)
    with pytest.warns(
        RecordingWarning, match=r"ZeroDivisionError: no rows \(test_misuse.py:"
    ) as said:
        for _ in range(5):
            with recorder.step(inputs=X) as step:
                step.loss = 1.0
        recorder.close()
    fake.finish()
    assert len(said) == 1 and len(fake.steps) == 3 and recorder.dropped == 2
    assert "ZeroDivisionError: no rows" in fake.bye["problems"][0] and fake.bye["dropped"] == 2


def test_the_probe_set_is_known_by_its_numbers_and_another_is_refused():
    fake = FakeRecorder()
    recorder = ptoken.Recorder(fake.target, gradients=gradients, trace="none")
    recorder.probe(X[:4], Y[:4])
    recorder.probe(X[:4].copy(), Y[:4].copy())
    recorder.probe()
    for other in (
        (X[1:5], Y[:4]),
        (X[:4], Y[1:5]),
        (X[:4],),
        (X[:3], Y[:3]),
        (X[:4], Y[:4], range(4)),
    ):
        with pytest.raises(RecordingError, match="expected the set of the first probe"):
            recorder.probe(other)
    recorder.close()
    fake.finish()
    assert len(fake.steps) == 3


def test_a_table_that_comes_too_late_is_said_with_the_remedy():
    fake = FakeRecorder()
    recorder = ptoken.Recorder(fake.target, gradients=gradients, every=1)
    with recorder.step(inputs=X):
        pass
    with pytest.warns(
        RecordingWarning, match=r"table probe came after .* give Recorder\(probe=\.\.\.\)"
    ):
        recorder.probe(X)
        recorder.close()


def test_a_copy_in_another_process_takes_every_call_and_does_nothing():
    fake = FakeRecorder()
    recorder = ptoken.Recorder(fake.target, gradients=gradients, every=1)
    copy = pickle.loads(pickle.dumps(recorder))
    with copy, copy.step({"params": 1}, inputs=X, anything=2) as step:
        step.loss = 1.0
        for add in (
            step.gradients,
            step.batch_gradients,
            step.activations,
            step.features,
            step.scalars,
        ):
            add({"a": X})
        step.losses(X)
        assert not step.recording
    copy.probe(X, params=1)
    copy.close(status="complete")
    assert (copy.passed, copy.dropped, copy.blocked, copy.file) == (0, 0, 0.0, None)
    assert copy.estimate(100) == {"all": 0} and not copy.is_recording
    with pytest.warns(RecordingWarning, match="nothing was recorded"):
        recorder.close()


def test_the_estimate_is_that_of_the_rows_and_the_schedule():
    fake = FakeRecorder()
    recorder = ptoken.Recorder(
        fake.target, gradients=gradients, every=10, probe=(X, None), probe_every=100
    )
    with pytest.raises(RecordingError, match="estimate: expected a step that was due before"):
        recorder.estimate(1000)
    with recorder.step(inputs=X):
        pass
    row = 22 + 4 * (4 + 4)
    assert recorder.estimate(1000) == {
        "probe": 8 * row * 10, "trace": 8 * row * 100, "all": 8 * row * 110
    }  # fmt: skip
    recorder.close()
