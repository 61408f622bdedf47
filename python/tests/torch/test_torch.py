"""PyTorch trainings, recorded by the real recorder and read back."""

import gc
import json
import pickle
import warnings

import numpy as np
import ptoken
import ptoken.torch
import pytest
import torch
from ptoken import RecordingError, RecordingWarning
from torch import nn
from training import LOSS, batches, network, one_by_one

CLOSE = {"rtol": 1e-5, "atol": 1e-6}
"""Single precision, sums of tens of terms of order 1."""


def train(recorder, model, optimizer, data, *, scaler=None):
    for x, y in data:
        with recorder.step(inputs=x, labels=y) as step:
            loss = LOSS(model(x), y)
            step.loss = loss
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


def start(folder, model, optimizer, **options):
    return ptoken.torch.Recorder(
        folder / "run.h5",
        model,
        LOSS,
        optimizer=optimizer,
        **{"every": 1, "sketch": None, **options},
    )


def capture(snap):
    return (
        json.loads(bytes(snap._file["capture"][:]))["recordings"]
        if hasattr(snap, "_file")
        else None
    )


def test_a_trace_holds_the_gradients_that_training_used(tmp_path):
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
    recorder = start(tmp_path, model, optimizer)
    truth, averaged, losses = [], [], []
    for x, y in batches(4):
        truth.append(one_by_one(model, x, y))
        with recorder.step(inputs=x, labels=y, record_ids=range(8)) as step:
            loss = LOSS(model(x), y)
            step.loss = loss
            losses.append(loss.item())
            optimizer.zero_grad()
            loss.backward()
            averaged.append({n: p.grad.clone().flatten() for n, p in model.named_parameters()})
            optimizer.step()
    recorder.close()
    with ptoken.open(tmp_path / "run.h5") as snap:
        assert snap.status == "complete"
        assert list(snap.steps["index"]) == [0, 1, 2, 3]
        np.testing.assert_allclose(snap.steps["loss"], losses, rtol=1e-6)
        np.testing.assert_allclose(snap.steps["learning_rate"], 0.1)
        assert list(snap.steps["accumulation"]) == [1] * 4
        table, batch = snap.tables["trace"], snap.tables["batches"]
        assert list(table.gradients) == ["0", "2"]
        for step in range(4):
            for layer in ("0", "2"):
                np.testing.assert_allclose(
                    table.gradients[layer].at(step), truth[step][layer], **CLOSE
                )
                whole = torch.cat(
                    [averaged[step][f"{layer}.weight"], averaged[step][f"{layer}.bias"]]
                )
                np.testing.assert_allclose(batch.gradients[layer].at(step)[0], whole, **CLOSE)
        # What the batch was made of: the same records as the examples'.
        assert len(batch.members) == 32
        np.testing.assert_array_equal(batch.members["record"][:8], table.observations["record"][:8])
        assert snap.model["parameters"] == sum(p.numel() for p in model.parameters())


def test_one_step_is_one_optimizer_step_under_gradient_accumulation(tmp_path):
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    recorder = start(tmp_path, model, optimizer)
    truth, index = [], 0
    for number, (x, y) in enumerate(batches(6, rows=4)):
        truth.append(one_by_one(model, x, y))
        with recorder.step(inputs=x, labels=y):
            (LOSS(model(x), y) / 3).backward()
        if number % 3 == 2:
            optimizer.step()
            optimizer.zero_grad()
            index += 1
    recorder.close()
    assert recorder.passed == 2
    with ptoken.open(tmp_path / "run.h5") as snap:
        assert list(snap.steps["index"]) == [0, 1]
        assert list(snap.steps["accumulation"]) == [3, 3]
        table = snap.tables["trace"]
        assert len(table.observations) == 24
        whole = torch.cat([part["0"] for part in truth])
        np.testing.assert_allclose(table.gradients["0"][:], whole, **CLOSE)


def test_training_is_bit_identical_with_and_without_recording(tmp_path):
    def run(recorded):
        torch.manual_seed(3)
        model = nn.Sequential(
            nn.Linear(6, 8), nn.Dropout(0.4), nn.GroupNorm(2, 8), nn.ReLU(), nn.Linear(8, 3)
        )
        optimizer = torch.optim.AdamW(model.parameters(), 0.01)
        data = list(batches(12))
        recorder = None
        if recorded:
            recorder = start(
                tmp_path, model, optimizer, probe=data[0], probe_every=2, probe_mode=recorded,
                collect=["gradients", "batch_gradients", "inputs", "labels", "activations", "losses"],
                reductions=["norm", "cosine"], force=True,
            )  # fmt: skip
        for x, y in data:
            with recorder.step(inputs=x, labels=y) if recorder else torch.enable_grad():
                loss = LOSS(model(x), y)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        if recorder:
            recorder.close()
            assert not recorder._warn.said
        return [p.detach().clone() for p in model.parameters()], torch.rand(3)

    plain, random = run(None)
    for mode in ("eval", "train"):
        weights, after = run(mode)
        assert all(torch.equal(a, b) for a, b in zip(plain, weights, strict=True)), mode
        assert torch.equal(random, after)


def test_batch_norm_trains_as_before_and_is_probed_in_evaluation_mode(tmp_path):
    def run(recorded):
        torch.manual_seed(3)
        model = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))
        optimizer = torch.optim.SGD(model.parameters(), 0.1)
        data = list(batches(6))
        recorder = None
        if recorded:
            recorder = start(
                tmp_path, model, optimizer, probe=data[0], probe_every=2,
                collect=["gradients", "batch_gradients", "inputs", "labels"], end=0, start=0, every=1000,
            )  # fmt: skip
        for x, y in data:
            with recorder.step(inputs=x, labels=y) if recorder else torch.enable_grad():
                optimizer.zero_grad()
                LOSS(model(x), y).backward()
                optimizer.step()
        return [p.detach().clone() for p in model.state_dict().values()]

    with pytest.raises(RecordingError, match=r"batch norm in training mode \(1\)"):
        run(True)

    plain = run(False)
    torch.manual_seed(3)
    model = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    data = list(batches(6))
    recorder = start(
        tmp_path, model, optimizer, probe=data[0], probe_every=2, trace="batches", force=True
    )
    train(recorder, model, optimizer, data)
    recorder.close()
    assert all(torch.equal(a, b) for a, b in zip(plain, model.state_dict().values(), strict=True))
    with ptoken.open(tmp_path / "run.h5") as snap:
        probes = snap.steps["mode"] == 0
        assert set(snap.steps.text("batch_norm")[probes]) == {"running statistics or none"}
        assert set(snap.steps.text("batch_norm")[~probes]) == {"batch statistics"}
        assert set(snap.steps.text("model_mode")[probes]) == {"evaluation"}
        assert {table.name for table in snap.tables} == {"probe", "batches"}


def test_a_probe_is_the_same_records_at_the_weights_before_the_step(tmp_path):
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    data = list(batches(7))
    x, y = data[0]
    recorder = start(tmp_path, model, optimizer, probe=(x, y), probe_every=3)
    truth = {}
    for index, (a, b) in enumerate(data):
        if index % 3 == 0:
            truth[index] = one_by_one(model, x, y)
        with recorder.step(inputs=a, labels=b):
            optimizer.zero_grad()
            LOSS(model(a), b).backward()
            optimizer.step()
    recorder.close()
    with ptoken.open(tmp_path / "run.h5") as snap:
        table = snap.tables["probe"]
        assert sorted(set(table.step_index)) == [0, 3, 6]
        for index, expected in truth.items():
            np.testing.assert_allclose(table.gradients["2"].at(index), expected["2"], **CLOSE)
            np.testing.assert_array_equal(table.features["input"].at(index), x.numpy())
        ids = table.record_ids
        np.testing.assert_array_equal(ids[:8], ids[8:16])


def test_parameters_without_gradients_do_no_harm(tmp_path):
    class Unused(nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.unused = nn.Linear(6, 3), nn.Linear(6, 3)
            self.frozen = nn.Linear(6, 6)
            self.frozen.requires_grad_(False)

        def forward(self, x):
            return self.used(self.frozen(x))

    model = Unused()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    recorder = start(tmp_path, model, optimizer)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        train(recorder, model, optimizer, batches(2))
        recorder.close()
    with ptoken.open(tmp_path / "run.h5") as snap:
        table = snap.tables["trace"]
        assert not table.gradients["unused"][:].any() and not table.gradients["frozen"][:].any()
        assert table.gradients["used"][:].any()
        layers = [layer["name"] for layer in snap.model["layers"]]
        frozen = snap.steps["trainable"][0] == 0
        assert [name for name, is_frozen in zip(layers, frozen, strict=True) if is_frozen] == [
            "frozen"
        ]


def test_a_layer_that_is_unfrozen_late_is_recorded_from_then_on(tmp_path):
    model = network()
    model[0].requires_grad_(False)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    recorder = start(tmp_path, model, optimizer)
    data = list(batches(4))
    train(recorder, model, optimizer, data[:2])
    model[0].requires_grad_(True)
    train(recorder, model, optimizer, data[2:])
    recorder.close()
    with ptoken.open(tmp_path / "run.h5") as snap:
        assert snap.steps["trainable"].tolist() == [[0, 1], [0, 1], [1, 1], [1, 1]]
        gradient = snap.tables["trace"].gradients["0"]
        assert not gradient.at(1).any() and gradient.at(2).any()


@pytest.mark.parametrize("clearing", ["inside the block", "after it", "in place"])
def test_mixed_precision_is_recorded_unscaled_and_a_skipped_step_is_not_a_step(tmp_path, clearing):
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), 0.05)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0, growth_interval=1000)
    recorder = start(tmp_path, model, optimizer, scaler=scaler)
    data = list(batches(5))
    averaged = []
    for number, (x, y) in enumerate(data):
        with recorder.step(inputs=x, labels=y):
            with torch.autocast("cpu", torch.bfloat16):
                loss = LOSS(model(x), y)
            if clearing == "inside the block":
                optimizer.zero_grad()
            scaler.scale(loss).backward()
            if number == 2:
                model[0].weight.grad[0, 0] = torch.inf
            else:
                averaged.append(
                    {n: p.grad / scaler.get_scale() for n, p in model.named_parameters()}
                )
            scaler.step(optimizer)
            scaler.update()
        if clearing != "inside the block":
            optimizer.zero_grad(set_to_none=clearing == "after it")
    recorder.close()
    assert recorder.passed == 4
    with ptoken.open(tmp_path / "run.h5") as snap:
        assert list(snap.steps["index"]) == [0, 1, 2, 3]
        assert list(snap.steps["loss_scale"]) == [1024, 1024, 512, 512]
        recorded = snap.tables["batches"].gradients["2"][:]
        for row, step in enumerate(averaged):
            whole = torch.cat([step["2.weight"].flatten(), step["2.bias"]])
            np.testing.assert_allclose(recorded[row], whole, **CLOSE)
        # The pass of our own runs under the same autocast: equal to what training saw, to bfloat16.
        mean = snap.tables["trace"].gradients["2"].at(0).mean(0)
        np.testing.assert_allclose(mean, recorded[0], atol=0.02)
        assert len(snap.tables["trace"].observations) == 32


@pytest.mark.parametrize("loss_fn", [LOSS, None], ids=["vmap", "hooks on training's own pass"])
def test_without_an_optimizer_a_step_is_one_block(tmp_path, loss_fn):
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    recorder = ptoken.torch.Recorder(tmp_path / "run.h5", model, loss_fn, every=2, sketch=None)
    truth = []
    for x, y in batches(4):
        truth.append(one_by_one(model, x, y))
        with recorder.step(inputs=x, labels=y):
            optimizer.zero_grad()
            LOSS(model(x), y).backward()
            optimizer.step()
    recorder.close()
    with ptoken.open(tmp_path / "run.h5") as snap:
        assert list(snap.steps["index"]) == [0, 2]
        for index in (0, 2):
            np.testing.assert_allclose(
                snap.tables["trace"].gradients["0"].at(index), truth[index]["0"], **CLOSE
            )


def test_opacus_own_gradients_are_taken_raw_and_the_batch_noised(tmp_path):
    from opacus import PrivacyEngine

    torch.manual_seed(0)
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    data = [(x, y) for xs, ys in batches(3, rows=16) for x, y in zip(xs, ys, strict=True)]
    loader = torch.utils.data.DataLoader(data, batch_size=16)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model, optimizer, loader = PrivacyEngine().make_private(
            module=model, optimizer=optimizer, data_loader=loader, noise_multiplier=0.7,
            max_grad_norm=0.5, poisson_sampling=False,
        )  # fmt: skip
    probe = next(batches(1))
    recorder = start(tmp_path, model, optimizer, probe=probe, probe_every=2)
    truth = []
    for x, y in loader:
        truth.append(one_by_one(model._module, x, y))
        model.zero_grad()
        with recorder.step(inputs=x, labels=y):
            optimizer.zero_grad()
            LOSS(model(x), y).backward()
            optimizer.step()
    recorder.close()
    with ptoken.open(tmp_path / "run.h5") as snap:
        table = snap.tables["trace"]
        assert list(table.gradients) == ["0", "2"]
        for step, expected in enumerate(truth):
            np.testing.assert_allclose(table.gradients["0"].at(step), expected["0"], **CLOSE)
        batch = snap.tables["batches"].gradients["0"]
        assert batch.stage == "noised"
        assert snap.training["dp_sgd"] == {"clip": 0.5, "noise_multiplier": 0.7}


def test_wrappers_are_seen_through(tmp_path):
    x, y = next(batches(1))
    plain = network()
    truth = one_by_one(plain, x, y)
    for number, wrapped in enumerate(
        [nn.DataParallel(network()), torch.compile(network(), backend="aot_eager")]
    ):
        optimizer = torch.optim.SGD(wrapped.parameters(), 0.1)
        recorder = start(tmp_path, wrapped, optimizer, force=True)
        train(recorder, wrapped, optimizer, [(x, y)] * 2)
        recorder.close()
        with ptoken.open(tmp_path / "run.h5") as snap:
            table = snap.tables["trace"]
            assert list(table.gradients) == ["0", "2"], number
            np.testing.assert_allclose(table.gradients["0"].at(0), truth["0"], **CLOSE)


def test_a_module_compiled_in_place_is_recorded(tmp_path):
    x, y = next(batches(1))
    truth = one_by_one(network(), x, y)
    model = network()
    model.compile(backend="aot_eager")
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    recorder = start(tmp_path, model, optimizer)
    train(recorder, model, optimizer, [(x, y)] * 2)
    recorder.close()
    with ptoken.open(tmp_path / "run.h5") as snap:
        np.testing.assert_allclose(snap.tables["trace"].gradients["0"].at(0), truth["0"], **CLOSE)


def test_nothing_matched_is_an_error_that_lists_what_exists(tmp_path):
    model = network()
    with pytest.raises(RecordingError, match=r"include='conv'.*: 0, 2\."):
        start(tmp_path, model, torch.optim.SGD(model.parameters(), 0.1), include="conv")
    assert not (tmp_path / "run.h5").exists()


def test_rows_that_do_not_fit_are_refused_with_names_and_shapes(tmp_path):
    model = network()
    recorder = start(tmp_path, model, torch.optim.SGD(model.parameters(), 0.1))
    with pytest.raises(
        RecordingError, match=r"trace/labels: expected 8 rows \(as inputs\), found shape \[7\]"
    ):
        recorder.step(inputs=torch.zeros(8, 6), labels=torch.zeros(7))
    recorder.close()


def test_a_failing_hook_warns_once_and_training_goes_on(tmp_path, monkeypatch):
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    recorder = start(tmp_path, model, optimizer)
    data = list(batches(5))
    train(recorder, model, optimizer, data[:1])

    def broken(*_):
        raise RuntimeError("out of luck")

    monkeypatch.setattr(recorder, "_take_examples", broken)
    with pytest.warns(
        RecordingWarning, match="a traced step could not be recorded: RuntimeError: out of luck"
    ) as said:
        train(recorder, model, optimizer, data[1:])
        recorder.close()
    assert len(said) == 1 and recorder.dropped == 4
    with ptoken.open(tmp_path / "run.h5") as snap:
        assert len(snap.steps) == 1 and snap.status == "complete"


def test_switched_off_it_does_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("PTOKEN_DISABLE", "1")
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    recorder = start(tmp_path, model, optimizer, probe=next(batches(1)))
    train(recorder, model, optimizer, batches(3))
    recorder.close()
    assert not any(module._forward_hooks for module in model.modules())
    assert not optimizer._optimizer_step_pre_hooks
    assert list(tmp_path.iterdir()) == []


def test_a_pickled_recorder_is_inert(tmp_path):
    model = network()
    recorder = start(tmp_path, model, torch.optim.SGD(model.parameters(), 0.1))
    other = pickle.loads(pickle.dumps(recorder))
    with other.step(inputs=1) as step:
        assert not step.recording
    recorder.close()


@pytest.mark.parametrize("on", ["device", "recorder", "chunk by chunk"])
def test_a_sketch_is_the_specifications_wherever_it_is_made(tmp_path, on):
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    x, y = next(batches(1))
    how = {"chunk": 3} if on == "chunk by chunk" else {"sketch_on": on}
    recorder = start(tmp_path, model, optimizer, sketch=16, sketch_seed=9, **how)
    train(recorder, model, optimizer, [(x, y)])
    recorder.close()
    truth = one_by_one(network(), x, y)["0"].numpy().astype(np.float64)
    with ptoken.open(tmp_path / "run.h5") as snap:
        stream = snap.tables["trace"].gradients["0"]
        assert stream.shape == (8, 16)
        np.testing.assert_allclose(stream[:], sketched(truth, 16, 4, 9), **CLOSE)


def sketched(rows, width, nonzeros, seed):
    """R-062 to R-064, number by number."""
    result = np.zeros((len(rows), width))
    mask = (1 << 64) - 1
    for j in range(rows.shape[1]):
        for t in range(nonzeros):
            a = (seed + (j * nonzeros + t + 1) * 0x9E3779B97F4A7C15) & mask
            a = ((a ^ (a >> 30)) * 0xBF58476D1CE4E5B9) & mask
            a = ((a ^ (a >> 27)) * 0x94D049BB133111EB) & mask
            h = a ^ (a >> 31)
            result[:, ((h >> 32) * width) >> 32] += -rows[:, j] if h & 1 else rows[:, j]
    return result / np.sqrt(nonzeros)


def test_a_dataset_is_a_probe_set(tmp_path):
    model = network()
    x, y = next(batches(1, rows=20))
    data = torch.utils.data.TensorDataset(x, y)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    recorder = start(tmp_path, model, optimizer, probe=data, probe_rows=12)
    train(recorder, model, optimizer, batches(1))
    recorder.close()
    with ptoken.open(tmp_path / "run.h5") as snap:
        assert len(snap.tables["probe"].observations) == 12


def test_fsdp_is_refused_with_the_remedy(tmp_path):
    class FullyShardedDataParallel(nn.Module):
        pass

    with pytest.raises(RecordingError, match=r"sharded.*DistributedDataParallel"):
        ptoken.torch.Recorder(tmp_path / "run.h5", FullyShardedDataParallel(), LOSS)


def test_hooks_are_there_in_recorded_steps_alone(tmp_path):
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    recorder = start(
        tmp_path, model, optimizer, every=2, collect=["gradients", "activations", "inputs"]
    )
    hooked = []
    for x, y in batches(4):
        with recorder.step(inputs=x, labels=y):
            hooked.append(any(module._forward_hooks for module in model.modules()))
            optimizer.zero_grad()
            LOSS(model(x), y).backward()
            optimizer.step()
    assert hooked == [True, False, True, False]
    assert not any(module._forward_hooks for module in model.modules())
    recorder.close()
    with ptoken.open(tmp_path / "run.h5") as snap:
        assert "0/activation" in snap.tables["trace"].features
    gc.collect()


def test_a_step_one_of_whose_passes_failed_is_left_out_whole(tmp_path, monkeypatch):
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    recorder = start(tmp_path, model, optimizer)
    data = list(batches(6, rows=4))

    def run(passes, broken=False):
        for number, (x, y) in enumerate(passes):
            labels = y[:3] if broken and number == 1 else y
            with recorder.step(inputs=x, labels=labels):
                LOSS(model(x), y).backward()
        optimizer.step()
        optimizer.zero_grad()

    run(data[:2])
    with pytest.warns(RecordingWarning, match="expected 4 rows"):
        run(data[:3], broken=True)
    run(data[4:])
    recorder.close()
    with ptoken.open(tmp_path / "run.h5") as snap:
        assert list(snap.steps["index"]) == [0, 2]
        assert list(snap.steps["accumulation"]) == [2, 2]
    assert recorder.dropped == 1 and recorder.passed == 3


def test_probes_are_in_full_precision_whatever_training_is_cast_to(tmp_path):
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), 0.0)
    x, y = next(batches(1))
    recorder = start(tmp_path, model, optimizer, probe=(x, y), probe_every=1)
    for _ in range(2):
        with recorder.step(inputs=x, labels=y):
            optimizer.zero_grad()
            with torch.autocast("cpu", torch.bfloat16):
                loss = LOSS(model(x), y)
            loss.backward()
            optimizer.step()
    recorder.close()
    with ptoken.open(tmp_path / "run.h5") as snap:
        probe, trace = snap.tables["probe"].gradients["0"], snap.tables["trace"].gradients["0"]
        np.testing.assert_array_equal(probe.at(0), probe.at(1))
        assert np.abs(trace.at(0) - probe.at(0)).max() > 1e-5


def test_a_local_gradient_that_would_not_be_the_ranks_own_is_refused(tmp_path):
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    recorder = start(tmp_path, model, optimizer, ddp_gradient="local", max_rows=3)
    # As in a run of two ranks; one process alone takes the averaged gradient, which is its own.
    recorder._run.ranks = 2
    with pytest.raises(RecordingError, match="ddp_gradient='local': expected the gradients of all"):
        train(recorder, model, optimizer, batches(1))
    recorder.close()
