"""The framework-free recorder, with the real program at the other end."""

import hashlib
import hmac
import os
import subprocess
import warnings

import numpy as np
import ptoken
import pytest
from ptoken import RecordingError, RecordingWarning
from ptoken.capture.frames import bfloat16
from ptoken.capture.identity import keyed


def data(index, rows=6):
    random = np.random.default_rng(index)
    return random.normal(size=(rows, 2, 3)).astype("f4"), random.integers(0, 4, rows)


def gradients(x, y):
    """A gradient for tests: two layers, the second of two parts."""
    flat = x.reshape(len(x), -1)
    return {"a": flat * 2, "b": (flat[:, :2], y[:, None].astype("f4"))}


def record(target, steps=4, **options):
    recorder = ptoken.Recorder(target, gradients=gradients, **{"every": 1, **options})
    for index in range(steps):
        x, y = data(index)
        with recorder.step(
            inputs=x, labels=y, record_ids=range(10 * index, 10 * index + len(x))
        ) as step:
            step.loss = index / 2
    recorder.close()
    return recorder


def test_what_is_recorded_is_read_back_bit_for_bit(tmp_path):
    key = bytes(range(32))
    record(tmp_path / "run.h5", record_key=key, training={"optimizer": "none"}, model="test")
    with ptoken.open(tmp_path / "run.h5") as snap:
        assert snap.status == "complete" and snap.model["name"] == "test"
        assert snap.training == {"optimizer": "none"}
        assert list(snap.steps["loss"]) == [0, 0.5, 1, 1.5]
        table = snap.tables["trace"]
        for index in range(4):
            x, y = data(index)
            np.testing.assert_array_equal(table.features["input"].at(index), x.reshape(6, -1))
            np.testing.assert_array_equal(table.labels["label"].at(index)[:, 0], y)
            np.testing.assert_array_equal(table.gradients["a"].at(index), x.reshape(6, -1) * 2)
            expected = np.concatenate([x.reshape(6, -1)[:, :2], y[:, None]], 1)
            np.testing.assert_array_equal(table.gradients["b"].at(index), expected)
        expected = hmac.new(key, b"31", hashlib.sha256).digest()[:16]
        assert bytes(table.observations["record"][19]) == expected


def test_ids_are_the_specifications():
    [found] = keyed(b"ptoken demo 1", [b"digits 1"])
    assert bytes(found).hex() == "434e4496ba6fc07848a2f176f00137df"


def test_records_without_ids_are_known_by_their_content(tmp_path):
    recorder = ptoken.Recorder(
        tmp_path / "run.h5", gradients=gradients, every=1, probe=data(0), probe_every=1
    )
    for index in (0, 0, 1):
        x, y = data(index)
        with recorder.step(inputs=x, labels=y):
            pass
    recorder.close()
    with ptoken.open(tmp_path / "run.h5") as snap:
        ids = snap.tables["trace"].observations["record"]
        np.testing.assert_array_equal(ids[:6], ids[6:12])
        assert (ids[:6] != ids[12:]).any(axis=1).all()
        np.testing.assert_array_equal(snap.tables["probe"].observations["record"][:6], ids[:6])


def test_half_precision_is_sent_and_single_kept(tmp_path):
    for dtype, rounded in (
        ("float16", lambda v: v.astype("f2").astype("f4")),
        ("bfloat16", lambda v: (bfloat16(v).astype("u4") << 16).view("f4")),
    ):
        record(tmp_path / f"{dtype}.h5", dtype=dtype)
        with ptoken.open(tmp_path / f"{dtype}.h5") as snap:
            found = snap.tables["trace"].gradients["a"].at(2)
            np.testing.assert_array_equal(found, rounded(data(2)[0].reshape(6, -1) * 2))
    # What half precision has no number for goes as it is.
    recorder = ptoken.Recorder(
        tmp_path / "large.h5",
        gradients=lambda x, y: {"a": x * 1e6},
        every=1,
        dtype="float16",
        collect=["gradients"],
    )
    x = np.array([[1.0, 3.0]], "f4")
    with recorder.step(inputs=x):
        pass
    recorder.close()
    with ptoken.open(tmp_path / "large.h5") as snap:
        np.testing.assert_array_equal(snap.tables["trace"].gradients["a"][:], x * 1e6)


def test_bfloat16_rounds_to_nearest_even_and_keeps_what_is_no_number():
    values = np.array([1, 1.00390625, 1.01171875, -2.5, np.inf, np.nan, 3.4e38, 0], "f4")
    back = (bfloat16(values).astype("u4") << 16).view("f4")
    np.testing.assert_array_equal(back, [1, 1, 1.015625, -2.5, np.inf, np.nan, np.inf, 0])


def test_reductions_stand_beside_gradients_or_in_their_place(tmp_path):
    kinds = ["norm", "mean", "std", "max", "sparsity", "cosine"]
    record(tmp_path / "run.h5", reductions=kinds, raw=False)
    with ptoken.open(tmp_path / "run.h5") as snap:
        table = snap.tables["trace"]
        assert not table.gradients
        rows = data(1)[0].reshape(6, -1).astype("f8") * 2
        previous = (data(0)[0].reshape(6, -1).astype("f8") * 2).mean(0)
        for kind, expected in {
            "norm": np.linalg.norm(rows, axis=1),
            "mean": rows.mean(1),
            "std": rows.std(1),
            "max": np.abs(rows).max(1),
            "sparsity": (rows == 0).mean(1),
            "cosine": rows @ previous / np.linalg.norm(rows, axis=1) / np.linalg.norm(previous),
        }.items():
            np.testing.assert_allclose(
                table.scalars[f"a/{kind}"].at(1)[:, 0], expected, rtol=1e-5, atol=1e-7
            )


def test_at_most_so_many_rows_by_a_seeded_choice(tmp_path):
    for name in ("a", "b"):
        record(tmp_path / f"{name}.h5", max_rows=3, record_key=b"k" * 32)
    record(tmp_path / "c.h5", max_rows=3, seed=1, record_key=b"k" * 32)
    chosen = {}
    for name in ("a", "b", "c"):
        with ptoken.open(tmp_path / f"{name}.h5") as snap:
            table = snap.tables["trace"]
            assert len(table.observations) == 12
            chosen[name] = table.observations["record"].tobytes()
            features, found = table.features["input"].at(1), table.gradients["a"].at(1)
            np.testing.assert_array_equal(found, features * 2)
    assert chosen["a"] == chosen["b"] != chosen["c"]


def test_wrong_rows_are_refused_with_names_and_shapes(tmp_path):
    x, y = data(0)
    recorder = ptoken.Recorder(tmp_path / "run.h5", gradients=lambda x, y: {"a": x[:-1]}, every=1)
    with pytest.raises(
        RecordingError, match=r"trace/labels: expected 6 rows \(as inputs\), found shape \[5\]"
    ):
        recorder.step(inputs=x, labels=y[:5])
    with pytest.raises(RecordingError, match=r"trace/record_ids: expected 6 rows"):
        recorder.step(inputs=x, record_ids=range(5))
    with pytest.raises(
        RecordingError, match=r"trace/record_ids: expected record ids that are integers, text"
    ):
        with recorder.step(inputs=x, record_ids=[1.5] * 6):
            pass
    with pytest.raises(
        RecordingError, match=r"trace/a: expected 6 rows \(as inputs\), found shape \[5, 2, 3\]"
    ):
        with recorder.step(inputs=x, labels=y):
            pass
    with pytest.raises(
        RecordingError, match=r"probe/record_ids: expected each record once.*row 0 2 times"
    ):
        recorder.probe((x, y, [1, 1, 2, 3, 4, 5]))
    with pytest.warns(RecordingWarning, match="nothing was recorded: training made 4 steps"):
        recorder.close()


def test_after_the_first_recorded_step_nothing_ends_training(tmp_path):
    recorder = ptoken.Recorder(tmp_path / "run.h5", gradients=gradients, every=1)
    x, y = data(0)
    with recorder.step(inputs=x, labels=y):
        pass
    with pytest.warns(
        RecordingWarning, match="expected feature rows of shape .* in the first recorded step"
    ) as said:
        for _ in range(3):
            with recorder.step(inputs=x[:, :1], labels=y):
                pass
        with recorder.step(inputs=x, labels=y):
            pass
        recorder.close()
    assert len(said) == 1 and recorder.dropped == 3
    with ptoken.open(tmp_path / "run.h5") as snap:
        assert list(snap.steps["index"]) == [0, 4]


def test_an_exception_in_the_block_is_the_users_and_the_step_is_left_out(tmp_path):
    recorder = ptoken.Recorder(tmp_path / "run.h5", gradients=gradients, every=1)
    for index in range(3):
        x, y = data(index)
        try:
            with recorder.step(inputs=x, labels=y):
                if index == 1:
                    raise ZeroDivisionError
        except ZeroDivisionError:
            assert index == 1
    recorder.close()
    with ptoken.open(tmp_path / "run.h5") as snap:
        assert list(snap.steps["index"]) == [0, 2]


def test_rows_that_are_no_numbers_are_left_out_and_counted(tmp_path):
    def broken(x, y):
        found = gradients(x, y)
        found["a"][2, 1] = np.nan
        return found

    recorder = ptoken.Recorder(tmp_path / "run.h5", gradients=broken, every=1)
    for index in range(2):
        x, y = data(index)
        y[0] = -100 if index else y[0]
        with recorder.step(inputs=x, labels=y):
            pass
    recorder.close()
    with ptoken.open(tmp_path / "run.h5") as snap:
        assert snap.status == "complete"
        table = snap.tables["trace"]
        assert [len(table.gradients["a"].at(step)) for step in (0, 1)] == [5, 4]
        x, _ = data(0)
        np.testing.assert_array_equal(
            table.features["input"].at(0), np.delete(x, 2, 0).reshape(5, -1)
        )


def test_switched_off_it_starts_nothing_and_costs_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("PTOKEN_DISABLE", "1")
    recorder = record(tmp_path / "run.h5", probe=data(0))
    assert not recorder.is_recording and list(tmp_path.iterdir()) == []


def test_a_dry_run_says_what_would_be_recorded(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PTOKEN_DRY_RUN", "1")
    record(tmp_path / "run.h5", probe=data(0), every=10, budget="1MB")
    said = capsys.readouterr().err
    assert "nothing is recorded" in said and "trace: 6 rows" in said and "gradient a 6" in said
    assert "1,000 training steps:" in said and "budget: 1.0 MB" in said
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_is_taken_is_refused_at_once_with_the_remedy(tmp_path):
    (tmp_path / "run.h5").write_text("precious")
    with pytest.raises(RecordingError, match=r"run\.h5: already exists\. .*--force"):
        ptoken.Recorder(tmp_path / "run.h5")
    record(tmp_path / "run.h5", force=True)
    with ptoken.open(tmp_path / "run.h5") as snap:
        assert len(snap.steps) == 4


def test_a_recording_goes_on_where_it_ended(tmp_path):
    record(tmp_path / "run.h5", 2, record_key=b"k" * 32)
    record(tmp_path / "run.h5", 4, record_key=b"k" * 32, resume=True)
    with ptoken.open(tmp_path / "run.h5") as snap:
        assert list(snap.steps["index"]) == [0, 1, 2, 3] and len(snap.sessions) == 2


def test_without_a_recorder_it_says_both_ways(monkeypatch, tmp_path):
    with pytest.raises(
        RecordingError, match=r"Recorder\('run.h5'\), or to be run by 'ptoken-record run.h5 --"
    ):
        ptoken.Recorder()
    with pytest.raises(RecordingError, match="cannot reach the recorder"):
        ptoken.Recorder("unix:/nowhere/socket")
    monkeypatch.setenv("PTOKEN_RECORD", "/nowhere/ptoken-record")
    with pytest.raises(RecordingError, match="/nowhere/ptoken-record: cannot run"):
        ptoken.Recorder(tmp_path / "run.h5")


def test_a_probe_before_the_first_step_is_held_and_one_without_any_is_kept(tmp_path):
    recorder = ptoken.Recorder(tmp_path / "run.h5", gradients=gradients, every=1)
    recorder.probe(data(9))
    recorder.probe()
    with recorder.step(inputs=data(0)[0], labels=data(0)[1]):
        pass
    recorder.close()
    with ptoken.open(tmp_path / "run.h5") as snap:
        assert {table.name for table in snap.tables} == {"probe", "trace"}
        assert len(snap.tables["probe"].observations) == 12
    recorder = ptoken.Recorder(tmp_path / "alone.h5", gradients=gradients, trace="none")
    recorder.probe(data(9))
    recorder.close()
    with ptoken.open(tmp_path / "alone.h5") as snap:
        assert [table.name for table in snap.tables] == ["probe"]


def test_a_child_after_fork_is_inert(tmp_path):
    recorder = ptoken.Recorder(tmp_path / "run.h5", gradients=gradients, every=1)
    x, y = data(0)
    with recorder.step(inputs=x, labels=y):
        pass
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        try:
            with recorder.step(inputs=x, labels=y) as step:
                status = 1 if step.recording else 0
            recorder.close()
        except BaseException:
            status = 2
        os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    with recorder.step(inputs=x, labels=y):
        pass
    recorder.close()
    with ptoken.open(tmp_path / "run.h5") as snap:
        assert len(snap.steps) == 2 and snap.status == "complete"


def test_readers_do_not_pay_for_recording():
    code = "import ptoken, sys; sys.exit('ptoken.capture' in sys.modules or 'torch' in sys.modules)"
    from recording import environment

    assert (
        subprocess.run([__import__("sys").executable, "-c", code], env=environment()).returncode
        == 0
    )


def test_records_that_are_the_same_are_probed_once(tmp_path):
    x, y = data(3)
    recorder = ptoken.Recorder(tmp_path / "run.h5", gradients=gradients, trace="none")
    recorder.probe((np.concatenate([x, x[:2]]), np.concatenate([y, y[:2]])))
    recorder.close()
    with ptoken.open(tmp_path / "run.h5") as snap:
        np.testing.assert_array_equal(snap.tables["probe"].features["input"][:], x.reshape(6, -1))
