"""Ids of records: keyed names, or what a record is."""

import hashlib
import hmac

import numpy as np
import ptoken
import pytest
from fake_recorder import KEY, FakeRecorder
from ptoken.capture import identity


def expected(name, key=KEY):
    return hmac.new(key, name, hashlib.sha256).digest()[:16]


def by_content(x, y, row, key=KEY):
    return expected(b"content:" + x[row].tobytes() + y[row].tobytes(), key)


def recorded(x, y, probe=None, rows=None, **settings):
    """The ids of one step: in `trace`, as members of its batch, and of the probe."""
    fake = FakeRecorder()
    recorder = ptoken.Recorder(fake.target, probe=probe, every=1, max_rows=rows, **settings)
    recorder._gradients = lambda x, y: {"w": np.ones((len(x), 2), "f4")}
    with recorder.step(inputs=x, labels=y) as step:
        step.batch_gradients({"w": np.ones(2, "f4")})
    recorder.close()
    fake.finish()
    last = len(fake.steps) - 1
    names = [table["name"] for table in fake.hello["tables"]]
    return {
        "trace": fake.tensor(last, "trace", "record") if "trace" in names else None,
        "members": fake.tensor(last, "batches", "members/record"),
        "probe": fake.tensor(0, "probe", "record") if probe is not None else None,
        "input": _input(fake, last),
    }


def _input(fake, step):
    try:
        return fake.tensor(step, "trace", "input")
    except KeyError:
        return None


@pytest.mark.parametrize("length", [1, 32, 64, 65, 200])
def test_ids_are_hmac_sha_256_for_keys_of_any_length(length):
    key = bytes(range(length))
    names = [b"", b"17", b"x" * 5000]
    for name, found in zip(names, identity.keyed(key, names), strict=True):
        assert bytes(found) == expected(name, key)


def test_names_of_integers_text_and_bytes():
    for ids in (range(15, 18), [15, 16, 17], np.arange(15, 18), np.arange(15, 18, dtype="u1")):
        assert identity.names(ids) == [b"15", b"16", b"17"]
    assert identity.names([np.int64(-4), "é", b"\0"]) == [b"-4", b"\xc3\xa9", b"\0"]
    assert identity.names(np.array(["a", "bb"])) == [b"a", b"bb"]
    for wrong in ([1.5], [True], [None], np.array([1.0])):
        with pytest.raises(TypeError, match="expected record ids that are integers"):
            identity.names(wrong)


@pytest.mark.parametrize("dtype", ["f4", "f8", "i8", "u1"])
@pytest.mark.parametrize("sent", ["float32", "float16"])
def test_a_record_without_an_id_is_known_by_the_bytes_of_its_input_and_label(dtype, sent):
    x = (np.random.default_rng(0).normal(size=(7, 2, 3)) * 50).astype(dtype)
    y = np.arange(7)
    found = recorded(x, y, probe=(x, y), dtype=sent)
    for row in range(7):
        id_ = by_content(x, y, row)
        assert [bytes(found[of][row]) for of in ("trace", "members", "probe")] == [id_] * 3


def test_ids_by_content_of_a_choice_of_rows_and_of_arrays_in_another_order():
    x = np.asfortranarray(np.random.default_rng(0).normal(size=(9, 4)).astype("f4"))[::-1]
    y = np.arange(9)
    whole = [by_content(x, y, row) for row in range(9)]
    found = recorded(x, y, rows=3)
    assert [bytes(row) for row in found["members"]] == whole
    chosen = [whole.index(bytes(row)) for row in found["trace"]]
    assert len(chosen) == 3 and chosen != [0, 1, 2]
    np.testing.assert_array_equal(found["input"], x[chosen])
    alone = recorded(x, y, trace="batches")
    assert [bytes(row) for row in alone["members"]] == whole
    unkept = recorded(x, y, collect=["gradients", "batch_gradients"])
    assert [bytes(row) for row in unkept["trace"]] == whole


def test_text_is_known_by_itself_and_not_by_its_padding():
    short = identity.content(KEY, [np.array(["a", "b"])])
    long = identity.content(KEY, [np.array(["a", "bbbbb"])])
    assert bytes(short[0]) == bytes(long[0]) != bytes(short[1])


def test_no_rows_and_no_columns_are_no_fault():
    assert identity.content(KEY, [np.zeros((0, 3))]).shape == (0, 16)
    assert bytes(identity.content(KEY, [np.zeros((1, 0))])[0]) == expected(b"content:")
