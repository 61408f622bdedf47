"""Makes the HDF5 files that only other software makes: python make.py FOLDER.

Datasets "x" hold 0.5 * i - 3 for i in 0..<1000 as float32 [100, 10].
"""

import sys

import h5py
import hdf5plugin
import numpy

folder = sys.argv[1]
x = (0.5 * numpy.arange(1000) - 3).astype("<f4").reshape(100, 10)
ORDERS = {
    "none": [],
    "zstd": ["zstd"],
    "shuffle-zstd": ["shuffle", "zstd"],
    "zstd-shuffle": ["zstd", "shuffle"],
    "fletcher-zstd": ["fletcher", "zstd"],
    "fletcher-shuffle-zstd": ["fletcher", "shuffle", "zstd"],
    "shuffle-zstd-fletcher": ["shuffle", "zstd", "fletcher"],
    "fletcher-zstd-fletcher": ["fletcher", "zstd", "fletcher"],
    "shuffle-deflate-fletcher": ["shuffle", "deflate", "fletcher"],
    "deflate": ["deflate"],
}


def create(name):
    return h5py.File(f"{folder}/{name}.h5", "w", libver=("v110", "v110"))


def add(file, name, filters, data=x, chunk=(32, 10)):
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_chunk(chunk)
    for step in filters:
        if step == "zstd":
            plist.set_filter(hdf5plugin.ZSTD_ID, h5py.h5z.FLAG_MANDATORY, (5,))
        elif step == "shuffle":
            plist.set_shuffle()
        elif step == "fletcher":
            plist.set_fletcher32()
        elif step == "deflate":
            plist.set_deflate(6)
        else:
            plist.set_filter(step, h5py.h5z.FLAG_MANDATORY, (0,))
    space = h5py.h5s.create_simple(data.shape)
    node = h5py.h5d.create(file.id, name.encode(), h5py.h5t.IEEE_F32LE, space, plist)
    node.write(h5py.h5s.ALL, h5py.h5s.ALL, data)
    return node


with create("filters") as file:
    for name, order in ORDERS.items():
        add(file, name, order)
    file.create_dataset("plugin", data=x, chunks=(32, 10), **hdf5plugin.Zstd(clevel=7))
    file.create_dataset("contiguous", data=x)
    file.create_dataset("empty", shape=(0, 10), maxshape=(None, 10), dtype="<f4", chunks=(4, 10))

with create("refused") as file:
    group = file.create_group("group")
    group["x"] = x
    file["soft"] = h5py.SoftLink("/group")
    file["soft-data"] = h5py.SoftLink("/group/x")
    file["dangling"] = h5py.SoftLink("/nowhere")
    file["external"] = h5py.ExternalLink("filters.h5", "/none")
    file.create_dataset("lz4", data=x, chunks=(32, 10), **hdf5plugin.LZ4())
    layout = h5py.VirtualLayout(shape=(100, 10), dtype="<f4")
    layout[:] = h5py.VirtualSource(f"{folder}/filters.h5", "none", shape=(100, 10))
    file.create_virtual_dataset("virtual", layout)
    file.create_dataset("outside", data=x, external=[(f"{folder}/outside.bin", 0, 4000)])
    file["type"] = numpy.dtype("<i4")

with create("types") as file:
    file["big-endian"] = x.astype(">f4")
    file["half"] = x.astype("<f2")
    file["bool"] = x > 0
    file["compound"] = numpy.zeros(3, [("a", "<i4"), ("b", "<f8")])
    file["text"] = ["variable", "length"]
    file["fixed"] = numpy.array([b"abc", b"de"])
    file["null"] = h5py.Empty("<f4")
    file["scalar"] = numpy.float32(2.5)
    file.attrs["text"] = "variable"
    file.attrs["fixed"] = numpy.bytes_("fixed")
    file.attrs["not-utf8"] = numpy.bytes_(b"\xff\xfe")
    file.attrs["numbers"] = numpy.array([1, 2, 3], "<i8")
    file.attrs["empty"] = numpy.array([], "<i8")

# Chunks that decode to less, or to more, than a chunk.
with create("lengths") as file:
    import zlib

    zstd = bytes.fromhex("28b52ffd")
    for name, size in (("short", 40), ("long", 4000)):
        raw = bytes(size)
        frame = zstd + bytes([0x60]) + (size - 256).to_bytes(2, "little") if size >= 256 else zstd
        frame += b"" if size >= 256 else bytes([0x20, size])
        frame += ((size << 3) | (1 << 1) | 1).to_bytes(3, "little") + b"\0"
        node = add(file, f"zstd-{name}", ["zstd"])
        node.write_direct_chunk((32, 0), frame)
        node = add(file, f"deflate-{name}", ["deflate"])
        node.write_direct_chunk((32, 0), zlib.compress(raw))

with open(f"{folder}/plain.txt", "w") as text:
    text.write("not HDF5\n" * 100)
