"""The valid files by name, as trees (tree.py)."""

import h5py
import hdf5plugin
import numpy
from build import (
    EXAMPLES,
    encode,
    full,
    gradient,
    identify,
    minimal,
    one_table,
    only_steps,
    probe,
    root,
    steps,
    stream,
    traced,
)
from build_analysis import FLAGS, MEASURES, analysis
from expected import groups
from h5py import h5f, h5t
from tree import ZSTD, Dataset, Group, Link, Special, Text, Tree, commit


def partly_filled():
    """Chunks that reach beyond the rows, on growing datasets."""
    tree = full()
    for path, node in tree.items():
        if isinstance(node, Dataset) and path.startswith(("/steps", "/tables", "/sessions")):
            rows = 10 if "/streams/" in path else 4
            node.chunks, node.grows = (rows, *node.data.shape[1:]), 1
    wide = tree["/tables/T0000/streams/L0000"]
    wide.chunks, wide.grows = (7, 5), 2
    return tree


def skip_filters(dataset):
    """The second chunk without any filter, the third with shuffle alone."""
    rows = dataset.chunks[0]
    data = dataset[rows : 2 * rows].astype(dataset.dtype)
    dataset.id.write_direct_chunk((rows, 0), data.tobytes(), 0b111)
    last = dataset[2 * rows : 3 * rows]
    shuffled = last.view("u1").reshape(-1, 4).T.tobytes()
    dataset.id.write_direct_chunk((2 * rows, 0), shuffled, 0b110)


def skipped_filters():
    tree = full()
    tree["/tables/T0000/streams/L0000"].after = skip_filters
    node = tree["/tables/T0000/streams/L0001"]
    node.after = lambda dataset: dataset.id.write_direct_chunk((0, 0), dataset[:4].tobytes(), 0b111)
    return tree


def variable(target, name):
    target.attrs.create(name, "a text of variable length", dtype=h5py.string_dtype())


def unknown_object(group, name):
    group.create_dataset(name, data=["variable", "length"], dtype=h5py.string_dtype())


def unknown_filter(group, name):
    group.create_dataset(name, data=numpy.arange(99), chunks=(10,), **hdf5plugin.LZ4())


def unknown_type(group, name):
    commit(group, name, h5t.py_create(numpy.dtype([("a", "<i2"), ("b", ">f8")])))


def unknown_dataset():
    return Dataset(numpy.arange(6, dtype=">i2").reshape(1, 2, 3), {"odd": variable})


def unknown_objects():
    """What R-008 allows in version 1.0."""
    tree = full()
    tree["/notes"] = Group({"odd": variable})
    tree["/notes/T0000"] = Group()
    tree["/notes/link"] = Link("soft", "/nowhere")
    tree["/notes/file"] = Link("external", "/")
    tree["/again"] = Link("hard", "/")
    tree["/words"] = Special(unknown_object)
    tree["/packed"] = Special(unknown_filter)
    tree["/type"] = Special(unknown_type)
    table = "/tables/T0001"
    for path in ("/steps", "/sessions", table, f"{table}/observations", f"{table}/members"):
        tree[f"{path}/extra"] = unknown_dataset()
        tree[path].attrs["extra"] = numpy.array([[1, 2]], ">i4")
    for path in ("/", "/model", "/steps/loss", "/tables", f"{table}/streams/L0000"):
        tree[path].attrs["odd"] = variable
        tree[path].attrs["nothing"] = h5py.Empty("f8")
    return tree


def newer(version):
    """A newer minor version: unknown streams and another schema."""
    tree = full()
    tree["/"].attrs["version"] = version
    tree["/"].attrs["mood"] = "good"
    tree["/schema"].data = encode({"version": version})
    tree["/summaries"] = Group({"kind": "unknown"})
    tree["/summaries/S0000"] = unknown_dataset()
    streams = "/tables/T0001/streams"
    tree[f"{streams}/X0002"] = Dataset(
        numpy.arange(12, dtype="<i2").reshape(2, 3, 2), {"name": "unknown", "kind": "hologram"}
    )
    node = gradient(tree, numpy.random.default_rng(5), [1, 1, 3, 3, 5, 5], "head", [20])
    node.attrs |= {"kind": "curvature", "stage": "cooked"}
    tree[f"{streams}/L0003"] = node
    node = Dataset(numpy.full((6, 1), 7, "<i4"), dict(tree[f"{streams}/S0001"].attrs))
    node.attrs |= {"name": "last", "kind": "label"}
    tree[f"{streams}/Y0004"] = node
    return tree


def newer_ten():
    tree = only_steps()
    tree["/"].attrs["version"] = "1.10"
    tree["/schema"].data = encode(b"{}")
    return tree


def unicode():
    tree = one_table()
    tree["/"].attrs["producer"] = "Ä-Programm 日本語 😀 1.0"
    table = tree["/tables/T0000"]
    table.attrs["name"] = 'Tabelle „ä" <b>&amp;</b> \u202e'
    table.attrs["schedule"] = Text('{"every": 5, "größe": "naïve\\u00e9"}', size=99)
    tree["/steps/loss"].attrs["unit"] = Text("größe", size=64)
    streams = "/tables/T0000/streams"
    tree[f"{streams}/S0004"].attrs |= {"name": "", "unit": ""}
    tree[f"{streams}/L0000"].attrs |= {"name": "e\u0301", "layer": "層/свёртка"}
    tree[f"{streams}/L0001"].attrs["name"] = "\u00e9"
    layers = [
        {"name": "層/свёртка", "parameters": 36},
        {"name": "body.weight", "parameters": 120},
        {"name": "head", "parameters": 20},
    ]
    model = {"name": "模型", "layers": layers, "parameters": 176}
    text = '{"role": "lecteur \\u00e9l\\u00e8ve \\ud83d\\ude00", "layers": "all", '
    tree["/model"].data = encode(model)
    tree["/observer"].data = encode((text + '"aggregation": "none"}').encode())
    tree["/training"].data = encode(b' {\r\n\t"data" : "\xc3\xa9 \\" \\\\ \\/", "seed":0 }\n')
    return tree


def two_ranks():
    tree = Tree()
    time = "2026-01-31T12:00:00Z"
    root(tree, [(0, time, 0, 0), (0, time, 0, 1)], status="crashed")
    steps(tree)
    probe(tree, ranks=[row // 2 % 2 for row in range(3 * EXAMPLES)])
    traced(tree, 1, "batch")
    tree["/tables/T0001/observations/rank"].data[1::2] = 1
    return tree


def no_rows():
    """Steps without rows, and tables without rows."""
    tree = Tree()
    root(tree, status="interrupted")
    steps(tree)
    probe(tree, rows=[], ranks=[])
    traced(tree, 1, "batch", rows=())
    traced(tree, 2, "client", rows=(), with_members=False)
    return tree


def at_limits():
    """Values at the limits that are still allowed."""
    tree = one_table()
    tree["/"].attrs["producer"] = Text("x" * 4096)
    tree["/steps/loss"].data[2:4] = numpy.inf, -1
    tree["/steps/index"].data[-1] = 2**63 - 1
    tree["/sessions/first_step"].data[-1] = 7
    tree["/sessions/cut_bytes"].data[-1] = 2**64 - 1
    streams = "/tables/T0000/streams"
    ones = numpy.ones((12, 3), "f4")
    conv, body = tree[f"{streams}/L0000"].attrs, tree[f"{streams}/L0001"].attrs
    conv["shape"] = numpy.array([1] * 30 + [6, 6], "<u8")
    conv |= {"clip_norm": numpy.float64(5e-324), "noise_multiplier": numpy.float64(0)}
    body["shape"] = numpy.array([2**20, 2**20], "<u8")
    body["clip_norm"] = numpy.float64(1e300)
    body |= {"sketch_nonzeros": numpy.uint32(16), "sketch_seed": numpy.uint64(2**64 - 1)}
    tree[f"{streams}/F0005"] = stream("feature", "codes", ones, [3], (3, 42, 1), role="embedding")
    tree[f"{streams}/Y0003"].data[:2, 0] = 2**31 - 1, 0
    tree[f"{streams}/L0000"].data[9, :3] = 3.4028234e38, 1e-45, -0.0
    tree["/tables/T0000/observations/rank"].data[:] = 65535
    return tree


def many_chunks():
    """One row in a chunk, on a growing dataset: every level of the chunk index."""
    tree = Tree()
    root(tree)
    steps(tree, trainable=False)
    traced(tree, 0, "client", rows=[1] * 40 + [6] * 40)
    observations = tree["/tables/T0000/observations/record"]
    observations.data = numpy.stack([identify(f"client {row}") for row in range(80)])
    for name in groups(tree, "/tables/T0000/streams"):
        node = tree[f"/tables/T0000/streams/{name}"]
        node.chunks, node.grows, node.filters = (1, node.data.shape[1]), 1, [(ZSTD, 1)]
    tree.remove("/tables/T0000/streams/L0001")
    return tree


def earliest():
    """The older forms of groups, headers and chunk indexes, which HDF5 1.10 reads too."""
    tree = one_table()
    tree.tight = False
    tree.library = (h5f.LIBVER_EARLIEST, h5f.LIBVER_V110)
    return tree


def named_flags():
    """Measures in another order and unknown ones, an unknown flag."""
    tree = analysis(measures=("novelty", *reversed(MEASURES)), producer="Prüfer 1")
    tree["/estimates"].attrs["flags"] = f"{FLAGS},unknown_flag"
    tree["/estimates/flags"].data[:2] = 16, 31
    tree["/notes"] = Group({"odd": variable})
    tree["/windows/extra"] = unknown_dataset()
    tree["/rows/W0000/L0000/novelty"] = unknown_dataset()
    return tree


def small_analysis():
    return analysis("mixed", rows=(6, 5), pairs=((0, 0, 3), (1, 0, 2), (0, 1, 3)))


def newer_analysis():
    tree = analysis("fletcher", rows=(5,), pairs=((0, 0, 3),), version="1.2")
    tree["/schema"].data = encode(b"{}")
    tree["/cells"].attrs["new"] = Text("words", charset=h5t.CSET_ASCII)
    return tree


def ascii_texts():
    """As h5py writes numpy.bytes_: declared ASCII, which all bytes are."""
    tree = one_table()
    for group in (tree["/"], tree["/tables/T0000"]):
        for name, value in group.attrs.items():
            if isinstance(value, str) and value.isascii():
                group.attrs[name] = Text(value, charset=h5t.CSET_ASCII)
    return tree


VALID = {
    "minimal": minimal,
    "steps": only_steps,
    "one-table": one_table,
    "full": full,
    "full-small": lambda: full("mixed"),
    "deflate": lambda: full("deflate"),
    "uncompressed": lambda: full("plain"),
    "compact": lambda: full("compact"),
    "fletcher": lambda: full("fletcher"),
    "bare-chunks": lambda: full("bare"),
    "partly-filled-chunks": partly_filled,
    "many-chunks": many_chunks,
    "skipped-filters": skipped_filters,
    "earliest-format": earliest,
    "newer-minor": lambda: newer("1.7"),
    "newer-minor-10": newer_ten,
    "unknown-objects": unknown_objects,
    "unicode": unicode,
    "ascii": ascii_texts,
    "two-ranks": two_ranks,
    "no-rows": no_rows,
    "at-limits": at_limits,
    "analysis": analysis,
    "analysis-small": small_analysis,
    "analysis-plain": lambda: analysis("plain"),
    "analysis-empty": lambda: analysis("mixed", rows=(), pairs=()),
    "analysis-no-cells": lambda: analysis("deflate", rows=(12,), pairs=()),
    "analysis-names": named_flags,
    "analysis-newer-minor": newer_analysis,
}
