import h5py
import numpy as np
import ptoken
import pytest


@pytest.fixture
def snap(snapshot):
    with ptoken.open(snapshot) as opened:
        yield opened


@pytest.fixture
def stream(snap):
    return snap.tables["probe"].gradients["fc1"]


def test_the_root_is_described(snap):
    assert isinstance(snap, ptoken.Snapshot)
    assert (snap.format, snap.version, snap.status) == ("ptoken-snapshot", "1.0", "complete")
    assert snap.model["name"] == "mlp"
    assert snap.training["dp_sgd"] == {"clip": 1.0, "noise_multiplier": 0.5}
    assert snap.observer["aggregation"] == "none"
    assert "2 steps" not in repr(snap) and "3 steps" in repr(snap)


def test_columns_are_arrays_with_units_and_words(snap):
    assert len(snap.steps) == 3
    assert snap.steps["mode"].dtype == np.uint8
    assert snap.steps.text("mode").tolist() == ["probe", "probe", "trace"]
    assert snap.steps.text("batch_norm")[0] == "running statistics or none"
    assert snap.steps.units["loss"] == "nats" and "index" not in snap.steps.units
    assert snap.sessions.text("started").tolist() == ["2026-01-31T12:00:00Z"]
    assert dict(snap.steps)["index"].tolist() == [0, 100, 100]
    with pytest.raises(KeyError, match="no form in words"):
        snap.steps.text("loss")
    with pytest.raises(KeyError, match="no column 'lss' among"):
        snap.steps["lss"]
    with pytest.raises(ValueError, match="read-only"):
        snap.steps["loss"][0] = 0


def test_columns_become_data_frames(snap):
    pytest.importorskip("pandas")
    frame = snap.steps.to_pandas()
    assert frame["mode"].tolist() == ["probe", "probe", "trace"]
    assert frame["trainable.fc2"].tolist() == [1, 0, 0]
    assert snap.tables[0].observations.to_pandas()["record"][1] == "01" * 16


def test_a_table_has_observations_and_members(snap):
    probe, batches = snap.tables
    assert snap.tables.names == ["probe", "batches"]
    assert (len(probe), probe.unit, probe.mode) == (10, "example", "probe")
    assert probe.schedule == {"every": 100}
    assert probe.records.shape == (10, 16) and probe.record_ids[2] == "02" * 16
    assert probe.step.tolist() == [0] * 5 + [1] * 5
    assert probe.weight is None and probe.members is None and probe.local_steps is None
    assert batches.weight.tolist() == [0.25] and len(batches.members) == 3
    assert batches.schedule is None
    assert batches.members.text("record")[0] == "000102030405060708090a0b0c0d0e0f"


def test_rows_are_found_by_the_index_of_their_step(snap, gradient):
    probe, batches = snap.tables
    assert probe.rows(step=100) == slice(5, 10)
    assert batches.rows(step=100) == slice(0, 1)
    np.testing.assert_array_equal(probe.gradients["fc1"].at(step=100), gradient[5:])
    with pytest.raises(KeyError, match="no rows of step 50"):
        probe.rows(step=50)


def test_parameter_share_counts_each_recorded_layer_once(snap):
    assert snap.tables["probe"].parameter_share == 12 / 120
    assert snap.tables["batches"].parameter_share == 0


def test_a_shared_table_name_is_no_key(snapshot, edit):
    def rename(file):
        del file["tables/T0001"].attrs["name"]
        kind = h5py.string_dtype("utf-8", 5)
        file["tables/T0001"].attrs.create("name", b"probe", dtype=kind)

    with ptoken.open(edit(snapshot, rename)) as snap:
        with pytest.raises(KeyError, match=r"names tables\[0\] and tables\[1\]"):
            snap.tables["probe"]
        with pytest.raises(KeyError, match="no table 'other'"):
            snap.tables["other"]


def test_a_stream_says_what_it_is(snap):
    table = snap.tables["probe"]
    assert list(table.streams) == ["fc1", "image", "digit", "stats"]
    fc1, image, digit, stats = table.streams.values()
    assert (fc1.kind, fc1.layer, fc1.stage, fc1.unit) == ("gradient", "fc1", "noised", "1")
    assert (fc1.clip_norm, fc1.noise_multiplier, fc1.sketch) == (1.5, 0.5, None)
    assert (fc1.shape, fc1.width, fc1.row_shape, len(fc1)) == ((10, 12), 12, (3, 4), 10)
    assert (image.role, image.layer, image.clip_norm) == ("input", None, None)
    assert digit.dtype == np.int32
    assert stats.sketch == ptoken.Sketch(seed=2**64 - 1, nonzeros=4)
    assert "sketch of [5]" in repr(stats)


KEYS = [
    slice(None),
    slice(2, 7),
    slice(-3, None),
    slice(7, 2),
    slice(100, None),
    slice(None, None, 3),
    slice(8, 1, -2),
    0,
    -1,
    [9, 0, 0, 4],
    [],
    np.array([], int),
    np.arange(10) % 3 == 0,
    (slice(1, 6), 3),
    (-2, slice(2, 5)),
    (Ellipsis, 0),
    Ellipsis,
]


@pytest.mark.parametrize("key", KEYS, ids=repr)
def test_indexing_is_that_of_numpy(stream, gradient, key):
    key = np.array([], int) if isinstance(key, list) and not key else key
    np.testing.assert_array_equal(stream[key], gradient[key], strict=True)


@pytest.mark.parametrize("key", [10, -11, ([1, 2], [0, 1]), [[0, 1]], np.ones(3, bool)], ids=repr)
def test_other_indices_are_refused(stream, key):
    with pytest.raises(IndexError):
        stream[key]


def test_a_stream_is_an_array_to_numpy(stream, gradient):
    np.testing.assert_array_equal(np.asarray(stream), gradient)
    assert np.asarray(stream, dtype=np.float64).dtype == np.float64
    assert np.mean(stream) == gradient.mean()


def test_whole_rows_regain_their_shape_and_sketches_do_not(snap):
    streams = snap.tables["probe"].streams
    assert streams["image"].reshaped().shape == (10, 1, 2, 2)
    assert streams["image"].reshaped(1).tolist() == [[[4.0, 5.0], [6.0, 7.0]]]
    with pytest.raises(ValueError, match="sketched"):
        streams["stats"].reshaped()


def test_only_the_chunks_needed_are_read(snapshot, edit, gradient):
    damage = edit(
        snapshot, lambda f: f["tables/T0000/streams/L0000"].id.write_direct_chunk((4, 0), b"\0")
    )
    with ptoken.open(damage) as snap:
        stream = snap.tables["probe"].gradients["fc1"]
        np.testing.assert_array_equal(stream[:4], gradient[:4])
        np.testing.assert_array_equal(stream[[9, 1]], gradient[[9, 1]])
        with pytest.raises(ptoken.FormatError, match="R-051"):
            stream[3:5]


def test_arrays_outlive_a_closed_file_and_streams_say_that_it_is_closed(snapshot):
    with ptoken.open(snapshot) as snap:
        loss, stream = snap.steps["loss"], snap.tables[0].gradients["fc1"]
    assert loss.sum() == 1.75 and len(stream) == 10
    with pytest.raises(ValueError, match=r"run\.h5 is closed"):
        stream[0]
