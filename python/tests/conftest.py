"""Small files, written by h5py from the specification alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import h5py
import hdf5plugin
import numpy as np
import ptoken
import pytest
from recording import program

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS = Path(ptoken.__file__).parent / "schema"
ROWS, WIDTH = 10, 12
STORED = {"chunks": True, "shuffle": True, "fletcher32": True, **hdf5plugin.Zstd(3)}


def put_text(owner: h5py.HLObject, **attributes: str) -> None:
    for name, text in attributes.items():
        data = text.encode()
        owner.attrs.create(name, data, dtype=h5py.string_dtype("utf-8", max(1, len(data))))


def put_json(file: h5py.File, **values: object) -> None:
    for name, value in values.items():
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        file[name] = np.frombuffer(data, np.uint8)


def put_stream(
    table: h5py.Group, name: str, data: np.ndarray, shape: list[int], /, **texts: str
) -> h5py.Dataset:
    options = STORED | {"chunks": (min(4, len(data)), data.shape[1])}
    stream = table.create_dataset(f"streams/{name}", data=data, **options)
    put_text(stream, **{"sketch": "none"} | texts)
    stream.attrs["shape"] = np.array(shape, "<u8")
    return stream


@pytest.fixture(scope="session")
def gradient() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((ROWS, WIDTH)).astype("f4")


def write_snapshot(path: Path, gradient: np.ndarray) -> None:
    """Steps 0 (probe), 100 (probe), 100 (trace); a probe of 5 records, one batch."""
    with h5py.File(path, "w", libver=("v110", "v110")) as file:
        put_text(file, format="ptoken-snapshot", version="1.0", producer="test 1")
        put_text(file, run_id="0b5e7c1a-93d4-4f6e-8a21-5c7d9e0f1a2b")
        put_text(file, created="2026-01-31T12:00:00Z", status="complete")
        layers = [{"name": "fc1", "parameters": WIDTH}, {"name": "fc2", "parameters": 90}]
        put_json(
            file,
            schema=(SCHEMAS / "ptoken-snapshot-1.0.json").read_bytes(),
            model={"name": "mlp", "layers": layers, "parameters": 120},
            training={"optimizer": "SGD", "dp_sgd": {"clip": 1.0, "noise_multiplier": 0.5}},
            observer={"role": "server", "layers": "all", "aggregation": "none"},
        )
        file["sessions/first_step"] = np.array([0], "<u8")
        file["sessions/started"] = np.frombuffer(b"2026-01-31T12:00:00Z", "u1")[None]
        file["sessions/cut_bytes"], file["sessions/rank"] = np.array([0], "<u8"), np.zeros(1, "<u2")
        write_steps(file.create_group("steps"))

        probe = file.create_group("tables/T0000")
        put_text(probe, name="probe", unit="example", mode="probe", schedule='{"every": 100}')
        write_observations(probe, [0] * 5 + [1] * 5, [0, 1, 2, 3, 4] * 2)
        stream = put_stream(probe, "L0000", gradient, [3, 4], name="fc1", kind="gradient")
        put_text(stream, layer="fc1", stage="noised", unit="1")
        stream.attrs["clip_norm"], stream.attrs["noise_multiplier"] = 1.5, 0.5
        pixels = np.arange(ROWS * 4, dtype="f4").reshape(ROWS, 4)
        put_text(
            put_stream(probe, "F0001", pixels, [1, 2, 2], name="image", kind="feature"),
            role="input",
        )
        labels = np.arange(ROWS, dtype="<i4")[:, None] % 3
        put_stream(probe, "Y0002", labels, [1], name="digit", kind="label")
        sketched = put_stream(
            probe, "S0003", pixels[:, :2], [5], name="stats", kind="scalar", sketch="sparse-sign"
        )
        sketched.attrs["sketch_seed"] = np.uint64(2**64 - 1)
        sketched.attrs["sketch_nonzeros"] = np.uint32(4)

        batch = file.create_group("tables/T0001")
        put_text(batch, name="batches", unit="batch", mode="trace")
        write_observations(batch, [2], [9])
        batch["observations/weight"] = np.array([0.25])
        batch["members/observation"] = np.zeros(3, "<u4")
        batch["members/record"] = np.arange(48, dtype="u1").reshape(3, 16)
        batch["members/weight"] = np.full(3, 1 / 3)
        batch.create_group("streams")


def write_steps(steps: h5py.Group) -> None:
    steps["index"] = np.array([0, 100, 100], "<i8")
    codes = {
        "mode": ([0, 0, 1], "0 probe, 1 trace"),
        "model_mode": ([1, 1, 2], "0 unknown, 1 evaluation, 2 training"),
        "dropout": ([1, 1, 0], "0 unknown, 1 inactive, 2 active"),
        "batch_norm": ([1, 1, 2], "0 unknown, 1 running statistics or none, 2 batch statistics"),
    }
    for name, (values, words) in codes.items():
        steps[name] = np.array(values, "u1")
        put_text(steps[name], values=words)
    units = {"epoch": "epochs", "time": "s", "loss": "nats", "learning_rate": "1"}
    for name, unit in (units | {"loss_scale": "1"}).items():
        steps[name] = np.array([1.0, 0.5, 0.25])
        put_text(steps[name], unit=unit)
    for name in ("accumulation", "participants"):
        steps[name] = np.ones(3, "<u4")
    steps["trainable"] = np.array([[1, 1], [1, 0], [1, 0]], "u1")


def write_observations(table: h5py.Group, step: list[int], record: list[int]) -> None:
    table["observations/step"] = np.array(step, "<u4")
    table["observations/record"] = np.repeat(np.array(record, "u1")[:, None], 16, axis=1)
    table["observations/rank"] = np.zeros(len(step), "<u2")


def write_analysis(path: Path) -> None:
    """Two layers and one window of 4 rows; a cell of the first layer with two figures."""
    with h5py.File(path, "w", libver=("v110", "v110")) as file:
        put_text(file, format="ptoken-analysis", version="1.0", producer="test 1")
        run = dict.fromkeys(("id", "created", "producer", "status", "model", "training"), "{}")
        provenance = {"input": "run.h5", "inputDigest": "0" * 64, "version": "1"}
        put_json(
            file,
            schema=(SCHEMAS / "ptoken-analysis-1.0.json").read_bytes(),
            run=run,
            provenance=provenance | {"libraries": {}, "settings": {"sigma": 0.1}},
            warnings=["few rows"],
        )
        for i, name in enumerate(("fc1", "fc2")):
            layer = file.create_group(f"layers/L{i:04d}")
            put_text(layer, name=name, stage="raw")
            layer.attrs["parameters"] = layer.attrs["width"] = np.uint64(WIDTH)
        windows = {"table": "<u4", "mode": "u1", "first_step": "<i8", "last_step": "<i8"}
        windows |= dict.fromkeys(("epoch", "loss", "label_entropy", "label_chance"), "<f8")
        windows |= dict.fromkeys(("rows", "folds", "candidates"), "<u4")
        for name, kind in windows.items():
            file[f"windows/{name}"] = np.array([4 if name == "rows" else 1], kind)
        for name, unit in {
            "epoch": "epochs",
            "label_entropy": "nats",
            "label_chance": "share",
        }.items():
            put_text(file[f"windows/{name}"], unit=unit)
        for name, value in {"layer": 0, "window": 0, "components": 2}.items():
            file[f"cells/{name}"] = np.array([value], "<u4")
        file["cells/kept_variance"] = np.array([0.9])
        put_text(file["cells/kept_variance"], unit="share")

        figures = {"cell": np.zeros(3, "<u4"), "measure": np.array([0, 1, 2], "u1")}
        names = "value standard_error low high null_mean null_deviation p map_p ceiling".split()
        figures |= {name: np.array([2.0, 0.5, 7.0]) for name in names}
        figures |= {"rows": np.full(3, 4, "<u4"), "flags": np.array([0b101, 0b10, 0], "u1")}
        for name, data in figures.items():
            file[f"estimates/{name}"] = data
        put_text(
            file["estimates"],
            measures="gaussian,reidentification,novelty",
            units="nats,share,furlongs",
            kinds="estimate,score,guess",
            flags="saturated,unheard_of,few_rows",
        )
        file["rows/W0000/record"] = np.arange(64, dtype="u1").reshape(4, 16)
        file["rows/W0000/step"] = np.full(4, 100, "<i8")
        file["rows/W0000/fold"] = np.array([0, 1, 0, 1], "u1")
        file["rows/W0000/L0000/tokens"] = np.arange(8, dtype="f4").reshape(4, 2)
        file["rows/W0000/L0000/gaussian"] = np.array([1.0, 3.0, 2.0, 2.0])


@pytest.fixture
def snapshot(tmp_path: Path, gradient: np.ndarray) -> Path:
    path = tmp_path / "run.h5"
    write_snapshot(path, gradient)
    return path


@pytest.fixture
def analysis(tmp_path: Path) -> Path:
    path = tmp_path / "run.analysis.h5"
    write_analysis(path)
    return path


Edit = Callable[[Path, Callable[[h5py.File], None]], Path]


@pytest.fixture
def edit() -> Edit:
    def change(path: Path, change: Callable[[h5py.File], None]) -> Path:
        with h5py.File(path, "r+") as file:
            change(file)
        return path

    return change


@pytest.fixture(autouse=True)
def real_recorder(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests of recording use the program that was built, and no setting from outside."""
    if request.path.parent.name in ("capture", "jax", "torch"):
        for name in ("ENDPOINT", "DISABLE", "CONFIG", "DRY_RUN"):
            monkeypatch.delenv(f"PTOKEN_{name}", raising=False)
        monkeypatch.setenv("PTOKEN_RECORD", program("ptoken-record"))
