"""One turn of the comparison with h5py: write DATA, read it back, print the seconds of both.

Usage: h5py_side.py LEVEL DATA FILE [OTHER]; FILE is written, and read unless OTHER is given.
"""

import sys
import time

import h5py
import hdf5plugin  # noqa: F401  registers the Zstandard filter
import numpy as np

WIDTH, CHUNK_ROWS, ZSTD = 1024, 32, 32015


def write(path, values, level):
    # The low-level interface puts the filters in the same order as ours.
    creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    creation.set_chunk((CHUNK_ROWS, WIDTH))
    creation.set_shuffle()
    creation.set_filter(ZSTD, h5py.h5z.FLAG_MANDATORY, (level,))
    creation.set_fletcher32()
    with h5py.File(path, "w") as file:
        space = h5py.h5s.create_simple(values.shape)
        made = h5py.h5d.create(file.id, b"x", h5py.h5t.IEEE_F32LE, space, creation)
        h5py.Dataset(made).write_direct(values)


def read(path, values):
    with h5py.File(path, "r") as file:
        file["x"].read_direct(values)


def seconds(function, *arguments):
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start


def main():
    level, data, path, *other = sys.argv[1:]
    values = np.fromfile(data, dtype="<f4").reshape(-1, WIDTH)
    found = np.ones_like(values)
    writing = seconds(write, path, values, int(level))
    reading = seconds(read, other[0] if other else path, found)
    if not np.array_equal(values, found):
        sys.exit("read other numbers")
    print(writing, reading)


if __name__ == "__main__":
    main()
