"""A second reader of snapshot and analysis files, written from ../SPEC.md alone.

`python reader.py FILE` prints the reading (README.md) and ends with 0, or prints the requirements
that the file breaks and ends with 1. Every accessor of Reader checks what it returns. What is
broken it notes and gives None for, and it passes over what hangs on a None: one fault, one number.
"""

import hashlib
import json
import math
import os
import re
import sys
import zlib
from collections import defaultdict, namedtuple
from datetime import datetime
from string import ascii_uppercase

import hdf5plugin  # noqa: F401  (brings Zstandard)
import numpy as np
from h5py import h5a, h5d, h5f, h5g, h5l, h5o, h5s, h5t

TYPES = {"f4": h5t.IEEE_F32LE, "f8": h5t.IEEE_F64LE, "i4": h5t.STD_I32LE, "i8": h5t.STD_I64LE}
TYPES |= {"u1": h5t.STD_U8LE, "u2": h5t.STD_U16LE, "u4": h5t.STD_U32LE, "u8": h5t.STD_U64LE}
CHARSETS = {h5t.CSET_ASCII: "ascii", h5t.CSET_UTF8: "utf-8"}
DEFLATE, SHUFFLE, FLETCHER32, ZSTD, CHUNK = 1, 2, 3, 32015, 64 * 2**20
UNREADABLE = (OSError, RuntimeError, LookupError, ValueError, TypeError, MemoryError, zlib.error)
# what the schemas of version 1.0 hash to
SCHEMAS = {
    "ptoken-snapshot": "sha256:ef47a5e5defe5febc6acf7689be1a5e57109bd60540bc2755782137da1c4d936",
    "ptoken-analysis": "sha256:76814310bba302ddaa66b7718202480dfb497de6fa38b6efab98d531d4fc9738",
}
# Columns: type, "*" and the length of a second axis, names
SESSIONS = "u8 first_step cut_bytes, u1*20 started, u2 rank"
STEPS = """i8 index, u4 accumulation participants, u1 mode model_mode dropout batch_norm,
           f8 epoch time loss learning_rate loss_scale"""
OBSERVATIONS, MEMBERS = "u4 step, u1*16 record, u2 rank", "u4 observation, u1*16 record, f8 weight"
WINDOWS = """u4 table rows folds candidates, u1 mode, i8 first_step last_step,
             f8 epoch loss label_entropy label_chance"""
CELLS = "u4 layer window components, f8 kept_variance"
ESTIMATES = """u4 cell rows, u1 measure flags, f8 value standard_error low high null_mean
               null_deviation p map_p ceiling"""
ROWS = "u1*16 record, i8 step, u1 fold"
# What a value must be: str, int and float (a whole and any number), (int or float, least, most),
# {allowed texts}, [what each item is], {what each key is; "key?" is optional}, or a predicate
COUNT, POSITIVE, ANY = (int, 0, math.inf), (float, math.ulp(0), math.inf), lambda value: True
MODEL = {"name": str, "layers": [{"name": str, "parameters": COUNT}], "parameters": int}
NOISE = {"clip": POSITIVE, "noise_multiplier": (float, 0, math.inf), "delta?": float}
FEDERATED = {"clients": (int, 1, math.inf), "clients_per_round?": int, "local_steps?": int}
TRAINING = {"data?": str, "optimizer?": str, "learning_rate?": float, "epochs?": float}
TRAINING |= {"batch_size?": COUNT, "seed?": COUNT, "sampling?": str}
TRAINING |= {"sampling_rate?": (float, 0, 1), "dp_sgd?": NOISE, "probe_observer?": NOISE}
TRAINING |= {"federated?": FEDERATED | {"aggregation?": str}}
RUN = dict.fromkeys(["id", "created", "producer", "status", "model", "training"], str)
SETTINGS = "components? neighbourComponents? neighbours? folds? pairings? candidates? traceSteps?"
SETTINGS = dict.fromkeys(SETTINGS.split(), int) | {"seed?": (int, 0, 2**64 - 1), "sigma?": float}
PROVENANCE = {"input": str, "version": str, "settings": SETTINGS | {"token?": {"direction", "raw"}}}
PROVENANCE |= {"inputDigest": lambda v: isinstance(v, str) and re.fullmatch("[0-9a-f]{64}", v)}
PROVENANCE |= {"libraries": lambda v: isinstance(v, dict) and fits([*v.values()], [str])}
SCHEDULE = {"every?": int, "start?": int, "end?": int}
VERSION = re.compile("(0|[1-9][0-9]*)[.](0|[1-9][0-9]*)").fullmatch
UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch
UNITS = {"epoch": "epochs", "time": "s", "loss": None, "learning_rate": "1", "loss_scale": "1"}
VALUES = {"mode": "0 probe, 1 trace", "model_mode": "0 unknown, 1 evaluation, 2 training"}
VALUES |= {"dropout": "0 unknown, 1 inactive, 2 active"}
VALUES |= {"batch_norm": "0 unknown, 1 running statistics or none, 2 batch statistics"}
KINDS = {"L": "gradient", "F": "feature", "Y": "label", "S": "scalar"}
MEASURES = {"gaussian": "nats estimate", "ksg": "nats estimate", "label": "nats lower_bound"}
MEASURES |= {"donsker_varadhan": "nats lower_bound", "label_accuracy": "share score"}
MEASURES |= {"reidentification": "share score", "recoverable_variance": "share score"}
ANALYSIS_UNITS = {"epoch": "epochs", "label_entropy": "nats", "label_chance": "share"}
ANALYSIS_UNITS |= {"kept_variance": "share"}
STATUS, STAGES = "complete interrupted crashed", "raw clipped noised averaged delta"
# links: {name: type}; asked: names that are specified; at: {name: dataset}; data: {name: array}
Group, Columns = namedtuple("Group", "id links asked"), namedtuple("Columns", "count at data")


def fits(value, spec):
    """Whether a value is what the comment above lets a specification say."""
    match spec:
        case dict():
            found = value if isinstance(value, dict) else {}
            keys = [(key.rstrip("?"), key[-1] == "?", inner) for key, inner in spec.items()]
            good = (fits(found[k], inner) if k in found else o for k, o, inner in keys)
            return isinstance(value, dict) and all(good)
        case [kind, least, most]:
            return fits(value, kind) and least <= value <= most
        case [inner]:
            return isinstance(value, list) and all(fits(item, inner) for item in value)
        case set():
            return isinstance(value, str) and value in spec
        case type():
            if spec is str or isinstance(value, bool) or not isinstance(value, int | float):
                return spec is str and isinstance(value, str)
            return spec is float or isinstance(value, int) or value.is_integer()
    return bool(spec(value))


def parse(raw):
    """The value of a JSON text, None if it is not one."""
    try:  # JSON has no NaN and no Infinity: float("") fails
        return json.loads(raw.decode(), parse_constant=lambda name: float(""))
    except (ValueError, RecursionError):
        return None


def is_model(model):
    names = fits(model, MODEL) and [layer["name"] for layer in model["layers"]]
    return (
        fits(model, MODEL)
        and len(set(names)) == len(names) <= 65536
        and (model["parameters"] >= sum(layer["parameters"] for layer in model["layers"]))
    )


def is_time(text):
    try:  # strptime alone would take single digits
        return (
            bool(datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))
            and len(text) == 20
            and text.isascii()
        )
    except ValueError:
        return False


def is_measured(measures, units, kinds):
    """Three lists of one length, which agree with the specification on the measures it knows."""
    names, *pairs = (text.split(",") for text in (measures, units, kinds))
    pairs = list(map(" ".join, zip(*pairs, strict=True))) if len(pairs[0]) == len(pairs[1]) else []
    known = [MEASURES.get(*pair) for pair in zip(names, pairs, strict=False)]
    return len(names) == len(pairs) and known == pairs


def ascends(column):
    return (column[1:] >= column[:-1]).all()


def distinct(*columns):
    """Whether no two rows of these columns, side by side, are alike."""
    rows = np.column_stack([column.astype("i8") for column in columns])
    return len(np.unique(rows, axis=0)) == len(rows)


def finite(values):
    return np.isfinite(values).all()


def digest(array):
    return array is not None and "sha256:" + hashlib.sha256(array.tobytes()).hexdigest()


def digests(columns):
    found = {n: digest(array) for n, array in columns.data.items() if array is not None}
    return found | {"count": columns.count}


class Broken(Exception):
    """What is being read breaks the requirement of this number."""


def require(sound, number):
    if not sound:
        raise Broken(number)


def require_frame(raw, full):
    """A Zstandard chunk is one frame that states its size: by its header and its blocks' sizes."""
    require(raw[1:4] != b"\x2a\x4d\x18", "R-052")  # a frame to skip
    flags, single = raw[4], raw[4] >> 5 & 1
    length = (single, 2, 4, 8)[flags >> 6]
    end = 6 - single + (0, 1, 2, 4)[flags & 3] + length
    stated = int.from_bytes(raw[end - length : end], "little") + 256 * (length == 2)
    require(raw[:4] == b"\x28\xb5\x2f\xfd", "R-051")
    last, plain = False, 0
    while not last:
        block = int.from_bytes(raw[end : end + 3], "little")
        plain += block >> 3 if block >> 1 & 3 < 2 else math.inf
        last, end = block & 1, end + 3 + (1 if block >> 1 & 3 == 1 else block >> 3)
        require(end <= len(raw), "R-051")
    require(length and end + 4 * (flags >> 2 & 1) == len(raw), "R-052")
    require(stated == full and (plain in (full, math.inf)), "R-051")


def require_chunk(raw, filters, full):
    """A chunk decodes to `full` bytes; libhdf5 would not say, and decodes it a second time."""
    while filters:
        code = filters.pop()
        if code == FLETCHER32:
            raw, sums = raw[:-4], np.frombuffer(raw[-4:], "<u2") % 65535
            words = np.frombuffer(raw + b"\0" * (len(raw) % 2), ">u2").astype("u8")
            second = words * (np.arange(len(words), 0, -1, "u8") % 65535)
            require([words.sum() % 65535, second.sum() % 65535] == sums.tolist(), "R-051")
        elif code == DEFLATE:
            inflater = zlib.decompressobj()
            raw = inflater.decompress(raw, 2 * CHUNK)
            require(inflater.eof, "R-051")
        elif code == ZSTD:
            return require_frame(raw, full + 4 * (FLETCHER32 in filters))
        elif {DEFLATE, ZSTD} & set(filters):
            return None  # shuffled after it was compressed: for libhdf5 alone
    return require(len(raw) == full, "R-051")


def require_stored(dataset, size):
    """Every element of a dataset is stored in its file of `size` bytes."""
    plist, shape, element = dataset.get_create_plist(), dataset.shape, dataset.dtype.itemsize
    if 0 in shape:
        return
    if plist.get_layout() != h5d.CHUNKED:
        start = 0 if plist.get_layout() == h5d.COMPACT else dataset.get_offset()
        length = dataset.get_storage_size()
        require(length == math.prod(shape) * element and start is not None, "R-051")
        return require(start + length <= size, "R-051")
    filters = [plist.get_filter(i)[0] for i in range(plist.get_nfilters())]
    edges, chunks = plist.get_chunk(), {}
    dataset.chunk_iter(lambda chunk: chunks.update({chunk.chunk_offset: chunk}))
    inside = [c for at, c in chunks.items() if all(map(int.__lt__, at, shape))]
    grid = (-(-length // edge) for length, edge in zip(shape, edges, strict=True))
    require(len(inside) == math.prod(grid), "R-051")
    for chunk in inside:
        require(chunk.byte_offset is not None and chunk.byte_offset + chunk.size <= size, "R-051")
        mask, raw = dataset.read_direct_chunk(chunk.chunk_offset)
        applied = [code for i, code in enumerate(filters) if not mask >> i & 1]
        require_chunk(raw, applied, math.prod(edges) * element)


def noting(accessor):
    """Lets an accessor note what is broken and give None for it, and for what hangs on a None."""

    def noted(self, parent, number, *args, **options):
        try:
            return parent and accessor(self, parent, number, *args, **options)
        except Broken as broken:
            self.broken.add(broken.args[0])
        except UNREADABLE:
            self.broken.add(number)

    return noted


class File:
    """Strict access to the objects of an HDF5 file."""

    def __init__(self, path):
        self.size, self.newer = os.path.getsize(path), False
        self.broken, self.groups, self.json = set(), [], {}

    def must(self, number, test, *values):
        """Notes values that fail a test, unless one of them is not there."""
        sound = any(value is None for value in values) or bool(test(*values))
        self.broken |= set() if sound else {number}
        return sound

    @noting
    def open(self, parent, number, name, kind):
        """What a hard link leads to; no link is followed."""
        parent.asked.add(name)
        require(parent.links.get(name) == h5l.TYPE_HARD, number)
        found = h5o.open(parent.id, name.encode())
        require(isinstance(found, kind), number)
        return found

    def has(self, parent, name):
        return parent is not None and (parent.asked.add(name) or name in parent.links)

    @noting
    def enter(self, group, number):
        self.groups.append(Group(group, {}, set()))
        links = self.groups[-1].links
        group.links.iterate(lambda n, info: links.update({os.fsdecode(n): info.type}), info=True)
        return self.groups[-1]

    def group(self, parent, number, name):
        return self.enter(self.open(parent, number, name, h5g.GroupID), number)

    @noting
    def attribute(self, at, number, name, spec=ANY, kind="text", optional=False):
        """An attribute: text, or a number of this type, or a list of them ("u8*")."""
        at, name = at.id if isinstance(at, Group) else at, name.encode()
        if optional and not h5a.exists(at, name):
            return None
        found = h5a.open(at, name)
        stored, space = found.get_type(), found.get_space().get_simple_extent_type()
        require(space == (h5s.SIMPLE if kind[-1] == "*" else h5s.SCALAR), number)
        require(len(found.shape) == kind.count("*") and math.prod(found.shape) <= 32, number)
        if kind == "text":
            require(isinstance(stored, h5t.TypeStringID) and stored.get_size() <= 4096, number)
            form = (stored.is_variable_str(), stored.get_strpad())
            require(form == (False, h5t.STR_NULLPAD), number)
        else:
            require(stored.equal(TYPES[kind[:2]]), number)
        value = np.zeros(found.shape, f"S{stored.get_size()}" if kind == "text" else kind[:2])
        found.read(value, mtype=stored)
        text = kind == "text" and value.tobytes().split(b"\0")[0].decode(
            CHARSETS[stored.get_cset()]
        )
        value = value.tolist() if text is False else text
        require(fits(value, spec), number)
        return value

    @noting
    def form(self, dataset, number, kind, shape):
        """The dataset, if type, shape (None: any length), layout and filters are allowed."""
        plist = dataset.get_create_plist()
        layouts = (h5d.COMPACT, h5d.CONTIGUOUS, h5d.CHUNKED)
        require(plist.get_layout() in layouts and not plist.get_external_count(), "R-072")
        require(dataset.get_space().get_simple_extent_type() == h5s.SIMPLE, number)
        require(dataset.get_type().equal(TYPES[kind]) and len(dataset.shape) == len(shape), number)
        axes = zip(shape, dataset.shape, strict=True)
        require(all(asked in (None, length) for asked, length in axes), number)
        require(math.prod(dataset.shape) <= 2**48, number)
        filters = [plist.get_filter(i) for i in range(plist.get_nfilters())]
        codes = [code for code, *_ in filters]
        require(set(codes) <= {DEFLATE, SHUFFLE, FLETCHER32, ZSTD}, "R-050")
        require(len(set(codes)) == len(codes), "R-050")
        require(all(len(f[2]) == 1 for f in filters if f[0] == ZSTD), "R-052")
        if plist.get_layout() == h5d.CHUNKED:
            require(math.prod(plist.get_chunk()) * dataset.dtype.itemsize <= CHUNK, "R-070")
        return dataset

    def dataset(self, parent, number, name, kind, shape):
        return self.form(self.open(parent, number, name, h5d.DatasetID), number, kind, shape)

    @noting
    def values(self, dataset, number="R-051"):
        require_stored(dataset, self.size)
        array = np.zeros(dataset.shape, dataset.dtype)
        if array.size:
            dataset.read(h5s.ALL, h5s.ALL, array, mtype=dataset.get_type())
        return array

    @noting
    def document(self, root, number, name, spec):
        dataset = self.dataset(root, number, name, "u1", (None,))
        require(dataset is None or dataset.shape[0] <= 2**24, number)
        raw = self.values(dataset, "R-051")
        value = raw is not None and parse(raw.tobytes())
        require(raw is None or fits(value, spec), number)
        self.json[name] = digest(raw)
        return None if raw is None else value

    def columns(self, group, number, spec, most, excess=None, rows=None):
        """The columns of a group, and their one length, at most `most`."""
        at = defaultdict(lambda: None)
        for kind, *names in map(str.split, spec.split(",")):
            kind, *width = kind.split("*")
            shape = (rows, *(int(n) if n else None for n in width))
            at |= {name: self.dataset(group, number, name, kind, shape) for name in names}
        counts = {dataset.shape[0] for dataset in at.values() if dataset}
        self.must(number, lambda n: n <= 1, len(counts))
        if len(counts) != 1 or not self.must(excess or number, lambda n: n <= most, *counts):
            return Columns(None, defaultdict(lambda: None), defaultdict(lambda: None))
        data = {name: self.values(at[name], "R-051") for name in at}
        return Columns(*counts, at, defaultdict(lambda: None, data))

    def texts(self, at, specs):
        return {n: self.attribute(at, number, n, spec) for n, (number, spec) in specs.items()}

    def numbered(self, group, number, letters, most, pattern=""):
        """The names in a group of objects that a letter and a number name."""
        names = [name for name in (group.links if group else ()) if re.match(pattern, name)]
        names.sort(key=lambda name: (len(name), name[1:]))
        right = [n for i, n in enumerate(names) if n[:1] in letters and n[1:] == f"{i:04d}"]
        self.must(number, lambda: right == names and len(names) <= most)
        if group:
            group.asked.update(names)
        return right[:most]


class Reader(File):
    """The readings of the two formats."""

    def snapshot(self, root):
        specs = {"run_id": ("R-004", UUID), "created": ("R-005", is_time)}
        specs |= {"producer": ("R-006", ANY), "status": ("R-007", set(STATUS.split()))}
        reading, documents = self.texts(root, specs), ("model", "training", "observer")
        model, training, seen_by = (self.document(root, "R-010", name, {}) for name in documents)
        model = model if self.must("R-011", is_model, model) else None
        layers = None if model is None else [layer["name"] for layer in model["layers"]]
        seen = [str if layers is None else set(layers)]
        observer = {"role": str, "aggregation": {"none", "batch", "client", "sum"}}
        observer |= {"layers": lambda v: v == "all" or fits(v, seen)}
        self.must("R-012", fits, training, TRAINING)
        self.must("R-016", fits, seen_by, observer)
        group = self.group(root, "R-020", "steps")
        trainable = f", u1*{'' if layers is None else len(layers)} trainable"
        spec = STEPS + (trainable if self.has(group, "trainable") else "")
        steps = self.columns(group, "R-020", spec, 2**24, "R-021")
        self.must("R-022", ascends, steps.data["index"])
        self.must("R-023", lambda v: (v <= 1).all(), steps.data["trainable"])
        for name, unit in UNITS.items():
            self.attribute(steps.at[name], "R-024", "unit", {unit} if unit else ANY)
        for name, text in VALUES.items():
            self.attribute(steps.at[name], "R-023", "values", {text})
            self.must("R-023", lambda v, n: (v <= n).all(), steps.data[name], text.count(","))
        group = self.group(root, "R-017", "sessions")
        sessions = self.columns(group, "R-017", SESSIONS, 2**16, "R-018")
        first, started = sessions.data["first_step"], sessions.data["started"]
        self.must("R-018", lambda f: len(f) and f[0] == 0 and ascends(f), first)
        self.must("R-018", lambda f, n: (f <= n).all(), first, steps.count)
        self.must("R-018", lambda s: all(is_time(bytes(t).decode("latin1")) for t in s), started)
        tables = self.group(root, "R-030", "tables")
        names = self.numbered(tables, "R-030", "T", 256)
        found = [self.table(self.group(tables, "R-030", name), steps, layers) for name in names]
        return reading | {"sessions": digests(sessions), "steps": digests(steps), "tables": found}

    def table(self, table, steps, layers):
        units = {"batch", "client"}
        specs = {"name": ("R-031", ANY), "unit": ("R-032", units | {"example"})}
        reading = self.texts(table, specs | {"mode": ("R-033", {"probe", "trace"})})
        schedule = lambda text: fits(parse(text.encode()), SCHEDULE)  # noqa: E731
        reading["schedule"] = self.attribute(table, "R-094", "schedule", schedule, optional=True)
        group = self.group(table, "R-034", "observations")
        rows = self.columns(group, "R-034", OBSERVATIONS, 2**28)
        for name, kind, allowed in (("weight", "f8", units), ("local_steps", "u4", {"client"})):
            unit_fits = lambda u, allowed=allowed: u in allowed  # noqa: E731
            if self.has(group, name) and self.must("R-093", unit_fits, reading["unit"]):
                rows.at[name] = self.dataset(group, "R-093", name, kind, (rows.count,))
                rows.data[name] = self.values(rows.at[name], "R-051")
        self.must("R-093", lambda w: not np.isinf(w).any(), rows.data["weight"])
        step, mode = rows.data["step"], reading["mode"]
        self.must("R-035", ascends, step)
        if mode == "probe":
            self.must("R-036", distinct, step, rows.data["record"])
        if not self.must("R-034", lambda s, n: (s < n).all(), step, steps.count):
            step = None
        right = lambda s, modes: (modes[s] == (mode == "trace")).all()  # noqa: E731
        self.must("R-033", right, step, steps.data["mode"] if mode else None)
        reading |= {"members": None, "rows": rows.count, "observations": digests(rows)}
        del reading["observations"]["count"]
        if self.has(table, "members") and self.must("R-090", units.__contains__, reading["unit"]):
            group = self.group(table, "R-090", "members")
            members = self.columns(group, "R-090", MEMBERS, 2**28)
            of = members.data["observation"]
            self.must("R-091", lambda o, n: ascends(o) and (o < n).all(), of, rows.count)
            self.must("R-092", finite, members.data["weight"])
            reading["members"] = digests(members)
        group = self.group(table, "R-031", "streams")
        names = self.numbered(group, "R-040", ascii_uppercase if self.newer else KINDS, 2**16)
        known, trainable = [n for n in names if n[0] in KINDS], steps.data["trainable"]
        for name in set(names) - set(known):
            group.asked.remove(name)
        streams = [self.stream(group, n, rows.count, step, trainable, layers) for n in known]
        reading["streams"] = [stream for stream in streams if stream]
        names = [s["name"] for s in reading["streams"] if s["name"] is not None]
        self.must("R-041", lambda: len(set(names)) == len(names))
        return reading

    def stream(self, group, name, rows, step, trainable, layers):
        dataset, kind = self.open(group, "R-041", name, h5d.DatasetID), KINDS[name[0]]
        right = lambda v: v == kind or (self.newer and v not in KINDS.values())  # noqa: E731
        given = self.attribute(dataset, "R-042", "kind", right)
        if given not in (None, kind):
            return None  # of a newer version
        dataset = self.form(dataset, "R-045", "i4" if kind == "label" else "f4", (rows, None))
        if dataset is None or not self.must("R-070", lambda w: w <= 2**24, dataset.shape[1]):
            return None
        width = dataset.shape[1]
        get = lambda number, *spec: self.attribute(dataset, number, *spec, optional=True)  # noqa: E731
        reading = dict.fromkeys(["sketch", "layer", "stage", "role", "clip_norm"])
        reading |= {"object": name, "kind": kind, "width": width, "noise_multiplier": None}
        reading |= self.texts(dataset, {"name": ("R-041", ANY)}) | {"unit": get("R-041", "unit")}
        lengths = lambda v: v and min(v) > 0 and math.prod(v) <= 2**40  # noqa: E731
        reading["shape"] = self.attribute(dataset, "R-044", "shape", lengths, "u8*")
        size = None if reading["shape"] is None else math.prod(reading["shape"])
        sketch = self.attribute(dataset, "R-060", "sketch", {"none", "sparse-sign"})
        if sketch == "none":
            self.must("R-044", int.__eq__, width, size)
        elif sketch and self.must("R-066", lambda: kind != "label"):
            seed = self.attribute(dataset, "R-060", "sketch_seed", COUNT, "u8")
            count = self.attribute(dataset, "R-060", "sketch_nonzeros", (int, 1, 16), "u4")
            self.must("R-060", lambda w, n: 1 <= w <= n, width, size)
            reading["sketch"] = {"seed": str(seed), "nonzeros": count}
        values = self.values(dataset, "R-051")
        if kind == "feature":
            roles = {"input", "activation", "embedding", "other"}
            reading["role"] = get("R-048", "role", roles)
        elif kind == "gradient":
            known = ANY if layers is None else set(layers)
            specs = {"layer": ("R-045", known), "stage": ("R-043", set(STAGES.split()))}
            reading |= self.texts(dataset, specs)
            most = sys.float_info.max
            clip = get("R-049", "clip_norm", (float, math.ulp(0), most), "f8")
            noise = get("R-049", "noise_multiplier", (float, 0, most), "f8")
            both = h5a.exists(dataset, b"clip_norm") or not h5a.exists(dataset, b"noise_multiplier")
            self.must("R-049", lambda: both)
            reading |= {"clip_norm": clip, "noise_multiplier": noise}
            column = None
            if layers and trainable is not None and reading["layer"] is not None:
                column = trainable[:, layers.index(reading["layer"])]
            self.must("R-025", lambda s, v, c: not v[c[s] == 0].any(), step, values, column)
        sound = finite if values is None or values.dtype.kind == "f" else lambda v: (v >= 0).all()
        self.must("R-046", sound, values)
        return reading | {"values": digest(values)}

    def analysis(self, root):
        reading = self.texts(root, {"producer": ("R-080", ANY)})
        for name, spec in (("run", RUN), ("provenance", PROVENANCE), ("warnings", [str])):
            self.document(root, "R-081", name, spec)
        group = self.group(root, "R-082", "layers")
        names = self.numbered(group, "R-082", "L", 2**24, "L[0-9]{4,}$")
        layers = [self.layer(self.group(group, "R-082", name)) for name in names]
        layer_count = None if "R-082" in self.broken else len(layers)
        specs = {"windows": ("R-083", WINDOWS), "cells": ("R-084", CELLS)}
        specs |= {"estimates": ("R-086", ESTIMATES)}
        groups = {name: self.group(root, number, name) for name, (number, _) in specs.items()}
        all_columns = [self.columns(groups[n], *spec, 2**24) for n, spec in specs.items()]
        for column, unit in ANALYSIS_UNITS.items():
            for columns in all_columns:
                self.attribute(columns.at[column], "R-080", "unit", {unit})
        windows, cells, estimates = all_columns
        self.must("R-083", lambda m: (m <= 1).all(), windows.data["mode"])
        below = lambda column, n: (column < n).all()  # noqa: E731
        layer, window = cells.data["layer"], cells.data["window"]
        sound = self.must("R-084", distinct, layer, window)
        sound &= self.must("R-085", below, layer, layer_count)
        sound &= self.must("R-085", below, window, windows.count)
        cell, measure = estimates.data["cell"], estimates.data["measure"]
        self.must("R-086", below, cell, cells.count)
        self.must("R-086", distinct, cell, measure)
        lists = dict.fromkeys(["measures", "units", "kinds", "flags"], ("R-087", ANY))
        lists = self.texts(groups["estimates"], lists)
        self.must("R-087", is_measured, *(lists[name] for name in ("measures", "units", "kinds")))
        count = None if lists["measures"] is None else len(lists["measures"].split(","))
        self.must("R-086", below, measure, count)
        reading |= {"windows": digests(windows), "cells": digests(cells)}
        reading |= {"layers": layers, "estimates": digests(estimates) | {"lists": lists}}
        group, of_window = self.group(root, "R-088", "rows"), defaultdict(list)
        if sound and layer is not None and window is not None:
            widths = cells.data["components"]
            widths = [None] * len(layer) if widths is None else widths.tolist()
            for at, *pair in zip(window.tolist(), layer.tolist(), widths, strict=True):
                of_window[at].append(pair)
        counts = windows.data["rows"]
        counts = [None] * (windows.count or 0) if counts is None else counts.tolist()
        reading["rows"] = [
            self.window(self.group(group, "R-088", f"W{i:04d}"), count, of_window[i])
            for i, count in enumerate(counts)
        ]
        return reading

    def layer(self, group):
        sizes = {n: self.attribute(group, "R-082", n, COUNT, "u8") for n in ("parameters", "width")}
        return self.texts(group, dict.fromkeys(["name", "stage"], ("R-082", ANY))) | sizes

    def window(self, group, count, cells):
        rows = self.columns(group, "R-088", ROWS, 2**24, rows=count)
        self.must("R-088", distinct, rows.data["record"])
        found = digests(rows) | {"rows": rows.count, "cells": {}}
        for layer, width in cells:
            cell = self.group(group, "R-088", f"L{layer:04d}")
            names = {"tokens": ("f4", (rows.count, width))}
            names |= {name: ("f8", (rows.count,)) for name in MEASURES if self.has(cell, name)}
            data = {n: self.dataset(cell, "R-088", n, *form) for n, form in names.items()}
            scores = {n: digest(self.values(dataset, "R-051")) for n, dataset in data.items()}
            reading = {"components": width, "tokens": scores.pop("tokens"), "scores": scores}
            found["cells"][f"L{layer:04d}"] = reading
        del found["count"]
        return found

    def read(self, path):
        try:
            file = h5f.open(os.fsencode(path), h5f.ACC_RDONLY)
            root = self.enter(h5g.open(file, b"/"), "R-001")
        except UNREADABLE:
            return self.broken.add("R-001")
        formats = {"ptoken-snapshot": self.snapshot, "ptoken-analysis": self.analysis}
        mark = self.attribute(root, "R-001", "format", set(formats))
        known = lambda text: VERSION(text) and text.startswith("1.")  # noqa: E731
        version = mark and self.attribute(root, "R-002", "version", known)
        if not version:
            return None
        self.newer = version != "1.0"
        self.document(root, "R-015", "schema", ANY)
        same = self.json.get("schema") in (None, SCHEMAS[mark])
        self.must("R-015", lambda _: self.newer or same, mark)
        reading = formats[mark](root) | {"format": mark, "version": version}
        for group in self.groups:
            strange = {group.links[name] for name in group.links.keys() - group.asked}
            self.must("R-071", {h5l.TYPE_HARD}.issuperset, strange)
        self.json.pop("schema", None)
        return reading | {"json": self.json}


def main():
    reader = Reader(sys.argv[1])
    reading = reader.read(sys.argv[1])
    refused = {"refused": sorted(reader.broken)}
    print(json.dumps(refused if reader.broken else reading, sort_keys=True, indent=1))
    sys.exit(bool(reader.broken))


if __name__ == "__main__":
    main()
