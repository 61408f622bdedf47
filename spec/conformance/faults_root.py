"""Faults of the root, of the descriptions, of sessions and of steps."""

import h5py
import numpy
from build import encode
from build_analysis import SCHEMA as OTHER_SCHEMA
from changes import (
    TERMINATED,
    add,
    array_of_texts,
    attr,
    both,
    cast,
    data,
    edit,
    extend,
    faults,
    linked,
    no_attr,
    not_utf8,
    padded,
    put,
    raised,
    remove,
    shorten,
    stored,
    text,
    to_group,
    variable,
)
from h5py import h5t
from tree import Dataset, Group, Text


def no_marks(tree):
    tree.clear()
    tree["/"] = Group()
    tree["/values"] = Dataset(numpy.arange(9.0))


def huge(path):
    """JSON of one byte more than 16 MiB, mostly spaces."""

    def change(tree):
        old = tree[path].data.tobytes()
        tree[path].data = encode(old + b" " * ((16 << 20) + 1 - len(old)))
        tree[path].style, tree[path].filters = "zstd alone", [(32015, 19)]

    return change


def many_sessions(tree):
    for name in ("first_step", "started", "cut_bytes", "rank"):
        node = tree[f"/sessions/{name}"]
        node.data, node.style = numpy.repeat(node.data[:1], 65537, axis=0), "zstd alone"


VERSIONS = {
    "version-one-number": "1",
    "version-three-numbers": "1.0.0",
    "version-leading-zero": "01.0",
    "version-minor-leading-zero": "1.00",
    "version-space": "1.0 ",
    "version-no-minor": "1.",
    "version-major-2": "2.0",
    "version-major-0": "0.1",
    "version-arabic-digits": "\u0661.\u0660",
}
RUN_IDS = {
    "run-id-upper": "0B5E7C1A-93D4-4F6E-8A21-5C7D9E0F1A2B",
    "run-id-no-hyphens": "0b5e7c1a93d44f6e8a215c7d9e0f1a2b",
    "run-id-other-letter": "0b5e7c1a-93d4-4f6e-8a21-5c7d9e0f1a2g",
    "run-id-hyphen-place": "0b5e7c1a9-3d4-4f6e-8a21-5c7d9e0f1a2b",
}
TIMES = {
    "words": "yesterday",
    "offset": "2026-01-31T12:00:00+00:00",
    "fraction": "2026-01-31T12:00:00.000Z",
    "no-zone": "2026-01-31T12:00:00",
    "month-13": "2026-13-31T12:00:00Z",
}
IDENTITY = [
    ("format-absent", 1, "the root has no @format", no_attr("/", "format")),
    ("format-journal", 1, "@format is another one", attr("/", "format", "ptoken-journal")),
    ("format-longer", 1, "@format ends in a space", attr("/", "format", "ptoken-snapshot ")),
    ("no-marks", 1, "an HDF5 file of someone else", no_marks),
    ("version-absent", 2, "the root has no @version", no_attr("/", "version")),
    ("version-variable", 2, "@version is of variable length", variable("/", "version")),
    *((name, 2, f"@version is {value!r}", attr("/", "version", value))
      for name, value in VERSIONS.items()),
    ("run-id-absent", 4, "the root has no @run_id", no_attr("/", "run_id")),
    ("run-id-variable", 4, "@run_id is of variable length", variable("/", "run_id")),
    *((name, 4, f"@run_id is {value}", attr("/", "run_id", value))
      for name, value in RUN_IDS.items()),
    ("created-absent", 5, "the root has no @created", no_attr("/", "created")),
    *((f"created-{name}", 5, f"@created is {value}", attr("/", "created", value))
      for name, value in TIMES.items()),
    ("producer-absent", 6, "the root has no @producer", no_attr("/", "producer")),
    ("producer-not-utf8", 6, "@producer is not UTF-8", not_utf8("/", "producer")),
    ("producer-not-ascii", 6, "@producer is declared ASCII, but is not",
     attr("/", "producer", Text("Ä", charset=h5t.CSET_ASCII))),
    ("producer-surrogate", 6, "@producer is not UTF-8: a surrogate in three bytes",
     attr("/", "producer", Text(b"a\xed\xa0\x80"))),
    ("producer-null-terminated", 6, "@producer is null-terminated, not null-padded",
     padded("/", "producer", TERMINATED)),
    ("producer-long", 6, "@producer has 4097 bytes", attr("/", "producer", "x" * 4097)),
    ("producer-empty-space", 6, "@producer has a null dataspace",
     attr("/", "producer", h5py.Empty(h5py.string_dtype("utf-8", 4)))),
    ("status-absent", 7, "the root has no @status", no_attr("/", "status")),
    ("status-other", 7, "@status is none of the three", attr("/", "status", "finished")),
    ("status-array", 7, "@status is an array of one text", array_of_texts("/", "status")),
]  # fmt: skip
MODEL, LAYER = "/model", ("layers", 0)
DESCRIPTIONS = [
    ("model-absent", 10, "no /model", remove(MODEL)),
    ("model-group", 10, "/model is a group", to_group(MODEL)),
    ("training-int8", 10, "/training is int8", cast("/training", "i1")),
    ("training-link", 10, "a soft link in place of /training", linked("/training")),
    ("model-external-link", 10, "an external link in place of /model", linked(MODEL, "external")),
    ("model-huge", 10, "/model has 16 MiB and a byte", huge(MODEL)),
    ("training-empty", 10, "/training has no bytes", text("/training", b"")),
    ("training-not-utf8", 10, "/training is not UTF-8", text("/training", b'{"a": "\xff"}')),
    ("training-not-json", 10, "/training is not JSON", text("/training", b"{'a': 1}")),
    ("training-nan", 10, "/training has NaN, which JSON has not", text("/training", b'{"a": NaN}')),
    ("training-leading-zero", 10, "/training has the number 01", text("/training", b'{"a": 01}')),
    ("training-control", 10, "/training has a line feed in a string",
     text("/training", b'{"a": "\n"}')),
    ("training-tail", 10, "/training has more after the object", text("/training", b"{} {}")),
    ("model-name-number", 11, "name of /model is a number", edit(MODEL, "name", 1)),
    ("model-no-layers", 11, "/model has no layers", edit(MODEL, "layers", ...)),
    ("model-layer-text", 11, "a layer is a string", edit(MODEL, *LAYER, "conv")),
    ("model-layer-name-null", 11, "a layer's name is null", edit(MODEL, *LAYER, "name", None)),
    ("model-layers-alike", 11, "two layers have one name",
     edit(MODEL, "layers", 2, "name", "conv")),
    ("model-layer-no-parameters", 11, "a layer has no parameters",
     edit(MODEL, *LAYER, "parameters", ...)),
    ("model-layer-negative", 11, "a layer has -1 parameters",
     edit(MODEL, *LAYER, "parameters", -1)),
    ("model-layer-true", 11, "parameters of a layer is true",
     edit(MODEL, *LAYER, "parameters", True)),
    ("model-no-parameters", 11, "/model has no parameters", edit(MODEL, "parameters", ...)),
    ("model-few-parameters", 11, "/model has fewer parameters than its layers",
     edit(MODEL, "parameters", 175)),
    *((f"training-{name}", 12, f"{'.'.join(keys[:-1])} of /training is {keys[-1]!r}"
       if keys[-1] is not ... else f"{'.'.join(keys[:-1])} of /training is absent",
       edit("/training", *keys)) for name, *keys in (
        ("data-number", "data", 1),
        ("rate-text", "learning_rate", "0.1"),
        ("batch-negative", "batch_size", -1),
        ("batch-fraction", "batch_size", 1.5),
        ("sampling-number", "sampling", 2),
        ("sampling-rate-above", "sampling_rate", 1.25),
        ("clip-zero", "dp_sgd", "clip", 0),
        ("clip-absent", "dp_sgd", "clip", ...),
        ("noise-negative", "dp_sgd", "noise_multiplier", -0.5),
        ("dp-sgd-number", "dp_sgd", 1),
        ("probe-noise-absent", "probe_observer", "noise_multiplier", ...),
        ("clients-absent", "federated", "clients", ...),
        ("clients-zero", "federated", "clients", 0),
        ("local-steps-fraction", "federated", "local_steps", 2.5),
        ("aggregation-number", "federated", "aggregation", 1),
    )),
    ("schema-absent", 15, "no /schema", remove("/schema")),
    ("schema-not-json", 15, "/schema is not JSON", put("/schema", 0, ord("x"))),
    ("schema-other-byte", 15, "/schema has another byte, and is JSON",
     put("/schema", 2, ord("\t"))),
    ("schema-of-analysis", 15, "/schema is that of an analysis", text("/schema", OTHER_SCHEMA)),
    *((f"observer-{name}", 16, words, edit("/observer", *keys)) for name, words, *keys in (
        ("no-role", "/observer has no role", "role", ...),
        ("role-array", "role of /observer is an array", "role", ["a"]),
        ("no-layers", "/observer has no layers", "layers", ...),
        ("layers-text", "layers of /observer is neither all nor an array", "layers", "conv"),
        ("layers-unknown", "/observer sees a layer that the model has not", "layers", ["x"]),
        ("layers-numbers", "layers of /observer are numbers", "layers", [0]),
        ("no-aggregation", "/observer has no aggregation", "aggregation", ...),
        ("aggregation-other", "aggregation of /observer is none of the four",
         "aggregation", "mean"),
    )),
]  # fmt: skip
SESSIONS = [
    ("sessions-absent", 17, "no /sessions", remove("/sessions")),
    ("sessions-link", 17, "a soft link in place of /sessions", linked("/sessions")),
    *((f"sessions-no-{name.replace('_', '-')}", 17, f"no /sessions/{name}",
       remove(f"/sessions/{name}")) for name in ("first_step", "rank")),
    ("sessions-first-step-int64", 17, "/sessions/first_step is int64",
     cast("/sessions/first_step", "<i8")),
    ("sessions-rank-uint32", 17, "/sessions/rank is uint32", cast("/sessions/rank", "<u4")),
    ("sessions-rank-short", 17, "/sessions/rank is a row short", shorten("/sessions/rank")),
    ("sessions-started-19", 17, "/sessions/started has 19 columns",
     data("/sessions/started", lambda old: old[:, :19].copy())),
    ("sessions-none", 18, "there is no session",
     both(*(data(f"/sessions/{name}", lambda old: old[:0])
            for name in ("first_step", "started", "cut_bytes", "rank")))),
    ("sessions-many", 18, "there are 65537 sessions", many_sessions),
    ("sessions-begin", 18, "the first session begins at step 1",
     put("/sessions/first_step", 0, 1)),
    ("sessions-descend", 18, "first_step descends", put("/sessions/first_step", 1, 3)),
    ("sessions-beyond", 18, "a session begins after more steps than there are",
     put("/sessions/first_step", 2, 8)),
    ("sessions-started-form", 18, "a session's time has a space",
     put("/sessions/started", (1, 10), ord(" "))),
    ("sessions-started-byte", 18, "a session's time has a byte that is not ASCII",
     put("/sessions/started", (1, 3), 0xB6)),
]  # fmt: skip


def columns(number, words, change, *names):
    return [(f"steps-{words}-{name.replace('_', '-')}", number, f"/steps/{name}: {words}",
             change(f"/steps/{name}")) for name in names]  # fmt: skip


STEPS = [
    ("steps-absent", 20, "no /steps", remove("/steps")),
    *columns(20, "absent", remove, "index", "loss", "batch_norm"),
    *columns(20, "row-short", shorten, "trainable"),
    *columns(20, "row-more", extend, "participants"),
    *columns(20, "float32", lambda path: cast(path, "<f4"), "loss"),
    *columns(20, "big-endian", lambda path: cast(path, ">f8"), "time"),
    *columns(20, "big-endian", lambda path: cast(path, ">i8"), "index"),
    *columns(20, "int64", lambda path: cast(path, "<i8"), "accumulation"),
    *columns(20, "int8", lambda path: cast(path, "i1"), "mode"),
    *columns(20, "two-axes", raised, "loss"),
    *columns(20, "soft-link", linked, "loss_scale"),
    *columns(20, "group", to_group, "batch_norm"),
    *columns(20, "enum", lambda path: stored(path, h5t.py_create(
        h5py.enum_dtype({"probe": 0, "trace": 1}, "u1"), logical=True)), "mode"),
    ("trainable-columns", 20, "/steps/trainable has a column too few",
     data("/steps/trainable", lambda old: old[:, :-1].copy())),
    ("index-descends", 22, "/steps/index descends", put("/steps/index", 3, -1)),
    ("step-mode-2", 23, "a step's mode is 2", put("/steps/mode", 6, 2)),
    *((f"step-{name.replace('_', '-')}-3", 23, f"a step's {name} is 3",
       put(f"/steps/{name}", 6, 3)) for name in ("model_mode", "dropout", "batch_norm")),
    ("step-trainable-2", 23, "trainable is 2", put("/steps/trainable", (6, 1), 2)),
    *((f"{name.replace('_', '-')}-no-values", 23, f"/steps/{name} has no @values",
       no_attr(f"/steps/{name}", "values"))
      for name in ("mode", "batch_norm")),
    ("mode-values-other", 23, "@values of /steps/mode is another text",
     attr("/steps/mode", "values", "0 trace, 1 probe")),
    ("dropout-values-variable", 23, "@values of /steps/dropout is of variable length",
     variable("/steps/dropout", "values")),
    *((f"{name.replace('_', '-')}-no-unit", 24, f"/steps/{name} has no @unit",
       no_attr(f"/steps/{name}", "unit"))
      for name in ("epoch", "loss", "loss_scale")),
    ("time-unit-other", 24, "@unit of /steps/time is ms", attr("/steps/time", "unit", "ms")),
    ("loss-unit-not-utf8", 24, "@unit of /steps/loss is not UTF-8",
     not_utf8("/steps/loss", "unit")),
    ("tables-absent", 30, "no /tables", remove("/tables")),
    ("tables-stray-group", 30, "a group in /tables that is no table", add("/tables/note", Group())),
]  # fmt: skip
FAULTS = faults("steps", IDENTITY + DESCRIPTIONS + SESSIONS + STEPS)
