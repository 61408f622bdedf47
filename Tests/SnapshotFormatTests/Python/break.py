"""Breaks one thing in a snapshot file: python break.py FILE CASE."""

import sys

import h5py
import hdf5plugin
import numpy

path, case = sys.argv[1:]
file = h5py.File(path, "r+", libver=("v110", "v110"))
steps = file["steps"]
probe, trace = file["tables/T0000"], file["tables/T0001"]
observations, streams = probe["observations"], probe["streams"]


def text(node, name, value):
    node.attrs[name] = numpy.bytes_(value)


def replace(group, name, data, **options):
    """Puts another dataset under a name, with the old attributes."""
    attributes = {key: group[name].attrs.get_id(key) for key in group[name].attrs}
    values = {}
    for key, identifier in attributes.items():
        values[key] = numpy.empty(identifier.shape, identifier.dtype)
        identifier.read(values[key])
    del group[name]
    new = group.create_dataset(name, data=data, **options)
    for key, value in values.items():
        new.attrs[key] = value


def put(dataset, row, value):
    dataset[row] = value


def corrupt(dataset):
    mask, chunk = dataset.id.read_direct_chunk((0,) * dataset.ndim)
    broken = bytearray(chunk)
    broken[len(broken) // 2] ^= 1
    dataset.id.write_direct_chunk((0,) * dataset.ndim, bytes(broken), mask)


def lz4(dataset_name):
    replace(streams, dataset_name, streams[dataset_name][()], chunks=(8, 24), **hdf5plugin.LZ4())


CASES = {
    "run-id-absent": lambda: file.attrs.__delitem__("run_id"),
    "run-id-upper": lambda: text(file, "run_id", "AAAAAAAA-2222-4333-8444-555555555555"),
    "created-absent": lambda: file.attrs.__delitem__("created"),
    "created-words": lambda: text(file, "created", "yesterday"),
    "producer-absent": lambda: file.attrs.__delitem__("producer"),
    "producer-number": lambda: file.attrs.__setitem__("producer", 3),
    "status-absent": lambda: file.attrs.__delitem__("status"),
    "status-other": lambda: text(file, "status", "fine"),
    "model-absent": lambda: file.__delitem__("model"),
    "model-array": lambda: replace(file, "model", numpy.frombuffer(b"[1]", "u1")),
    "model-not-utf8": lambda: replace(file, "model", numpy.frombuffer(b'{"a": "\xff"}', "u1")),
    "model-huge": lambda: replace(file, "model", numpy.zeros((16 << 20) + 1, "u1"), chunks=True),
    "training-wide": lambda: replace(file, "training", numpy.zeros((2, 2), "u1")),
    "training-link": lambda: (
        file.__delitem__("training"),
        file.__setitem__("training", h5py.ExternalLink("/etc/passwd", "/")),
    ),
    "step-column-absent": lambda: steps.__delitem__("loss"),
    "step-column-type": lambda: replace(steps, "loss", steps["loss"][()].astype("<f4")),
    "step-column-short": lambda: replace(steps, "index", steps["index"][:-1]),
    "commit-absent": lambda: file.__delitem__("commit"),
    "commit-two": lambda: replace(file, "commit", numpy.array([7, 7], "<u8")),
    "commit-huge": lambda: put(file["commit"], 0, 1 << 63),
    "commit-shape": lambda: (
        file.__delitem__("commit"),
        file.create_dataset("commit", shape=(1 << 47,), chunks=(1 << 20,), dtype="<u8"),
    ),
    "index-descending": lambda: put(steps["index"], 3, 1),
    "mode-other": lambda: put(steps["mode"], 2, 9),
    "tables-absent": lambda: file.__delitem__("tables"),
    "tables-gap": lambda: file["tables"].move("T0001", "T0002"),
    "tables-link": lambda: (
        file.move("tables", "elsewhere"),
        file.__setitem__("tables", h5py.SoftLink("/elsewhere")),
    ),
    "table-name-absent": lambda: probe.attrs.__delitem__("name"),
    "table-streams-absent": lambda: probe.__delitem__("streams"),
    "unit-other": lambda: text(probe, "unit", "rows"),
    "table-mode-other": lambda: text(probe, "mode", "both"),
    "table-mode-swapped": lambda: text(trace, "mode", "probe"),
    "observations-absent": lambda: probe.__delitem__("observations"),
    "record-type": lambda: replace(
        observations, "record", observations["record"][()].astype("<u2")
    ),
    "record-short": lambda: replace(observations, "record", observations["record"][:-1]),
    "rank-short": lambda: replace(observations, "rank", observations["rank"][:-1]),
    "step-descending": lambda: put(observations["step"], 500, 0),
    "record-twice": lambda: put(observations["record"], 5, observations["record"][6]),
    "streams-gap": lambda: streams.move("S0004", "S0005"),
    "streams-letter": lambda: streams.move("S0004", "F0004"),
    "kind-absent": lambda: streams["L0000"].attrs.__delitem__("kind"),
    "layer-absent": lambda: streams["L0000"].attrs.__delitem__("layer"),
    "sketch-seed-absent": lambda: streams["L0001"].attrs.__delitem__("sketch_seed"),
    "name-twice": lambda: text(streams["L0000"], "name", "dense"),
    "stream-link": lambda: (
        streams.move("S0004", "/moved"),
        streams.__setitem__("S0004", h5py.SoftLink("/moved")),
    ),
    "kind-other": lambda: text(streams["F0002"], "kind", "picture"),
    "stage-other": lambda: text(streams["L0000"], "stage", "cooked"),
    "shape-other": lambda: streams["L0000"].attrs.__setitem__(
        "shape", numpy.array([4, 3, 3], "<u8")
    ),
    "shape-zero": lambda: streams["L0001"].attrs.__setitem__("shape", numpy.array([0], "<u8")),
    "shape-huge": lambda: streams["L0001"].attrs.__setitem__(
        "shape", numpy.array([1 << 63, 1 << 63], "<u8")
    ),
    "stream-type": lambda: replace(streams, "L0000", streams["L0000"][()].astype("<f8")),
    "stream-short": lambda: replace(streams, "L0000", streams["L0000"][:-1]),
    "stream-vector": lambda: replace(streams, "S0004", streams["S0004"][:, 0]),
    "value-nan": lambda: put(streams["L0000"], (900, 7), numpy.nan),
    "value-infinite": lambda: put(streams["S0004"], (0, 0), -numpy.inf),
    "label-negative": lambda: put(streams["Y0003"], (1401, 0), -1),
    "filter-foreign": lambda: lz4("L0000"),
    "chunk-corrupt": lambda: corrupt(streams["L0000"]),
    "label-chunk-corrupt": lambda: corrupt(streams["Y0003"]),
    "record-chunk-corrupt": lambda: corrupt(observations["record"]),
    "sketch-other": lambda: text(streams["L0001"], "sketch", "dense"),
    "sketch-nonzeros": lambda: streams["L0001"].attrs.__setitem__(
        "sketch_nonzeros", numpy.uint32(17)
    ),
    "sketch-wider": lambda: streams["L0001"].attrs.__setitem__("shape", numpy.array([99], "<u8")),
    "chunk-huge": lambda: replace(
        streams, "L0000", streams["L0000"][()], chunks=(1 << 20, 24), maxshape=(None, 24)
    ),
}
if case == "list":
    print("\n".join(CASES))
else:
    CASES[case]()
file.close()
