"""Faults of filters, chunks, links, types and limits."""

import functools
import zlib

import numpy
from changes import add, data, faults, stored
from h5py import h5d, h5p, h5s, h5t
from raw import frame, repeated, user_link
from tree import DEFLATE, FLETCHER, SHUFFLE, ZSTD, Dataset, Link, Special, write_attribute

CONV = "/tables/T0000/streams/L0000"
LZ4, LZF, SCALE = 32004, 32000, 6


def setting(path, **values):
    def change(tree):
        for name, value in values.items():
            setattr(tree[path], name, value)

    return change


def rewritten(path, make, filters, chunk=0):
    """Puts make(bytes of the unfiltered chunk) in place of a stored chunk."""

    def change(tree):
        def after(dataset):
            rows = dataset.chunks[0]
            plain = dataset[chunk * rows : (chunk + 1) * rows].tobytes()
            place = (chunk * rows,) + (0,) * (dataset.ndim - 1)
            stored_bytes, mask = make(plain)
            dataset.id.write_direct_chunk(place, stored_bytes, mask)

        tree[path].filters, tree[path].after = filters, after

    return change


def damaged(path, filters, damage, chunk=1):
    """Puts damage(bytes of the stored chunk) in its place."""

    def change(tree):
        def after(dataset):
            place = (chunk * dataset.chunks[0],) + (0,) * (dataset.ndim - 1)
            dataset.flush()
            mask, old = dataset.id.read_direct_chunk(place)
            dataset.id.write_direct_chunk(place, damage(old), mask)

        tree[path].filters, tree[path].after = filters, after

    return change


def flip(place):
    def damage(old):
        new = bytearray(old)
        new[place] ^= 0x10
        return bytes(new)

    return damage


def large_chunk(tree):
    """One chunk of 75.5 MB, of zeros."""
    node = tree[CONV]
    node.filters, node.chunks, node.grows = [(ZSTD, 3)], (1 << 19, 36), 1
    node.data, node.written = numpy.zeros_like(node.data), 0
    length = 4 * 36 << 19
    node.after = lambda dataset: dataset.id.write_direct_chunk((0, 0), repeated(length), 0)


def many_steps(tree):
    """2^24 + 1 steps, all zeros."""
    tree.remove("/steps/trainable")
    for path, node in tree.items():
        if path.startswith("/steps/") and isinstance(node, Dataset):
            size = node.data.dtype.itemsize
            rows = min(1 << 24, (1 << 26) // size)
            node.data = numpy.empty(0, node.data.dtype)
            node.shape, node.written = ((1 << 24) + 1,), 0
            node.chunks, node.filters = (rows,), [(ZSTD, 3)]
            node.after = functools.partial(fill, rows=rows, chunk=repeated(rows * size))


def fill(dataset, rows, chunk):
    for first in range(0, dataset.shape[0], rows):
        dataset.id.write_direct_chunk((first,), chunk, 0)


def twice(number):
    """A filter twice in the pipeline."""
    return setting(CONV, filters=[(number,), (number,), (ZSTD, 3)])


def other_filter(path, number, *values):
    return setting(path, filters=[(number, *values)])


def scaled(group, name):
    data = numpy.zeros((12, 36), "<f4")
    group.create_dataset(name, data=data, chunks=(4, 36), scaleoffset=2)


def in_place(path, make):
    """make(group, name) makes the object, which then gets the attributes of the old one."""

    def change(tree):
        old = tree[path]

        def all_of_it(group, name):
            make(group, name)
            for key, value in old.attrs.items():
                write_attribute(group[name], key, value)

        tree[path] = Special(all_of_it)

    return change


def virtual(path):
    """The dataset is virtual, of one that lies elsewhere in the file."""

    def change(tree):
        old = tree[path].data
        tree["/moved"] = Dataset(old, style="plain")

        def make(group, name):
            properties, space = h5p.create(h5p.DATASET_CREATE), h5s.create_simple(old.shape)
            properties.set_obj_track_times(False)
            properties.set_virtual(space, b".", b"/moved", space)
            kind = h5t.py_create(old.dtype)
            h5d.create(group.id, name.encode(), kind, space, properties)

        in_place(path, make)(tree)

    return change


def external(path):
    return setting(path, external="elsewhere.raw", filters=None, chunks=None, written=0)


def user_defined(place, name):
    def change(tree):
        tree[place.rstrip("/") + "/" + name] = Link("external", "/")
        tree.finish = lambda path: user_link(path, name)

    return change


def user_defined_instead(path):
    def change(tree):
        tree.remove(path)
        user_defined(path.rpartition("/")[0] or "/", path.rpartition("/")[2])(tree)

    return change


def narrow():
    """uint32 of which only 24 bits count."""
    kind = h5t.STD_U32LE.copy()
    kind.set_precision(24)
    return kind


def biased():
    """float64 with another bias of the exponent."""
    kind = h5t.IEEE_F64LE.copy()
    kind.set_ebias(1000)
    return kind


def missing(path, rows):
    """Rows beyond these are in no stored chunk."""
    return setting(path, written=rows, filters=[(SHUFFLE,), (ZSTD, 3), (FLETCHER,)])


def halves(plain):
    half = len(plain) // 2
    return frame(plain[:half]) + frame(plain[half:]), 0


def stray(place, kind):
    return add(f"{place.rstrip('/')}/stray", Link(kind, "/model"))


ZSTD_ALONE, DEFLATE_ALONE = [(ZSTD, 3)], [(DEFLATE, 6)]
COMPOUND = numpy.dtype([("x", "<f8")])
BITS = h5t.STD_B8LE
FILTERS = [
    ("filter-lz4", 50, "a stream is stored with LZ4", other_filter(CONV, LZ4)),
    ("filter-lzf", 50, "/steps/index is stored with LZF", other_filter("/steps/index", LZF)),
    ("filter-scale-offset", 50, "a stream is stored with scale-offset",
     in_place(CONV, scaled)),
    ("filter-shuffle-twice", 50, "shuffle stands twice in the pipeline", twice(SHUFFLE)),
    ("filter-fletcher-twice", 50, "fletcher32 stands twice in the pipeline", twice(FLETCHER)),
    ("chunk-corrupt", 51, "a chunk with a wrong checksum",
     damaged(CONV, [(SHUFFLE,), (ZSTD, 3), (FLETCHER,)], flip(-1))),
    ("chunk-corrupt-plain", 51, "an uncompressed chunk with a wrong checksum",
     damaged(CONV, [(FLETCHER,)], flip(9))),
    ("zstd-truncated", 51, "a Zstandard frame is cut short",
     damaged(CONV, ZSTD_ALONE, lambda old: old[:-9])),
    ("zstd-no-frame", 51, "a chunk is no Zstandard frame",
     damaged(CONV, ZSTD_ALONE, lambda old: b"none" + old[4:])),
    ("zstd-short", 51, "a Zstandard frame decodes to less than the chunk",
     rewritten(CONV, lambda plain: (frame(plain[:-4]), 0), ZSTD_ALONE)),
    ("zstd-long", 51, "a Zstandard frame decodes to more than the chunk",
     rewritten(CONV, lambda plain: (frame(plain + bytes(4)), 0), ZSTD_ALONE)),
    ("zstd-other-size", 51, "a Zstandard frame states another size than it has",
     rewritten(CONV, lambda plain: (frame(plain[:-4], said=len(plain)), 0), ZSTD_ALONE)),
    ("deflate-corrupt", 51, "a deflate stream has a wrong checksum",
     damaged(CONV, DEFLATE_ALONE, flip(-1))),
    ("deflate-short", 51, "a deflate stream decodes to less than the chunk",
     rewritten(CONV, lambda plain: (zlib.compress(plain[:-4]), 0), DEFLATE_ALONE)),
    ("skipped-short", 51, "a chunk without filters has a byte too few",
     rewritten(CONV, lambda plain: (plain[:-1], 1), ZSTD_ALONE)),
    ("chunk-missing", 51, "the last chunk of a stream is not stored", missing(CONV, 8)),
    ("chunk-missing-column", 51, "the only chunk of /steps/loss is not stored",
     missing("/steps/loss", 0)),
    ("contiguous-missing", 51, "a contiguous column has no storage",
     setting("/steps/time", style="plain", written=0)),
    ("zstd-no-size", 52, "a Zstandard frame does not state its content size",
     rewritten(CONV, lambda plain: (frame(plain, sized=False), 0), ZSTD_ALONE)),
    ("zstd-two-frames", 52, "a chunk is two Zstandard frames",
     rewritten(CONV, halves, ZSTD_ALONE)),
    ("zstd-skippable-frame", 52, "a skippable frame stands before a chunk's frame",
     rewritten(CONV, lambda plain: (
         b"\x50\x2a\x4d\x18\x04\0\0\0note" + frame(plain), 0), ZSTD_ALONE)),
    ("chunk-large", 70, "a chunk has 72 MiB", large_chunk),
    ("type-compound", 20, "/steps/loss is compound",
     data("/steps/loss", lambda old: old.view(COMPOUND))),
    ("type-bit-field", 20, "/steps/dropout is a bit field", stored("/steps/dropout", BITS)),
    ("type-precision", 20, "/steps/participants has 24 bits of precision",
     stored("/steps/participants", narrow())),
    ("type-bias", 20, "/steps/time has another bias of the exponent",
     stored("/steps/time", biased())),
    ("virtual-column", 72, "/steps/loss is a virtual dataset", virtual("/steps/loss")),
    ("external-column", 72, "/steps/time lies in another file", external("/steps/time")),
]  # fmt: skip
LINKS = [
    ("steps-many", 21, "there are 2^24 + 1 steps", many_steps),
    *((f"stray-{kind}-link-{name}", 71, f"a stray {kind} link in {place}", stray(place, kind))
      for kind, name, place in (
        ("soft", "root", "/"), ("external", "root", "/"), ("soft", "steps", "/steps"),
        ("external", "sessions", "/sessions"))),
    ("stray-user-link", 71, "a stray user-defined link in the root", user_defined("/", "stray")),
    ("user-link-observer", 10, "a user-defined link in place of /observer",
     user_defined_instead("/observer")),
]  # fmt: skip
TABLE_LINKS = [
    ("stray-soft-link-observations", 71, "a stray soft link in observations",
     stray("/tables/T0000/observations", "soft")),
    ("stray-external-link-table", 71, "a stray external link in a table",
     stray("/tables/T0000", "external")),
]  # fmt: skip
STEPS_ONLY = ("type-", "virtual-column", "external-", "contiguous", "filter-lzf", "chunk-missing-c")
LIGHT = [row for row in FILTERS if row[0].startswith(STEPS_ONLY)]
FAULTS = (
    faults("steps", LIGHT + LINKS)
    + faults("one-table", [row for row in FILTERS if row not in LIGHT])
    + faults("one-table", TABLE_LINKS)
)
