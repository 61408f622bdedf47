"""The reading of a file, as spec/conformance/README.md describes it, through the public API."""

from __future__ import annotations

import hashlib
import json

import h5py
import numpy as np
import ptoken
from ptoken.analysis import _MEASURES


def sha(array) -> str:
    data = np.ascontiguousarray(np.asarray(array))
    return "sha256:" + hashlib.sha256(data.tobytes()).hexdigest()


def number(value: float | None) -> float | str | None:
    """JSON has no NaN or infinity."""
    return value if value is None or np.isfinite(value) else str(value)


def columns(found: ptoken.Columns) -> dict:
    return {"count": len(found)} | {name: sha(array) for name, array in found.items()}


def descriptions(path: str, names: tuple[str, ...], parsed: object) -> dict:
    """What we give out parsed, hashed as stored after a check that it is the same."""
    with h5py.File(path) as file:
        stored = {name: file[name][:] for name in names}
    for name, data in stored.items():
        assert json.loads(data.tobytes()) == getattr(parsed, name)
    return {name: sha(data) for name, data in stored.items()}


def reading(path: str) -> dict:
    with ptoken.open(path) as file:
        return snapshot(file) if isinstance(file, ptoken.Snapshot) else analysis(file)


def snapshot(snap: ptoken.Snapshot) -> dict:
    names = ("format", "version", "run_id", "created", "producer", "status")
    return {name: getattr(snap, name) for name in names} | {
        "json": descriptions(snap.path, ("model", "training", "observer"), snap),
        "sessions": columns(snap.sessions),
        "steps": columns(snap.steps),
        "tables": [table(each) for each in snap.tables],
    }


def table(found: ptoken.Table) -> dict:
    with h5py.File(found._group.place.file) as file:
        group = file[found._group.place.path]
        schedule = group.attrs["schedule"].decode() if "schedule" in group.attrs else None
    assert found.schedule == (schedule and json.loads(schedule))
    assert len(found.step_index) == len(found) == len(found.record_ids)
    return {
        "name": found.name,
        "unit": found.unit,
        "mode": found.mode,
        "schedule": schedule,
        "rows": len(found),
        "observations": {name: sha(array) for name, array in found.observations.items()},
        "members": None if found.members is None else columns(found.members),
        "streams": [stream(each) for each in found.streams.values()],
    }


def stream(found: ptoken.Stream) -> dict:
    sketch = found.sketch
    return {
        "object": found._data.place.path.rpartition("/")[2],
        "name": found.name,
        "kind": found.kind,
        "shape": list(found.row_shape),
        "width": found.width,
        "sketch": sketch and {"seed": str(sketch.seed), "nonzeros": sketch.nonzeros},
        "layer": found.layer,
        "stage": found.stage,
        "role": found.role,
        "unit": found.unit,
        "clip_norm": number(found.clip_norm),
        "noise_multiplier": number(found.noise_multiplier),
        "values": sha(found),
    }


def analysis(found: ptoken.Analysis) -> dict:
    """The columns themselves come from the checked file: as records they are not arrays."""
    assert len(found.windows) == len(found._columns("windows")["rows"])
    assert len(found.estimates) <= len(found._columns("estimates")["cell"])
    groups = {name: ptoken.Columns(found._columns(name)) for name in ("windows", "cells")}
    texts = found._root["estimates"].attributes
    return {
        "format": found.format,
        "version": found.version,
        "producer": found.producer,
        "json": descriptions(found.path, ("run", "provenance", "warnings"), found),
        "layers": [
            {key: getattr(layer, key) for key in ("name", "stage", "parameters", "width")}
            for layer in found.layers
        ],
        "windows": columns(groups["windows"]),
        "cells": columns(groups["cells"]),
        "estimates": columns(ptoken.Columns(found._columns("estimates"))) | {"lists": texts},
        "rows": [rows(found, window.index) for window in found.windows],
    }


def rows(found: ptoken.Analysis, window: int) -> dict:
    observations = found.rows(window)
    cells = {}
    for cell in found.cells.where(window=window):
        layer = cell.layer_index
        tokens, scores = found.tokens(layer, window), {}
        for measure in _MEASURES:
            try:
                scores[measure] = sha(found.scores(layer, window, measure))
            except KeyError:
                continue
        cells[f"L{layer:04d}"] = {
            "components": tokens.shape[1],
            "tokens": sha(tokens),
            "scores": scores,
        }
    arrays = {name: sha(array) for name, array in observations.items()}
    return {"rows": len(observations), **arrays, "cells": cells}
