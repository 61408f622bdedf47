#!/usr/bin/env python3
"""KSG's first estimator, k = 5, of correlated normal columns: seconds of ptoken and of others, and what they estimate."""

import argparse
import itertools
import json
import math
import subprocess
import time
from pathlib import Path

import numba
import numpy as np
from npeet_plus import mi
from scipy.special import digamma

K = 5


def draw(columns, rows):
    generator = np.random.default_rng(7)
    x = generator.standard_normal((rows, columns))
    return x, 0.5 * x + math.sqrt(0.75) * generator.standard_normal((rows, columns))


def npeet(x, y):
    """npeet-plus: ball or k-d trees of scikit-learn."""
    return mi(x, y, k=K, base=math.e)


@numba.njit(fastmath=True)
def _count(dx, dy, i, k, near, total):
    """Rows nearer to row i on each side than its k-th neighbour in both."""
    dx[i] = dy[i] = np.inf
    near[:] = np.inf
    for j in range(len(dx)):
        d = max(dx[j], dy[j])
        if d < near[k - 1]:
            place = k - 1
            while place > 0 and near[place - 1] > d:
                near[place] = near[place - 1]
                place -= 1
            near[place] = d
    radius = near[k - 1]
    for j in range(len(dx)):
        total[0, i] += dx[j] < radius
        total[1, i] += dy[j] < radius


@numba.njit(fastmath=True)
def _brute(x, y, k, near):
    n = x.shape[1]
    dx, dy = np.empty(n), np.empty(n)
    total = np.zeros((2, n), np.int64)
    for i in range(n):
        dx[:] = 0
        dy[:] = 0
        for c in range(x.shape[0]):
            for j in range(n):
                dx[j] = max(dx[j], abs(x[c, j] - x[c, i]))
        for c in range(y.shape[0]):
            for j in range(n):
                dy[j] = max(dy[j], abs(y[c, j] - y[c, i]))
        _count(dx, dy, i, k, near, total)
    return total


def brute(x, y):
    """Every pair, compiled by numba, double precision."""
    total = _brute(np.ascontiguousarray(x.T), np.ascontiguousarray(y.T), K, np.empty(K))
    return digamma(K) + digamma(len(x)) - np.mean(digamma(total[0] + 1) + digamma(total[1] + 1))


@numba.njit(fastmath=True)
def _select(gx, gy, sx, sy, first, k, near, total):
    for r in range(gx.shape[0]):
        i = first + r
        a, b = gx[r], gy[r]
        for j in range(gx.shape[1]):
            a[j] = sx[i] + sx[j] - 2 * a[j]
            b[j] = sy[i] + sy[j] - 2 * b[j]
        _count(a, b, i, k, near, total)


def blas(x, y):
    """Squared distances by products of matrices in single precision, selected by numba."""
    x, y = ((a - a.mean(0)).astype("f4") for a in (x, y))
    sx, sy = (np.einsum("ij,ij->i", a, a) for a in (x, y))
    total = np.zeros((2, len(x)), np.int64)
    near = np.empty(K, "f4")
    for first in range(0, len(x), 256):
        part = slice(first, first + 256)
        _select(x[part] @ x.T, y[part] @ y.T, sx, sy, first, K, near, total)
    return digamma(K) + digamma(len(x)) - np.mean(digamma(total[0] + 1) + digamma(total[1] + 1))


def timed(estimate, x, y, runs):
    """Estimate, and the least processor seconds of some runs."""
    used = []
    for _ in range(runs):
        start = time.process_time()
        value = estimate(x, y)
        used.append(time.process_time() - start)
    return value, min(used)


def ours(program, folder, norm, cores, runs=3):
    """The same of estimator-speed, on these cores: value, processor seconds and seconds of the clock."""
    done = subprocess.run(
        [
            *("taskset", "-c", cores, program, "neighbours", folder / "x.npy", folder / "y.npy"),
            *("--norm", norm, "--runs", str(runs)),
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    found = json.loads(done.stdout)
    return found["value"], found["cpu"], found["wall"]


def save(folder, x, y):
    np.save(folder / "x.npy", x)
    np.save(folder / "y.npy", y)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--quick", action="store_true", help="leave out 200,000 rows")
    options = parser.parse_args()
    for estimate in (brute, blas):
        estimate(*draw(2, 100))
    print(
        "| columns | rows | norm | ptoken s | two threads | npeet-plus s | every pair s | BLAS s |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for columns, rows in (
        (1, 10_000),
        (1, 50_000),
        (5, 10_000),
        (5, 50_000),
        (25, 10_000),
        (64, 10_000),
    ):
        x, y = draw(columns, rows)
        save(options.folder, x, y)
        runs = 3 if rows * columns <= 50_000 else 1
        for norm, peers in (("maximum", (npeet, brute)), ("euclidean", (blas,))):
            # Runs of milliseconds: many, for a thread that wakes up may wait for its core.
            least = 30 if columns == 1 else 5
            value, seconds, wall = ours(options.program, options.folder, norm, "0", least)
            _, _, both = ours(options.program, options.folder, norm, "0,1", least)
            cells = {}
            for peer in peers:
                other, used = timed(peer, x, y, runs)
                cells[peer] = f"{used:.3g} ({used / seconds:.1f}x; {other - value:+.1e})"
            others = " | ".join(cells.get(peer, "") for peer in (npeet, brute, blas))
            print(
                f"| {columns}+{columns} | {rows} | {norm} | {seconds:.3g} | {wall / both:.2f}x | {others} |",
                flush=True,
            )
    if options.quick:
        return
    print(
        "\n| columns | norm | "
        + " | ".join(f"{n} rows" for n in (12_500, 50_000, 200_000))
        + " | exponents |"
    )
    print("|---|---|---|---|---|---|")
    for columns in (1, 5):
        for norm in ("maximum", "euclidean"):
            used = []
            for rows in (12_500, 50_000, 200_000):
                save(options.folder, *draw(columns, rows))
                used.append(ours(options.program, options.folder, norm, "0", runs=1)[1])
            powers = [math.log(b / a, 4) for a, b in itertools.pairwise(used)]
            print(
                f"| {columns}+{columns} | {norm} | "
                + " | ".join(f"{s:.3g} s" for s in used)
                + f" | {powers[0]:.2f}, {powers[1]:.2f} |",
                flush=True,
            )


main()
