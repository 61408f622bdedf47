"""Builders of valid snapshot files, as trees (tree.py)."""

import hashlib
import hmac
import json
from pathlib import Path

import numpy
from tree import Dataset, Group, Tree

SCHEMAS = Path(__file__).resolve().parent.parent / "schema"
SCHEMA = (SCHEMAS / "ptoken-snapshot-1.0.json").read_bytes()
RUN = "0b5e7c1a-93d4-4f6e-8a21-5c7d9e0f1a2b"
LAYERS = {"conv": 36, "body.weight": 120, "head": 20}
EXAMPLES, STEPS = 4, 7
INDEX = [0, 0, 5, 5, 10, 10, 12]
MODE = [0, 1, 0, 1, 0, 1, 1]
VALUES = {
    "mode": "0 probe, 1 trace",
    "model_mode": "0 unknown, 1 evaluation, 2 training",
    "dropout": "0 unknown, 1 inactive, 2 active",
    "batch_norm": "0 unknown, 1 running statistics or none, 2 batch statistics",
}


def encode(value):
    """JSON text as the elements of a dataset."""
    text = value if isinstance(value, bytes) else json.dumps(value, ensure_ascii=False).encode()
    return numpy.frombuffer(text, "u1")


def coarse(random, *shape):
    """Normal numbers in steps of 1/8, which take little room."""
    return (random.standard_normal(shape) * 8).round().astype("f4") / numpy.float32(8)


def identify(name):
    digest = hmac.new(b"ptoken demo 1", name.encode(), hashlib.sha256).digest()
    return numpy.frombuffer(digest[:16], "u1")


def ids(word, numbers):
    if not len(numbers):
        return numpy.empty((0, 16), "u1")
    return numpy.stack([identify(f"{word} {number}") for number in numbers])


def sketch(rows, width, seed, nonzeros):
    """Sparse sign projection of R-061 to R-064."""
    elements = rows.shape[1] * nonzeros
    with numpy.errstate(over="ignore"):
        a = numpy.uint64(seed) + numpy.arange(1, elements + 1, dtype="u8") * numpy.uint64(
            0x9E3779B97F4A7C15
        )
        a = (a ^ (a >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
        a = (a ^ (a >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
        h = a ^ (a >> numpy.uint64(31))
        places = ((h >> numpy.uint64(32)) * numpy.uint64(width)) >> numpy.uint64(32)
    signs = numpy.where(h & numpy.uint64(1), -1.0, 1.0)
    result = numpy.zeros((rows.shape[0], width))
    for term in range(elements):
        result[:, int(places[term])] += signs[term] * rows[:, term // nonzeros].astype("f8")
    return (result / numpy.sqrt(float(nonzeros))).astype("f4")


def stream(kind, name, data, shape, sketched=None, **more):
    """sketched: (width, seed, nonzeros)."""
    attrs = {"name": name, "kind": kind, "shape": numpy.array(shape, "<u8"), "sketch": "none"}
    if sketched:
        width, seed, nonzeros = sketched
        data = sketch(data, width, seed, nonzeros)
        attrs |= {
            "sketch": "sparse-sign",
            "sketch_seed": numpy.uint64(seed),
            "sketch_nonzeros": numpy.uint32(nonzeros),
        }
    return Dataset(data, attrs | more)


def root(tree, sessions=((0, "2026-01-31T12:00:00Z", 0, 0),), **attrs):
    """The root's attributes, the descriptions and /sessions."""
    tree["/"] = Group(
        {
            "format": "ptoken-snapshot",
            "version": "1.0",
            "run_id": RUN,
            "created": "2026-01-31T12:00:00Z",
            "producer": "conformance 1",
            "status": "complete",
        }
        | attrs
    )
    plain = tree.style in ("plain", "compact")
    schema_style = "plain" if plain else "deflate" if tree.style == "deflate" else "zstd"
    filters = {"zstd": [(32015, 19)], "deflate": [(1, 9)], "plain": None}[schema_style]
    tree["/schema"] = Dataset(encode(SCHEMA), style=schema_style, filters=filters)
    layers = [{"name": name, "parameters": size} for name, size in LAYERS.items()]
    model = {"name": "small", "layers": layers, "parameters": 200, "family": "test"}
    federated = {"clients": 5, "clients_per_round": 2, "local_steps": 3, "aggregation": "mean"}
    training = {
        "data": "none",
        "optimizer": "SGD(momentum 0.9)",
        "learning_rate": 0.1,
        "epochs": 2.5,
        "batch_size": 4,
        "seed": 0,
        "sampling": "poisson",
        "sampling_rate": 0.25,
        "dp_sgd": {"clip": 1.5, "noise_multiplier": 0.75, "delta": 1e-5},
        "probe_observer": {"clip": 1, "noise_multiplier": 0},
        "federated": federated,
        "other": [None, True],
    }
    observer = {"role": "federated server", "layers": ["conv", "head"], "aggregation": "client"}
    for name, value in (("model", model), ("training", training), ("observer", observer)):
        tree[f"/{name}"] = Dataset(encode(value), style="plain")
    columns = list(zip(*sessions, strict=True))
    started = numpy.array([list(text.encode()) for text in columns[1]], "u1")
    tree["/sessions"] = Group()
    for name, data in (
        ("first_step", numpy.array(columns[0], "<u8")),
        ("started", started),
        ("cut_bytes", numpy.array(columns[2], "<u8")),
        ("rank", numpy.array(columns[3], "<u2")),
    ):
        tree[f"/sessions/{name}"] = Dataset(data)


def steps(tree, count=STEPS, trainable=True):
    random = numpy.random.default_rng(1)
    index = numpy.array(INDEX[:count], "<i8")
    loss = random.random(count).round(6)
    loss[1:2] = numpy.nan
    tree["/steps"] = Group()
    columns = {
        "index": (index, {}),
        "mode": (numpy.array(MODE[:count], "u1"), {}),
        "epoch": (index / 4, {"unit": "epochs"}),
        "time": (numpy.arange(count) * 1.5, {"unit": "s"}),
        "loss": (loss, {"unit": "nats"}),
        "learning_rate": (numpy.full(count, 0.1), {"unit": "1"}),
        "loss_scale": (numpy.full(count, 1024.0), {"unit": "1"}),
        "accumulation": (numpy.arange(count, dtype="<u4"), {}),
        "participants": (numpy.full(count, 2, "<u4"), {}),
        "model_mode": (numpy.arange(count, dtype="u1") % 3, {}),
        "dropout": (numpy.arange(1, count + 1, dtype="u1") % 3, {}),
        "batch_norm": (numpy.arange(2, count + 2, dtype="u1") % 3, {}),
    }
    for name, (data, attrs) in columns.items():
        if name in VALUES:
            attrs = {"values": VALUES[name]}
        tree[f"/steps/{name}"] = Dataset(data, attrs)
    if trainable:
        data = numpy.ones((count, len(LAYERS)), "u1")
        data[:1, 1], data[3:4, 0], data[:2, 2] = 0, 0, 0
        tree["/steps/trainable"] = Dataset(data)
    tree["/tables"] = Group()


def table(tree, number, rows, records, ranks, streams, **attrs):
    """rows: the step of each row."""
    path = f"/tables/T{number:04}"
    tree[path] = Group(attrs)
    tree[f"{path}/observations"] = Group()
    tree[f"{path}/observations/step"] = Dataset(numpy.array(rows, "<u4"))
    tree[f"{path}/observations/record"] = Dataset(records)
    tree[f"{path}/observations/rank"] = Dataset(numpy.array(ranks, "<u2"))
    tree[f"{path}/streams"] = Group()
    chunk = None if tree.style in ("plain", "compact") else 4
    for name, node in streams.items():
        if chunk and 0 not in node.data.shape:
            node.chunks = (min(chunk, len(node.data)), node.data.shape[1])
            node.style = "zstd" if tree.style == "mixed" else None
        tree[f"{path}/streams/{name}"] = node
    return path


def frozen(tree, rows, layer, values):
    """Puts zeros where the layer was frozen."""
    node = tree.get("/steps/trainable")
    if node is not None and len(rows):
        values[node.data[rows, list(LAYERS).index(layer)] == 0] = 0
    return values


def gradient(tree, random, rows, layer, shape, name=None, sketched=None, **more):
    values = frozen(tree, rows, layer, coarse(random, len(rows), LAYERS[layer]))
    return stream("gradient", name or layer, values, shape, sketched, layer=layer, **more)


def probe(tree, rows=None, ranks=0):
    """Table 0: a probe of examples."""
    rows = numpy.repeat([0, 2, 4], EXAMPLES) if rows is None else numpy.array(rows, int)
    count = len(rows)
    random = numpy.random.default_rng(2)
    noise = {"clip_norm": numpy.float64(1.5), "noise_multiplier": numpy.float64(0.75)}
    pixels = coarse(random, count, 16)
    labels = random.integers(0, 4, (count, 1)).astype("<i4")
    losses = abs(coarse(random, count, 1))
    conv = gradient(tree, random, rows, "conv", [4, 3, 3], stage="noised", **noise)
    seed = 0xFEDCBA9876543210
    body = gradient(
        tree, random, rows, "body.weight", [10, 12], sketched=(24, seed, 4), stage="clipped"
    )
    streams = {
        "L0000": conv,
        "L0001": body,
        "F0002": stream("feature", "pixels", pixels, [1, 4, 4], role="input"),
        "Y0003": stream("label", "class", labels, [1]),
        "S0004": stream("scalar", "loss", losses, [1], unit="nats"),
    }
    ranks = [ranks] * count if isinstance(ranks, int) else ranks
    records = ids("example", [row % EXAMPLES for row in range(count)])
    schedule = '{"every": 5, "start": 0, "end": 12, "why": "test"}'
    attrs = {"name": "probe", "unit": "example", "mode": "probe", "schedule": schedule}
    return table(tree, 0, rows, records, ranks, streams, **attrs)


def members(tree, path, count, seed):
    random = numpy.random.default_rng(seed)
    observation = numpy.repeat(numpy.arange(count), 3)[2:].astype("<u4")
    records = ids("example", random.integers(0, EXAMPLES, len(observation)))
    tree[f"{path}/members"] = Group()
    tree[f"{path}/members/observation"] = Dataset(observation)
    tree[f"{path}/members/record"] = Dataset(records)
    weight = numpy.full(len(observation), 0.25)
    weight[:1] = -0.125
    tree[f"{path}/members/weight"] = Dataset(weight)


def traced(tree, number, unit, rows=(1, 1, 3, 3, 5, 5), with_members=True):
    """Table 1 or 2: batches or clients."""
    rows = numpy.array(rows, int)
    random = numpy.random.default_rng(10 + number)
    stage = "averaged" if unit == "batch" else "delta"
    streams = {"L0000": gradient(tree, random, rows, "conv", [36], stage=stage)}
    if unit == "batch":
        losses = abs(coarse(random, len(rows), 1))
        streams["S0001"] = stream("scalar", "loss", losses, [1], unit="nats")
    else:
        sketched = (5, 0, 4)
        streams["L0001"] = gradient(
            tree, random, rows, "head", [4, 5], sketched=sketched, stage=stage
        )
    records = ids(unit, numpy.arange(len(rows)) % (len(rows) if unit == "batch" else 2))
    attrs = {"name": f"{unit} trace", "unit": unit, "mode": "trace"}
    path = table(tree, number, rows, records, [0] * len(rows), streams, **attrs)
    weight = numpy.full(len(rows), 0.5)
    weight[:1] = numpy.nan
    tree[f"{path}/observations/weight"] = Dataset(weight)
    if unit == "client":
        tree[f"{path}/observations/local_steps"] = Dataset(numpy.arange(len(rows), dtype="<u4"))
        tree[path].attrs["schedule"] = "{}"
    if with_members:
        members(tree, path, len(rows), 20 + number)
    return path


SESSIONS = (
    (0, "2026-01-31T12:00:00Z", 0, 0),
    (2, "2026-01-31T13:00:00Z", 17, 0),
    (2, "2026-02-01T00:00:01Z", 0, 0),
)


def minimal(style="zstd"):
    tree = Tree(style=style)
    root(tree)
    steps(tree, 0, trainable=False)
    return tree


def only_steps(style="mixed"):
    tree = Tree(style=style)
    tree.tight = style == "mixed"
    root(tree, SESSIONS)
    steps(tree)
    return tree


def one_table(style="mixed"):
    tree = only_steps(style)
    probe(tree)
    return tree


def full(style="zstd"):
    tree = one_table(style)
    traced(tree, 1, "batch")
    traced(tree, 2, "client")
    return tree
