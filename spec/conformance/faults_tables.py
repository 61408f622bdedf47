"""Faults of tables, observations, members and streams."""

import numpy
from changes import (
    add,
    attr,
    attrs,
    both,
    cast,
    data,
    faults,
    flat,
    linked,
    move,
    no_attr,
    put,
    remove,
    shorten,
    to_dataset,
    to_group,
    variable,
)
from tree import Dataset, Group, Link

T, BATCH, CLIENT = "/tables/T0000", "/tables/T0001", "/tables/T0002"
ROWS = f"{T}/observations"
CONV, BODY, PIXELS, LABELS, LOSS = (
    f"{T}/streams/{name}" for name in ("L0000", "L0001", "F0002", "Y0003", "S0004")
)
NAN, INFINITY = numpy.nan, numpy.inf


def u8(*values):
    return numpy.array(values, "<u8")


def f8(value):
    return numpy.float64(value)


def many_tables(tree):
    for number in range(1, 257):
        tree[f"/tables/T{number:04}"] = Link("hard", T)


def sketched_labels(tree):
    tree[LABELS].attrs |= {
        "sketch": "sparse-sign",
        "sketch_seed": numpy.uint64(1),
        "sketch_nonzeros": numpy.uint32(1),
    }


def wide(tree):
    """A width of 2^24 + 1, in a table without rows."""
    node = tree[CONV]
    node.data = numpy.empty((0, (1 << 24) + 1), "f4")
    node.attrs["shape"] = u8((1 << 24) + 1)
    node.style, node.chunks = "plain", None


def unfreeze(path, row):
    """A number that is not 0 in a row of a frozen layer."""
    return put(path, (row, 2), 0.5)


TABLES = [
    ("tables-gap", 30, "tables 0 and 2, no table 1", move(BATCH, "/tables/T0003")),
    ("table-three-digits", 30, "a table's name has three digits", move(T, "/tables/T000")),
    ("table-link", 30, "a soft link in place of a table", linked(T)),
    ("table-dataset", 30, "a dataset in place of a table", to_dataset(T)),
    ("tables-many", 30, "257 tables", many_tables),
    ("table-no-name", 31, "a table has no @name", no_attr(T, "name")),
    ("table-name-variable", 31, "@name of a table is of variable length", variable(T, "name")),
    ("streams-absent", 31, "a table has no streams", remove(f"{T}/streams")),
    ("streams-dataset", 31, "streams of a table is a dataset", to_dataset(f"{T}/streams")),
    ("table-no-unit", 32, "a table has no @unit", no_attr(T, "unit")),
    ("table-unit-other", 32, "@unit of a table is examples", attr(T, "unit", "examples")),
    ("table-no-mode", 33, "a table has no @mode", no_attr(T, "mode")),
    ("table-mode-other", 33, "@mode of a table is both", attr(T, "mode", "both")),
    ("table-mode-of-steps", 33, "a trace table has rows of probe steps", attr(T, "mode", "trace")),
    ("observations-absent", 34, "a table has no observations", remove(ROWS)),
    *((f"observations-no-{name}", 34, f"no observations/{name}", remove(f"{ROWS}/{name}"))
      for name in ("step", "record")),
    ("observations-step-int64", 34, "observations/step is int64", cast(f"{ROWS}/step", "<i8")),
    ("observations-record-flat", 34, "observations/record has one axis", flat(f"{ROWS}/record")),
    ("observations-record-15", 34, "observations/record has 15 columns",
     data(f"{ROWS}/record", lambda old: old[:, :15].copy())),
    ("observations-rank-short", 34, "observations/rank is a row short", shorten(f"{ROWS}/rank")),
    ("observations-step-beyond", 34, "a row of a step that is not there",
     put(f"{ROWS}/step", -1, 7)),
    ("record-twice", 36, "a record twice in one step of a probe",
     lambda tree: put(f"{ROWS}/record", 1, tree[f"{ROWS}/record"].data[0])(tree)),
    ("members-of-examples", 90, "a table of examples has members", both(
        add(f"{T}/members", Group()),
        add(f"{T}/members/observation", Dataset(numpy.arange(3, dtype="<u4"))),
        add(f"{T}/members/record", Dataset(numpy.zeros((3, 16), "u1"))),
        add(f"{T}/members/weight", Dataset(numpy.ones(3))))),
    ("weight-of-examples", 93, "a table of examples has weights",
     add(f"{ROWS}/weight", Dataset(numpy.ones(12)))),
    ("local-steps-of-examples", 93, "a table of examples has local_steps",
     add(f"{ROWS}/local_steps", Dataset(numpy.ones(12, "<u4")))),
    *((f"schedule-{name}", 94, f"@schedule {words}", attr(T, "schedule", value))
      for name, words, value in (
        ("not-json", "is not JSON", "every 5"),
        ("array", "is a JSON array", "[5]"),
        ("every-text", "has a string for every", '{"every": "5"}'),
        ("start-fraction", "has 0.5 for start", '{"start": 0.5}'),
        ("end-null", "has null for end", '{"end": null}'),
    )),
]  # fmt: skip
STREAMS = [
    ("streams-gap", 40, "a number is left out", move(LOSS, f"{T}/streams/S0005")),
    ("streams-unknown-letter", 40, "a stream has the letter X, in version 1.0",
     move(LOSS, f"{T}/streams/X0004")),
    ("streams-stray-dataset", 40, "a dataset in streams that is no stream",
     add(f"{T}/streams/notes", Dataset(numpy.zeros(3)))),
    ("stream-group", 41, "a group in place of a stream", to_group(LOSS)),
    ("stream-link", 41, "a soft link in place of a stream", linked(LOSS)),
    ("stream-no-name", 41, "a stream has no @name", no_attr(LOSS, "name")),
    ("stream-name-twice", 41, "two streams have one @name", attr(LOSS, "name", "class")),
    ("stream-no-kind", 42, "a stream has no @kind", no_attr(PIXELS, "kind")),
    ("stream-kind-of-another", 42, "a stream F has @kind scalar", attr(PIXELS, "kind", "scalar")),
    ("gradient-no-stage", 43, "a gradient has no @stage", no_attr(CONV, "stage")),
    ("gradient-stage-other", 43, "@stage of a gradient is cooked", attr(CONV, "stage", "cooked")),
    ("stream-no-shape", 44, "a stream has no @shape", no_attr(CONV, "shape")),
    *((f"stream-shape-{name}", 44, f"@shape of a stream {words}", attr(path, "shape", value))
      for name, words, path, value in (
        ("product", "has another product than the width", CONV, u8(4, 3, 4)),
        ("zero", "has a length 0", CONV, u8(36, 0)),
        ("none", "has no lengths", CONV, u8()),
        ("scalar", "is a scalar", CONV, numpy.uint64(36)),
        ("nine-axes", "has nine axes", CONV, u8(36).reshape((1,) * 9)),
        ("int64", "is int64", CONV, numpy.array([36], "<i8")),
        ("many", "has 33 lengths", CONV, u8(*[1] * 32, 36)),
        ("large", "has a product above 2^40", BODY, u8(2**20, 2**20 + 1)),
        ("overflow", "has the product 2^64 + 2^40", BODY, u8(2**40, 2**24 + 1)),
    )),
    ("stream-float64", 45, "a gradient is float64", cast(CONV, "<f8")),
    ("stream-big-endian", 45, "a feature is big-endian", cast(PIXELS, ">f4")),
    ("label-int64", 45, "labels are int64", cast(LABELS, "<i8")),
    ("stream-one-axis", 45, "a stream has one axis", flat(LOSS)),
    ("stream-short", 45, "a stream is a row short", shorten(CONV)),
    ("gradient-no-layer", 45, "a gradient has no @layer", no_attr(CONV, "layer")),
    ("gradient-layer-unknown", 45, "@layer is none of the model", attr(CONV, "layer", "conv ")),
    ("gradient-nan", 46, "a gradient is NaN", put(CONV, (11, 35), NAN)),
    ("sketch-infinite", 46, "a sketched gradient is infinite", put(BODY, (11, 0), INFINITY)),
    ("scalar-nan", 46, "a scalar is NaN", put(LOSS, -1, NAN)),
    ("label-negative", 46, "a label is -1", put(LABELS, 5, -1)),
    ("role-other", 48, "@role of a feature is picture", attr(PIXELS, "role", "picture")),
    *((f"clip-norm-{name}", 49, f"@clip_norm {words}", attr(CONV, "clip_norm", value))
      for name, words, value in (
        ("zero", "is 0", f8(0)), ("infinite", "is infinite", f8(INFINITY)),
        ("array", "is an array", numpy.array([1.5])))),
    *((f"noise-{name}", 49, f"@noise_multiplier {words}", attr(CONV, "noise_multiplier", value))
      for name, words, value in (
        ("negative", "is negative", f8(-0.5)), ("nan", "is NaN", f8(NAN)))),
    ("noise-without-clip", 49, "@noise_multiplier without @clip_norm",
     no_attr(CONV, "clip_norm")),
    ("no-sketch", 60, "a stream has no @sketch", no_attr(CONV, "sketch")),
    ("sketch-other", 60, "@sketch is dense", attr(BODY, "sketch", "dense")),
    ("sketch-no-seed", 60, "a sketch has no seed", no_attr(BODY, "sketch_seed")),
    ("sketch-nonzeros-0", 60, "no nonzeros", attr(BODY, "sketch_nonzeros", numpy.uint32(0))),
    ("sketch-nonzeros-17", 60, "17 nonzeros", attr(BODY, "sketch_nonzeros", numpy.uint32(17))),
    ("sketch-nonzeros-uint64", 60, "nonzeros is uint64",
     attr(BODY, "sketch_nonzeros", numpy.uint64(4))),
    ("sketch-wider", 60, "a sketch is wider than the row", attrs(BODY, shape=u8(23))),
    ("label-sketched", 66, "labels are sketched", sketched_labels),
    ("frozen-layer", 25, "a frozen layer has a sketched gradient", unfreeze(BODY, 3)),
]  # fmt: skip
M = f"{BATCH}/members"
WEIGHT, LOCAL = f"{BATCH}/observations/weight", f"{CLIENT}/observations/local_steps"
FULL = [
    ("step-descends", 35, "the rows of a step are not adjacent",
     put(f"{BATCH}/observations/step", -1, 1)),
    ("frozen-layer-plain", 25, "a frozen layer has a gradient",
     unfreeze(f"{BATCH}/streams/L0000", 2)),
    *((f"members-no-{name}", 90, f"no members/{name}", remove(f"{M}/{name}"))
      for name in ("observation", "weight")),
    ("members-link", 90, "a soft link in place of members", linked(M)),
    ("members-weight-float32", 90, "members/weight is float32", cast(f"{M}/weight", "<f4")),
    ("members-record-short", 90, "members/record is a row short", shorten(f"{M}/record")),
    ("members-descend", 91, "members/observation descends", put(f"{M}/observation", 9, 0)),
    ("members-beyond", 91, "a member of a row that is not there", put(f"{M}/observation", -1, 6)),
    ("members-weight-infinite", 92, "a member's weight is infinite",
     put(f"{M}/weight", 2, INFINITY)),
    ("weight-float32", 93, "observations/weight is float32", cast(WEIGHT, "<f4")),
    ("weight-infinite", 93, "observations/weight is infinite", put(WEIGHT, 1, INFINITY)),
    ("local-steps-int32", 93, "observations/local_steps is int32", cast(LOCAL, "<i4")),
    ("local-steps-of-batches", 93, "a table of batches has local_steps",
     add(f"{BATCH}/observations/local_steps", Dataset(numpy.ones(6, "<u4")))),
]  # fmt: skip
LARGE = [("stream-wide", 70, "a stream's width is 2^24 + 1", wide)]
FAULTS = [
    fault
    for fault in faults("one-table", TABLES[1:] + STREAMS)
    + faults("full-small", TABLES[:1] + FULL)
    + faults("no-rows", LARGE)
]
