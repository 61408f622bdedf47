"""Writes and reads the same numbers with file-speed and with h5py + hdf5plugin, in turn.

usage: compare.py FILE-SPEED PTOKEN-RECORD FOLDER
"""

import statistics
import subprocess
import sys
import time
from pathlib import Path

import h5py
import hdf5plugin
import numpy

WIDTH, ROWS, REPEATS = 256, 2048, 5
CHUNK = (128, WIDTH)  # 128 KiB, as ours
speed, record, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])


def gradient_like(megabytes):
    random = numpy.random.default_rng(1)
    values = random.standard_normal(megabytes << 18, dtype="f4") * numpy.float32(1e-3)
    values[random.random(len(values), dtype="f4") < 0.4] = 0
    return values


def recorded(megabytes):
    """Gradients of the demo's layers, sketched, as often as it takes."""
    path = folder / "demo.h5"
    subprocess.run(
        [record, "demo", path, "--epochs", "4", "--quiet", "--force"],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    with h5py.File(path) as file:
        streams = file["tables/T0000/streams"].values()
        rows = [stream[:] for stream in streams if stream.attrs["kind"] == b"gradient"]
    values = numpy.concatenate(rows).astype("f4").reshape(-1)
    return numpy.resize(values, megabytes << 18)


def ours(*arguments):
    done = subprocess.run([speed, *map(str, arguments)], check=True, capture_output=True, text=True)
    return float(done.stdout.split()[0])


def write_h5py(path, values, compression):
    options = {"chunks": CHUNK, "maxshape": (None, WIDTH), "dtype": "<f4"}
    if compression == "zstd":
        options |= {"shuffle": True, "fletcher32": True, **hdf5plugin.Zstd(clevel=3)}
    steps = [
        values[i : i + ROWS * WIDTH].reshape(-1, WIDTH) for i in range(0, len(values), ROWS * WIDTH)
    ]
    start = time.perf_counter()
    with h5py.File(path, "w", libver=("v110", "v110")) as file:
        dataset = file.create_dataset("x", shape=(0, WIDTH), **options)
        for rows in steps:
            first = len(dataset)
            dataset.resize(first + len(rows), axis=0)
            dataset[first:] = rows
        file.flush()
    return time.perf_counter() - start


def read_h5py(path, name):
    start = time.perf_counter()
    with h5py.File(path) as file:
        file[name][:]
    return time.perf_counter() - start


def row(name, megabytes, mine, theirs, goal, sizes=""):
    rate = [megabytes / 1000 * 1.048576 / statistics.median(times) for times in (mine, theirs)]
    ratio = statistics.median([b / a for a, b in zip(mine, theirs, strict=True)])
    print(
        f"| {name} | {rate[0]:.2f} | {rate[1]:.2f} | **{ratio:.2f}** | {goal} | {sizes} |",
        flush=True,
    )


print("| what | ours GB/s | h5py GB/s | ratio (median of pairs) | goal | file, ours / h5py |")
print("|---|---|---|---|---|---|")
for title, make, megabytes in [("gradient-like", gradient_like, 192), ("recorded", recorded, 192)]:
    values = make(megabytes)
    data = folder / "data.f32"
    values.tofile(data)
    for compression, goals in [("zstd", (1.8, 1.8)), ("none", (0.85, "-"))]:
        mine, theirs, reads, their_reads = [], [], [], []
        for _ in range(REPEATS + 1):
            # Neither side is to pay for what the other left.
            for name in ("a.h5", "b.h5"):
                (folder / name).unlink(missing_ok=True)
            mine.append(ours("write", data, folder / "a.h5", "--compression", compression))
            theirs.append(write_h5py(folder / "b.h5", values, compression))
            reads.append(ours("read", folder / "a.h5"))
            their_reads.append(read_h5py(folder / "b.h5", "x"))
        # The first of each only warms up.
        sizes = [(folder / name).stat().st_size for name in ("a.h5", "b.h5")]
        row(
            f"write, {title}, {compression}",
            megabytes,
            mine[1:],
            theirs[1:],
            goals[0],
            f"{sizes[0] / sizes[1]:.3f}",
        )
        row(f"read, {title}, {compression}", megabytes, reads[1:], their_reads[1:], goals[1])
