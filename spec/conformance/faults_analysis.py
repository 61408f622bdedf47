"""Faults of analysis files."""

import numpy
from build import SCHEMA as OTHER_SCHEMA
from build_analysis import lists
from changes import (
    add,
    attr,
    attrs,
    both,
    cast,
    data,
    edit,
    faults,
    linked,
    no_attr,
    not_utf8,
    put,
    remove,
    shorten,
    text,
    to_group,
    variable,
)
from expected import CELLS, ESTIMATES, MEASURES
from faults_storage import FLETCHER, ZSTD, damaged, flip, missing, stray, virtual
from tree import Dataset, Group

W, L = "/rows/W0000", "/rows/W0000/L0000"
TOKENS = f"{L}/tokens"
RUN, PROVENANCE, SETTINGS = "/run", "/provenance", ("settings",)


def row(path, names, **values):
    """Appends a row: the last one with some values changed."""

    def change(tree):
        for name in names:
            node = tree[f"{path}/{name}"]
            node.data = numpy.concatenate([node.data, node.data[-1:]])
            if name in values:
                node.data[-1] = values[name]

    return change


def cell(**values):
    return row("/cells", CELLS, **values)


def figure(**values):
    return row("/estimates", ESTIMATES, **values)


def absent(number, path, names):
    return [
        (f"{path[1:]}-no-{name.replace('_', '-')}", number, f"no {path}/{name}",
         remove(f"{path}/{name}")) for name in names
    ]  # fmt: skip


def record_twice(tree):
    node = tree[f"{W}/record"]
    node.data = node.data.copy()
    node.data[1] = node.data[0]


ROOT = [
    ("analysis-format-other", 1, "@format is ptoken-analyses",
     attr("/", "format", "ptoken-analyses")),
    ("analysis-format-variable", 1, "@format is of variable length", variable("/", "format")),
    ("analysis-version-2", 2, "@version is 2.0", attr("/", "version", "2.0")),
    ("analysis-version-zero", 2, "@version is 1.01", attr("/", "version", "1.01")),
    ("analysis-schema-of-snapshot", 15, "/schema is that of a snapshot",
     text("/schema", OTHER_SCHEMA)),
    ("analysis-producer-absent", 80, "the root has no @producer", no_attr("/", "producer")),
    ("analysis-producer-not-utf8", 80, "@producer is not UTF-8", not_utf8("/", "producer")),
    *((f"{path[1:].replace('/', '-').replace('_', '-')}-no-unit", 80, f"{path} has no @unit",
       no_attr(path, "unit")) for path in (
        "/windows/epoch", "/windows/label_entropy", "/windows/label_chance",
        "/cells/kept_variance")),
    ("label-entropy-bits", 80, "@unit of /windows/label_entropy is bits",
     attr("/windows/label_entropy", "unit", "bits")),
    *((f"{name}-absent", 81, f"no /{name}", remove(f"/{name}"))
      for name in ("run", "warnings")),
    ("run-link", 81, "a soft link in place of /run", linked(RUN)),
    ("provenance-not-utf8", 81, "/provenance is not UTF-8",
     put(PROVENANCE, 12, 0xFF)),
    ("warnings-object", 81, "/warnings is a JSON object", text("/warnings", b"{}")),
    ("warnings-numbers", 81, "/warnings has a number", text("/warnings", b'["a", 1]')),
    ("run-status-null", 81, "status of /run is null", edit(RUN, "status", None)),
    ("run-model-object", 81, "model of /run is an object", edit(RUN, "model", {})),
    ("provenance-no-input", 81, "/provenance has no input", edit(PROVENANCE, "input", ...)),
    ("provenance-digest-upper", 81, "inputDigest has capitals",
     edit(PROVENANCE, "inputDigest", "0123456789ABCDEF" * 4)),
    ("provenance-library-number", 81, "a version of a library is a number",
     edit(PROVENANCE, "libraries", "HDF5", 2)),
    ("provenance-no-settings", 81, "/provenance has no settings",
     edit(PROVENANCE, "settings", ...)),
    ("settings-seed-large", 81, "seed is 2^64", edit(PROVENANCE, *SETTINGS, "seed", 2**64)),
]  # fmt: skip
COLUMNS = [
    ("layers-absent", 82, "no /layers", remove("/layers")),
    ("layers-gap", 82, "layers 0, 1 and 3, no layer 2",
     add("/layers/L0003", Group({"name": "head", "stage": "raw", "parameters": numpy.uint64(20),
                                 "width": numpy.uint64(20)}))),
    ("layer-no-name", 82, "a layer has no @name", no_attr("/layers/L0001", "name")),
    ("layer-width-int64", 82, "@width of a layer is int64",
     attr("/layers/L0000", "width", numpy.int64(36))),
    *absent(83, "/windows", ("last_step",)),
    ("windows-mode-uint32", 83, "/windows/mode is uint32", cast("/windows/mode", "<u4")),
    ("windows-step-big-endian", 83, "/windows/first_step is big-endian",
     cast("/windows/first_step", ">i8")),
    ("windows-loss-short", 83, "/windows/loss is a row short", shorten("/windows/loss")),
    ("cells-link", 84, "a soft link in place of /cells", linked("/cells")),
    *absent(84, "/cells", ("layer",)),
    ("cells-components-int32", 84, "/cells/components is int32", cast("/cells/components", "<i4")),
    ("cells-twice", 84, "a pair of layer and window has two cells", cell()),
    ("cells-window-beyond", 85, "a cell of a window that is not there", cell(window=9)),
    ("cells-layer-beyond", 85, "a cell of a layer that is not there", both(
        cell(layer=7), add("/rows/W0001/L0007", Group()),
        lambda tree: tree.__setitem__("/rows/W0001/L0007/tokens", Dataset(
            tree["/rows/W0001/L0000/tokens"].data)))),
    ("estimates-absent", 86, "no /estimates", remove("/estimates")),
    *absent(86, "/estimates", ("high",)),
    ("estimates-value-float32", 86, "/estimates/value is float32", cast("/estimates/value", "<f4")),
    ("estimates-p-short", 86, "/estimates/p is a row short", shorten("/estimates/p")),
    ("figure-twice", 86, "a cell has two figures of a measure", figure()),
    ("figure-cell-beyond", 86, "a figure of a cell that is not there", figure(cell=3)),
    ("figure-measure-beyond", 86, "a figure of a measure that is not there", figure(measure=7)),
    *((f"estimates-no-{name}-text", 87, f"/estimates has no @{name}",
       no_attr("/estimates", name)) for name in ("measures", "kinds", "flags")),
    ("estimates-units-short", 87, "@units has an entry too few",
     attrs("/estimates", units=lists(MEASURES[:-1])["units"])),
    ("estimates-kinds-long", 87, "@kinds has an entry too many",
     attrs("/estimates", kinds=lists(MEASURES)["kinds"] + ",score")),
]  # fmt: skip
ROWS = [
    ("rows-absent", 88, "no /rows", remove("/rows")),
    ("window-rows-absent", 88, "no rows of window 1", remove("/rows/W0001")),
    ("rows-no-fold", 88, "a window's rows have no fold", remove(f"{W}/fold")),
    ("rows-record-twice", 88, "a record twice in a window", record_twice),
    ("rows-count", 88, "a window has fewer rows than /windows/rows says",
     put("/windows/rows", 0, 7)),
    ("cell-rows-absent", 88, "a cell has no group in its window", remove(L)),
    ("tokens-float64", 88, "tokens are float64", cast(TOKENS, "<f8")),
    ("tokens-short", 88, "tokens are a row short", shorten(TOKENS)),
    ("tokens-narrow", 88, "tokens have fewer components than the cell says",
     data(TOKENS, lambda old: old[:, :-1].copy())),
    ("score-float32", 88, "a score is float32", cast(f"{L}/gaussian", "<f4")),
    ("score-group", 88, "a group in place of a score", to_group(f"{L}/gaussian")),
    ("virtual-tokens", 72, "tokens are a virtual dataset", virtual(TOKENS)),
    ("tokens-corrupt", 51, "a chunk of tokens has a wrong checksum",
     damaged(TOKENS, [(ZSTD, 3), (FLETCHER,)], flip(-1), 0)),
    ("estimates-value-missing", 51, "the chunk of /estimates/value is not stored",
     missing("/estimates/value", 0)),
    ("analysis-stray-link", 71, "a stray soft link in /windows", stray("/windows", "soft")),
]  # fmt: skip
FAULTS = faults("analysis-empty", ROOT) + faults("analysis-small", COLUMNS + ROWS)
