"""The expected reading of a tree, as README.md describes it."""

import hashlib
import math

import numpy

SESSIONS = ("first_step", "started", "cut_bytes", "rank")
STEPS = (
    *("index", "mode", "epoch", "time", "loss", "learning_rate", "loss_scale", "accumulation"),
    *("participants", "model_mode", "dropout", "batch_norm", "trainable"),
)
OBSERVATIONS = ("step", "record", "rank", "weight", "local_steps")
MEMBERS = ("observation", "record", "weight")
KINDS = {"L": "gradient", "F": "feature", "Y": "label", "S": "scalar"}
WINDOWS = (
    *("table", "mode", "first_step", "last_step", "epoch", "loss", "rows", "folds"),
    *("candidates", "label_entropy", "label_chance"),
)
CELLS = ("layer", "window", "components", "kept_variance")
ESTIMATES = (
    *("cell", "measure", "value", "standard_error", "low", "high", "null_mean", "null_deviation"),
    *("p", "map_p", "ceiling", "rows", "flags"),
)
MEASURES = (
    *("gaussian", "donsker_varadhan", "ksg", "label", "label_accuracy", "reidentification"),
    "recoverable_variance",
)


def digest(node):
    data = numpy.ascontiguousarray(node.data)
    data = data.astype(data.dtype.newbyteorder("<"))
    return "sha256:" + hashlib.sha256(data.tobytes()).hexdigest()


def text(value):
    value = getattr(value, "value", value)
    value = value.encode() if isinstance(value, str) else value
    return value.split(b"\0")[0].decode()


def number(value):
    if value is None:
        return None
    value = float(value)
    return value if math.isfinite(value) else str(value)


def columns(tree, path, names):
    return {name: digest(tree[f"{path}/{name}"]) for name in names if f"{path}/{name}" in tree}


def counted(tree, path, names):
    return {"count": len(tree[f"{path}/{names[0]}"].data), **columns(tree, path, names)}


def groups(tree, path):
    """Names of the objects in a group, in order."""
    return sorted(
        key.rpartition("/")[2] for key in tree if key != "/" and key.rpartition("/")[0] == path
    )


def reading_of_stream(name, node):
    attrs = node.attrs
    sketch = None
    if text(attrs["sketch"]) == "sparse-sign":
        sketch = {
            "seed": str(int(attrs["sketch_seed"])),
            "nonzeros": int(attrs["sketch_nonzeros"]),
        }
    result = {
        "object": name,
        "name": text(attrs["name"]),
        "kind": text(attrs["kind"]),
        "shape": [int(length) for length in attrs["shape"]],
        "width": node.data.shape[1],
        "sketch": sketch,
        "values": digest(node),
    }
    for key in ("layer", "stage", "role", "unit"):
        result[key] = text(attrs[key]) if key in attrs else None
    for key in ("clip_norm", "noise_multiplier"):
        result[key] = number(attrs.get(key))
    return result


def reading_of_table(tree, path):
    attrs = tree[path].attrs
    streams = []
    for name in sorted(groups(tree, f"{path}/streams"), key=lambda name: int(name[1:])):
        node = tree[f"{path}/streams/{name}"]
        if KINDS.get(name[0]) is not None and text(node.attrs["kind"]) == KINDS[name[0]]:
            streams.append(reading_of_stream(name, node))
    here = f"{path}/members" in tree
    return {
        "name": text(attrs["name"]),
        "unit": text(attrs["unit"]),
        "mode": text(attrs["mode"]),
        "schedule": text(attrs["schedule"]) if "schedule" in attrs else None,
        "rows": len(tree[f"{path}/observations/step"].data),
        "observations": columns(tree, f"{path}/observations", OBSERVATIONS),
        "members": counted(tree, f"{path}/members", MEMBERS) if here else None,
        "streams": streams,
    }


def snapshot(tree):
    names = ("format", "version", "run_id", "created", "producer", "status")
    return {name: text(tree["/"].attrs[name]) for name in names} | {
        "json": {name: digest(tree[f"/{name}"]) for name in ("model", "training", "observer")},
        "sessions": counted(tree, "/sessions", SESSIONS),
        "steps": counted(tree, "/steps", STEPS),
        "tables": [reading_of_table(tree, f"/tables/{name}") for name in groups(tree, "/tables")],
    }


def reading_of_window(tree, path):
    cells = {}
    for name in groups(tree, path):
        if f"{path}/{name}/tokens" in tree:
            tokens = tree[f"{path}/{name}/tokens"]
            cells[name] = {
                "components": tokens.data.shape[1],
                "tokens": digest(tokens),
                "scores": columns(tree, f"{path}/{name}", MEASURES),
            }
    names = ("record", "step", "fold")
    rows = len(tree[f"{path}/record"].data)
    return {"rows": rows, **columns(tree, path, names), "cells": cells}


def analysis(tree):
    layers = []
    for name in groups(tree, "/layers"):
        attrs = tree[f"/layers/{name}"].attrs
        layers.append(
            {
                "name": text(attrs["name"]),
                "stage": text(attrs["stage"]),
                "parameters": int(attrs["parameters"]),
                "width": int(attrs["width"]),
            }
        )
    lists = {
        name: text(tree["/estimates"].attrs[name])
        for name in ("measures", "units", "kinds", "flags")
    }
    estimates = counted(tree, "/estimates", ESTIMATES) | {"lists": lists}
    return {name: text(tree["/"].attrs[name]) for name in ("format", "version", "producer")} | {
        "json": {name: digest(tree[f"/{name}"]) for name in ("run", "provenance", "warnings")},
        "layers": layers,
        "windows": counted(tree, "/windows", WINDOWS),
        "cells": counted(tree, "/cells", CELLS),
        "estimates": estimates,
        "rows": [reading_of_window(tree, f"/rows/{name}") for name in groups(tree, "/rows")],
    }


def reading(tree):
    kind = text(tree["/"].attrs["format"])
    return snapshot(tree) if kind == "ptoken-snapshot" else analysis(tree)
