#!/usr/bin/env python3
"""Training steps a second of the same critic by ptoken and by bmi's JAX, batch 256, every core for each."""

import json
import os
import subprocess
import sys
import time

import numpy as np
from bmi import estimators


def theirs(objective, columns, hidden, steps):
    """From two runs of other lengths, so that compiling and reading out do not count."""
    generator = np.random.default_rng(0)
    x, y = (generator.standard_normal((2000, width)) for width in columns)
    make = estimators.MINEEstimator if objective == "mine" else estimators.InfoNCEEstimator

    def seconds(count):
        estimator = make(
            max_n_steps=count, test_every_n_steps=10**9, hidden_layers=hidden, verbose=False
        )
        start = time.perf_counter()
        estimator.estimate(x, y)
        return time.perf_counter() - start

    seconds(2)
    return steps / (seconds(2 + steps) - seconds(2))


def ours(program, objective, columns, hidden, steps, trainings):
    done = subprocess.run(
        [
            *(program, "critics", "--objective", objective, "--steps", str(steps)),
            *("--x", str(columns[0]), "--y", str(columns[1]), "--trainings", str(trainings)),
            *("--hidden", *map(str, hidden)),
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(done.stdout)


def main():
    program = sys.argv[1]
    cores = len(os.sched_getaffinity(0))
    print(
        f"| objective | columns | hidden | bmi steps/s | ptoken steps/s, one fold | {cores} folds "
        "| ratio | share of sgemm |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for objective, columns, hidden, steps, own in (
        ("mine", (25, 25), (16, 8), 500, 5000),
        ("mine", (256, 64), (16, 8), 500, 5000),
        ("infonce", (25, 25), (16, 8), 100, 200),
        ("infonce", (256, 64), (16, 8), 30, 200),
        ("infonce", (25, 25), (256, 256), 6, 6),
        ("infonce", (256, 64), (256, 256), 6, 6),
    ):
        peer = theirs(objective, columns, hidden, steps)
        one = ours(program, objective, columns, hidden, own, 1)
        all_ = ours(program, objective, columns, hidden, own, cores)
        print(
            f"| {objective} | {columns[0]}+{columns[1]} | {hidden[0]}, {hidden[1]} | {peer:.3g} "
            f"| {one['steps_per_second']:.3g} | {all_['steps_per_second']:.3g} "
            f"| {all_['steps_per_second'] / peer:.1f}x | {100 * one['share']:.0f} % |",
            flush=True,
        )


main()
