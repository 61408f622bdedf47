"""A file as a tree in memory (path: node, parents first), and how it is written."""

import ctypes
from dataclasses import dataclass, field
from typing import Any

import h5py
import hdf5plugin  # noqa: F401  registers Zstandard and LZ4
import numpy
from h5py import h5a, h5d, h5f, h5p, h5s, h5t, h5z

DEFLATE, SHUFFLE, FLETCHER, ZSTD = 1, 2, 3, 32015
STYLES = {
    "zstd": [(SHUFFLE,), (ZSTD, 3), (FLETCHER,)],
    "zstd alone": [(ZSTD, 3)],
    "deflate": [(SHUFFLE,), (DEFLATE, 6), (FLETCHER,)],
    "fletcher": [(FLETCHER,)],
    "bare": [],
    "mixed": None,  # streams and tokens as zstd
    "plain": None,
    "compact": None,
}
LIBRARY = (h5f.LIBVER_V110, h5f.LIBVER_V110)
HDF5 = ctypes.CDLL(h5p.__file__)  # the library that h5py has loaded, for what h5py leaves out


@dataclass
class Text:
    """A text attribute that is stored in an unusual way; size: with that many bytes."""

    value: str | bytes
    size: int | None = None
    pad: int = h5t.STR_NULLPAD
    charset: int = h5t.CSET_UTF8
    shape: tuple | None = None
    variable: bool = False


@dataclass
class Group:
    attrs: dict = field(default_factory=dict)


@dataclass
class Dataset:
    """style: see STYLES; written: only so many rows are; after: called with the open dataset."""

    data: Any
    attrs: dict = field(default_factory=dict)
    style: str | None = None
    chunks: tuple | None = None
    grows: int = 0
    filters: list | None = None
    type: Any = None
    shape: tuple | None = None
    written: int | None = None
    after: Any = None
    external: str | None = None


@dataclass
class Link:
    """kind: soft, external or hard."""

    kind: str
    target: str


@dataclass
class Special:
    """Any other object: make(group, name) makes it."""

    make: Any


class Tree(dict):
    """The nodes by path; tight: with small headers and little free space;
    finish: called with the path of the closed file."""

    def __init__(self, nodes=(), style="zstd"):
        super().__init__(nodes)
        self.style = style
        self.library = LIBRARY
        self.tight = False
        self.finish = None

    def below(self, path):
        return [key for key in self if key == path or key.startswith(path.rstrip("/") + "/")]

    def remove(self, path):
        for key in self.below(path):
            del self[key]

    def move(self, path, new):
        for key in self.below(path):
            self[new + key[len(path) :]] = self.pop(key)


def write_attribute(target, name, value):
    """Writes text fixed-length, null-padded, UTF-8; numbers in their own type."""
    if isinstance(value, (str, bytes)):
        value = Text(value)
    if callable(value):
        value(target, name)
        return
    if not isinstance(value, Text):
        if isinstance(value, h5py.Empty):
            target.attrs.create(name, value)
            return
        array = numpy.asarray(value)
        space = h5s.create_simple(array.shape) if array.shape else h5s.create(h5s.SCALAR)
        h5a.create(target.id, name.encode(), h5t.py_create(array.dtype), space).write(array)
        return
    data = value.value if isinstance(value.value, bytes) else value.value.encode()
    if value.variable:
        target.attrs.create(name, data.decode(), dtype=h5py.string_dtype())
        return
    size = value.size or max(1, len(data))
    kind = h5t.C_S1.copy()
    kind.set_size(size)
    kind.set_strpad(value.pad)
    kind.set_cset(value.charset)
    shape = value.shape
    space = h5s.create(h5s.SCALAR) if shape is None else h5s.create_simple(shape)
    if value.pad == h5t.STR_SPACEPAD:
        data = data.ljust(size, b" ")
    array = numpy.full(shape or (), data, f"S{size}")
    h5a.create(target.id, name.encode(), kind, space).write(array, kind)


def creation(node, shape, style, tight):
    """The creation properties of a dataset, and its maximal shape."""
    properties = h5p.create(h5p.DATASET_CREATE)
    properties.set_obj_track_times(False)
    if tight and not node.attrs:
        HDF5.H5Pset_dset_no_attrs_hint(ctypes.c_int64(properties.id), ctypes.c_bool(True))
    style = node.style or style
    if node.external:
        properties.set_external(node.external.encode(), 0, int(numpy.prod(shape)) * 8)
        return properties, None
    if style == "compact":
        properties.set_layout(h5d.COMPACT)
        return properties, None
    filters = node.filters if node.filters is not None else STYLES[style]
    if filters is None and not node.chunks:
        return properties, None
    grows = node.grows or (len(shape) if 0 in shape else 0)
    chunks = node.chunks or tuple(max(1, length) for length in shape)
    properties.set_chunk(chunks)
    for number, *values in filters or ():
        if number == SHUFFLE:
            properties.set_shuffle()
        elif number == DEFLATE:
            properties.set_deflate(*values)
        elif number == FLETCHER:
            properties.set_fletcher32()
        else:
            properties.set_filter(number, h5z.FLAG_OPTIONAL, tuple(values))
    most = tuple(h5s.UNLIMITED if axis < grows else length for axis, length in enumerate(shape))
    return properties, most


def write_dataset(parent, name, node, style, tight):
    data = node.data
    shape = node.shape if node.shape is not None else data.shape
    properties, most = creation(node, shape, style, tight)
    kind = node.type or h5t.py_create(data.dtype)
    space = h5s.create_simple(shape, most) if most else h5s.create_simple(shape)
    h5d.create(parent.id, name.encode(), kind, space, properties)
    dataset = parent[name]
    rows = node.written if node.written is not None else (shape[0] if data is not None else 0)
    if rows and not node.external and 0 not in shape:
        memory = kind if node.type and data.dtype.itemsize == kind.get_size() else None
        part = h5s.create_simple(shape)
        part.select_hyperslab((0,) * len(shape), (rows, *shape[1:]))
        block = numpy.ascontiguousarray(data[:rows])
        dataset.id.write(h5s.create_simple(block.shape), part, block, memory)
    for key, value in node.attrs.items():
        write_attribute(dataset, key, value)
    if node.after:
        node.after(dataset)


def write_group(parent, name, node, tight):
    properties = h5p.create(h5p.GROUP_CREATE)
    properties.set_obj_track_times(False)
    if tight:
        HDF5.H5Pset_link_phase_change(ctypes.c_int64(properties.id), 32, 16)
    h5py.h5g.create(parent.id, name.encode(), gcpl=properties)
    for key, value in node.attrs.items():
        write_attribute(parent[name], key, value)


def commit(group, name, kind):
    """Gives a type a name, without the time."""
    number = ctypes.c_int64
    HDF5.H5Pcreate.restype = number
    properties = number(HDF5.H5Pcreate(number.in_dll(HDF5, "H5P_CLS_DATATYPE_CREATE_ID_g")))
    HDF5.H5Pset_obj_track_times(properties, ctypes.c_bool(False))
    default = number(0)
    HDF5.H5Tcommit2(
        number(group.id.id), name.encode(), number(kind.id), default, properties, default
    )
    HDF5.H5Pclose(properties)


def create(tree, path):
    creation, access = h5p.create(h5p.FILE_CREATE), h5p.create(h5p.FILE_ACCESS)
    creation.set_obj_track_times(False)
    access.set_libver_bounds(*tree.library)
    if tree.tight:
        access.set_meta_block_size(256)
        HDF5.H5Pset_small_data_block_size(ctypes.c_int64(access.id), ctypes.c_uint64(16))
    return h5f.create(str(path).encode(), h5f.ACC_TRUNC, creation, access)


def write(tree, path):
    """Writes the tree; the same tree gives the same bytes."""
    links = []
    with h5py.File(create(tree, path)) as file:
        for key, value in tree["/"].attrs.items():
            write_attribute(file, key, value)
        for key, node in tree.items():
            above, _, name = key.rpartition("/")
            if key == "/":
                continue
            if isinstance(node, (Link, Special)):
                links.append((above or "/", name, node))
            elif isinstance(node, Group):
                write_group(file[above or "/"], name, node, tree.tight)
            else:
                write_dataset(file[above or "/"], name, node, tree.style, tree.tight)
        for above, name, node in links:
            if isinstance(node, Special):
                node.make(file[above], name)
            elif node.kind == "hard":
                file[above][name] = file[node.target]
            elif node.kind == "soft":
                file[above][name] = h5py.SoftLink(node.target)
            else:
                file[above][name] = h5py.ExternalLink("elsewhere.h5", node.target)
    if tree.finish:
        tree.finish(path)
