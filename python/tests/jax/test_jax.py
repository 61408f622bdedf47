"""JAX trainings, recorded by the real recorder and read back."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import ptoken
import ptoken.jax
import pytest
from ptoken import RecordingError
from ptoken.capture.sketching import places_and_signs
from ptoken.capture.tables import Sketch
from ptoken.jax.arrays import sketch_rows

CLOSE = {"rtol": 1e-5, "atol": 1e-6}
"""Single precision, sums of tens of terms of order 1."""


def init(seed=0):
    keys = jax.random.split(jax.random.key(seed), 2)
    return {
        "hidden": {"kernel": jax.random.normal(keys[0], (6, 8)), "bias": jnp.zeros(8)},
        "out": {"kernel": jax.random.normal(keys[1], (8, 3)), "bias": jnp.zeros(3)},
    }


def loss_fn(params, x, y):
    hidden = jnp.tanh(x @ params["hidden"]["kernel"] + params["hidden"]["bias"])
    logits = hidden @ params["out"]["kernel"] + params["out"]["bias"]
    return -jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], 1).mean()


@jax.jit
def update(params, x, y):
    loss, gradients = jax.value_and_grad(loss_fn)(params, x, y)
    return jax.tree.map(lambda p, g: p - 0.1 * g, params, gradients), loss


def batches(count, rows=8, seed=5):
    random = np.random.default_rng(seed)
    for _ in range(count):
        yield random.normal(size=(rows, 6)).astype("f4"), random.integers(0, 3, rows)


def one_by_one(params, x, y):
    """The gradient of each example: layer to [rows, elements], leaves in the order of the tree."""
    rows = []
    for row in range(len(x)):
        g = jax.grad(loss_fn)(params, x[row : row + 1], y[row : row + 1])
        rows.append(
            {k: np.concatenate([np.ravel(g[k]["bias"]), np.ravel(g[k]["kernel"])]) for k in g}
        )
    return {layer: np.stack([row[layer] for row in rows]) for layer in rows[0]}


def test_a_trace_and_a_probe_hold_the_gradients_of_each_example(tmp_path):
    params = init()
    data = list(batches(5))
    x, y = data[0]
    recorder = ptoken.jax.Recorder(
        tmp_path / "run.h5", loss_fn, probe=(x, y), probe_every=3, every=2, sketch=None, chunk=3
    )
    probed, traced, losses = {}, {}, []
    for index, (a, b) in enumerate(data):
        if index % 3 == 0:
            probed[index] = one_by_one(params, x, y)
        if index % 2 == 0:
            traced[index] = one_by_one(params, a, b)
        with recorder.step(params, inputs=a, labels=b, epoch=index / 5) as step:
            params, loss = update(params, a, b)
            step.loss = loss
            losses.append(float(loss))
    recorder.close()
    with ptoken.open(tmp_path / "run.h5") as snap:
        assert snap.status == "complete"
        assert [layer["name"] for layer in snap.model["layers"]] == ["hidden", "out"]
        assert snap.model["parameters"] == 6 * 8 + 8 + 8 * 3 + 3
        for table, truth in (("probe", probed), ("trace", traced)):
            assert sorted(set(snap.tables[table].step_index)) == sorted(truth)
            for index, expected in truth.items():
                for layer in ("hidden", "out"):
                    found = snap.tables[table].gradients[layer].at(index)
                    np.testing.assert_allclose(found, expected[layer], **CLOSE)
        batch = snap.tables["batches"].gradients["out"].at(2)[0]
        np.testing.assert_allclose(batch, traced[2]["out"].mean(0), **CLOSE)
        is_trace = snap.steps["mode"] == 1
        np.testing.assert_allclose(snap.steps["loss"][is_trace], losses[::2], rtol=1e-6)
        np.testing.assert_allclose(snap.steps["epoch"][is_trace], [0, 0.4, 0.8])


def test_training_is_bit_identical_with_and_without_recording(tmp_path):
    def run(recorder):
        params = init()
        for x, y in batches(6):
            with recorder.step(params, inputs=x, labels=y):
                params, _ = update(params, x, y)
        recorder.close()
        return params

    recorded = run(
        ptoken.jax.Recorder(
            tmp_path / "a.h5", loss_fn, every=1, probe=next(batches(1)), probe_every=2
        )
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PTOKEN_DISABLE", "1")
        plain = run(ptoken.jax.Recorder(tmp_path / "b.h5", loss_fn))
    assert [path.name for path in tmp_path.iterdir()] == ["a.h5"]
    assert all(jax.tree.leaves(jax.tree.map(lambda a, b: bool((a == b).all()), recorded, plain)))


def test_parameters_that_the_update_donates_are_not_held(tmp_path):
    donating = jax.jit(update.__wrapped__, donate_argnums=0)
    recorder = ptoken.jax.Recorder(tmp_path / "run.h5", loss_fn, every=1)
    params = init()
    for x, y in batches(3):
        with recorder.step(params, inputs=x, labels=y):
            params, _ = donating(params, x, y)
    recorder.close()
    with ptoken.open(tmp_path / "run.h5") as snap:
        assert len(snap.steps) == 3


def test_per_example_gradients_may_be_used_inside_a_jitted_step():
    params = init()
    x, y = next(batches(1))

    @jax.jit
    def step(params, x, y):
        gradients = ptoken.jax.per_example_grads(loss_fn)(params, x, y)
        return jax.tree.map(lambda g: g.mean(0), gradients)

    truth = jax.grad(loss_fn)(params, x, y)
    for found, expected in zip(
        jax.tree.leaves(step(params, x, y)), jax.tree.leaves(truth), strict=True
    ):
        np.testing.assert_allclose(found, expected, **CLOSE)


def test_layers_are_paths_up_to_the_last_key():
    tree = {"a": {"b": {"w": 1, "v": 2}}, "c": [3, 4], "d": 5}
    found = ptoken.jax.layers_of(tree)
    assert {name: [word for word, _ in leaves] for name, leaves in found.items()} == {
        "a.b": ["v", "w"], "c": ["0", "1"], "d": [""],
    }  # fmt: skip


def test_nothing_matched_lists_what_exists_and_missing_parameters_are_asked_for(tmp_path):
    x, y = next(batches(1))
    recorder = ptoken.jax.Recorder(tmp_path / "run.h5", loss_fn, include="conv", every=1)
    with pytest.raises(RecordingError, match=r"include='conv'.*hidden, out"):
        recorder.step(init(), inputs=x, labels=y)
    with pytest.raises(RecordingError, match="expected the parameters"):
        recorder.step(inputs=x, labels=y)
    recorder.close()
    assert list(tmp_path.iterdir()) == []


def test_a_sketch_on_the_device_is_that_of_the_specification():
    random = np.random.default_rng(0)
    parts = [random.normal(size=(5, 4, 10)).astype("f4"), random.normal(size=(5, 7)).astype("f4")]
    sketch = Sketch(16, 3, 99)
    rows = np.concatenate([part.reshape(5, -1) for part in parts], 1).astype("f8")
    expected = np.zeros((5, 16))
    for place, sign in zip(*places_and_signs(47, sketch), strict=True):
        np.add.at(expected.T, place, (rows * sign).T)
    found = sketch_rows([jnp.asarray(part) for part in parts], sketch)
    assert found.dtype == jnp.float32
    np.testing.assert_allclose(found, expected / np.sqrt(3), rtol=1e-6, atol=1e-7)
    # float64 is off again.
    assert jnp.zeros(1).dtype == jnp.float32


@pytest.mark.parametrize("on", ["device", "recorder"])
def test_a_sketched_recording_is_the_same_wherever_it_is_sketched(tmp_path, on):
    recorder = ptoken.jax.Recorder(tmp_path / "run.h5", loss_fn, every=1, sketch=16, sketch_on=on)
    params = init()
    x, y = next(batches(1))
    with recorder.step(params, inputs=x, labels=y):
        pass
    recorder.close()
    truth = one_by_one(params, x, y)["hidden"].astype("f8")
    expected = np.zeros((8, 16))
    for place, sign in zip(*places_and_signs(56, Sketch(16, 4, 0)), strict=True):
        np.add.at(expected.T, place, (truth * sign).T)
    with ptoken.open(tmp_path / "run.h5") as snap:
        np.testing.assert_allclose(
            snap.tables["trace"].gradients["hidden"][:], expected / 2, **CLOSE
        )


def test_the_file_says_how_it_was_captured(tmp_path):
    import subprocess

    from recording import program

    recorder = ptoken.jax.Recorder(tmp_path / "run.h5", loss_fn, every=1, dtype="bfloat16")
    x, y = next(batches(1))
    with recorder.step(init(), inputs=x, labels=y):
        pass
    recorder.close()
    info = subprocess.run(
        [program("ptoken-inspect"), "info", tmp_path / "run.h5", "--json"],
        check=True,
        capture_output=True,
    )
    [capture] = json.loads(info.stdout)["captures"]
    assert capture["method"]["adapter"] == "jax" and capture["method"]["dtype"] == "bfloat16"
    assert capture["method"]["frameworks"] == {"jax": jax.__version__}
    assert capture["passed_steps"] == 1 and capture["dropped_steps"] == 0
