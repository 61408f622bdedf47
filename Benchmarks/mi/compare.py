#!/usr/bin/env python3
"""Estimates of the 40 tasks of benchmark-mi (Czyż et al. 2023, arXiv 2306.11078), by ptoken and by other libraries."""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np


def draw(task, rows, seed, folder):
    """Writes x.npy and y.npy of one draw; returns their paths and arrays."""
    folder.mkdir(parents=True, exist_ok=True)
    x, y = (np.asarray(a, "f8") for a in task.sample(rows, seed=seed))
    np.save(folder / "x.npy", x)
    np.save(folder / "y.npy", y)
    return x, y


def ours(program, folder, estimator="auto"):
    """The estimate of `ptoken-analyze pair` as its JSON says it."""
    done = subprocess.run(
        [program, "pair", folder / "x.npy", folder / "y.npy", "--json", "--estimator", estimator],
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(done.stdout)


def peers(names):
    """Other estimators by name: functions of x and y that give nats."""
    import bmi

    found = {
        "CCA (bmi)": lambda x, y: bmi.estimators.CCAMutualInformationEstimator().estimate(x, y),
        "KSG (bmi)": lambda x, y: bmi.estimators.KSGEnsembleFirstEstimator(
            neighborhoods=(10,)
        ).estimate(x, y),
        "MINE (bmi)": lambda x, y: bmi.estimators.MINEEstimator(verbose=False).estimate(x, y),
        "InfoNCE (bmi)": lambda x, y: bmi.estimators.InfoNCEEstimator(verbose=False).estimate(x, y),
        "DV (bmi)": lambda x, y: bmi.estimators.DonskerVaradhanEstimator(verbose=False).estimate(
            x, y
        ),
        "NWJ (bmi)": lambda x, y: bmi.estimators.NWJEstimator(verbose=False).estimate(x, y),
    }
    return {
        key: value for key, value in found.items() if names == ["all"] or key.split()[0] in names
    }


def run(options):
    import bmi

    tasks = {
        name: task for name, task in bmi.benchmark.BENCHMARK_TASKS.items() if options.task in name
    }
    others = peers(options.peers) if options.peers else {}
    options.results.parent.mkdir(parents=True, exist_ok=True)
    with options.results.open("a") as out:
        for seed in range(options.first, options.first + options.draws):
            for name, task in tasks.items():
                x, y = draw(task, options.rows, seed, options.folder)
                truth = float(task.mutual_information)
                start = time.perf_counter()
                found = ours(options.program, options.folder)
                line = {
                    "task": name,
                    "seed": seed,
                    "n": options.rows,
                    "truth": truth,
                    "estimator": "ptoken auto",
                    "seconds": time.perf_counter() - start,
                } | {key: found[key] for key in ("value", "low", "high", "p", "flags", "kind")}
                print(json.dumps(line), file=out, flush=True)
                for other, estimate in others.items():
                    start = time.perf_counter()
                    try:
                        value = float(estimate(x, y))
                    except Exception as error:  # a peer's failure is a result too
                        value = math.nan
                        print(f"{other} on {name}: {error}", file=sys.stderr)
                    line = {
                        "task": name,
                        "seed": seed,
                        "n": options.rows,
                        "truth": truth,
                        "estimator": other,
                        "seconds": time.perf_counter() - start,
                        "value": value if math.isfinite(value) else None,
                    }
                    print(json.dumps(line), file=out, flush=True)


def read(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def summary(lines):
    """Markdown: one row for each estimator, then one for each task."""
    text = [
        "| estimator | runs | mean abs. error | within 0.05 / 0.1 of 40 | median s |",
        "|---|---|---|---|---|",
    ]
    names = list(dict.fromkeys(line["estimator"] for line in lines))
    for name in names:
        own = [line for line in lines if line["estimator"] == name]
        errors = [abs((line["value"] or 0) - line["truth"]) for line in own]
        share = [40 * sum(e < limit for e in errors) / len(errors) for limit in (0.05, 0.1)]
        text.append(
            f"| {name} | {len(own)} | {statistics.mean(errors):.3f} | {share[0]:.1f} / {share[1]:.1f} "
            f"| {statistics.median(line['seconds'] for line in own):.1f} |"
        )
    own = [line for line in lines if line["estimator"] == "ptoken auto"]
    high = [line["high"] if line["high"] is not None else math.inf for line in own]
    unflagged = [(line, top) for line, top in zip(own, high, strict=True) if not bad_flags(line)]
    covered = [line["low"] <= line["truth"] <= top for line, top in unflagged]
    above = sum(line["low"] > line["truth"] for line in own)
    errors = [abs(line["value"] - line["truth"]) for line in own]
    good = [bool(bad_flags(line)) for line, e in zip(own, errors, strict=True) if e < 0.05]
    bad = [bool(bad_flags(line)) for line, e in zip(own, errors, strict=True) if e > 0.2]
    widths = [top - line["low"] for line, top in unflagged if math.isfinite(top)]
    text += [
        "",
        f"- Interval covers the truth in {100 * statistics.mean(covered):.1f} % of {len(covered)} unflagged runs; "
        f"median width {statistics.median(widths):.3f} nats, nine in ten below {np.quantile(widths, 0.9):.3f}.",
        f"- Lower limit above the truth in {above} of {len(own)} runs.",
        f"- Flags on {sum(good)} of {len(good)} runs with an error below 0.05, and on {sum(bad)} of {len(bad)} "
        "with an error above 0.2.",
        "",
        "| task | truth | mean | mean abs. error | covered | mean width | flags | median s |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for task in dict.fromkeys(line["task"] for line in own):
        mine = [line for line in own if line["task"] == task]
        tops = [line["high"] if line["high"] is not None else math.inf for line in mine]
        inside = sum(
            line["low"] <= line["truth"] <= top for line, top in zip(mine, tops, strict=True)
        )
        width = statistics.mean(top - line["low"] for line, top in zip(mine, tops, strict=True))
        flags = sorted({flag for line in mine for flag in line["flags"]})
        text.append(
            f"| {task} | {mine[0]['truth']:.3f} | {statistics.mean(line['value'] for line in mine):.3f} "
            f"| {statistics.mean(abs(line['value'] - line['truth']) for line in mine):.3f} "
            f"| {inside} of {len(mine)} | {width:.3f} | {', '.join(flags)} "
            f"| {statistics.median(line['seconds'] for line in mine):.1f} |"
        )
    return "\n".join(text)


def bad_flags(line):
    """Flags that say that a figure is not to be taken at its word."""
    return [flag for flag in line["flags"] if flag != "null_not_beaten"]


def picture(lines, path):
    """Errors of every run of ours, by task, as SVG."""
    own = [line for line in lines if line["estimator"] == "ptoken auto"]
    tasks = list(dict.fromkeys(line["task"] for line in own))
    width, left, step = 860, 330, 16
    height = 40 + step * len(tasks)

    def place(error):
        return left + (width - left - 20) * (max(-0.4, min(0.2, error)) + 0.4) / 0.6

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="11">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        f'<rect x="{place(-0.05)}" y="4" width="{place(0.05) - place(-0.05)}" height="{height - 30}" fill="#e6f0e6"/>',
    ]
    for error in (-0.4, -0.3, -0.2, -0.1, 0, 0.1, 0.2):
        parts.append(
            f'<line x1="{place(error)}" y1="4" x2="{place(error)}" y2="{height - 26}" stroke="#ccc"/>'
            f'<text x="{place(error)}" y="{height - 10}" text-anchor="middle">{error:+.1f}</text>'
        )
    for number, task in enumerate(tasks):
        y = 16 + step * number
        parts.append(f'<text x="{left - 10}" y="{y + 4}" text-anchor="end">{task}</text>')
        for line in own:
            if line["task"] == task:
                color = "#c05020" if bad_flags(line) else "#2060a0"
                parts.append(
                    f'<circle cx="{place(line["value"] - line["truth"]):.1f}" cy="{y}" r="3" fill="{color}" fill-opacity="0.6"/>'
                )
    parts.append(
        f'<text x="{left - 24}" y="{height - 10}" text-anchor="end">error, nats</text></svg>'
    )
    path.write_text("\n".join(parts))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "results", type=Path, help="file of results, one JSON line for each; added to"
    )
    parser.add_argument("--program", default=os.environ.get("PTOKEN_ANALYZE", "ptoken-analyze"))
    parser.add_argument("--folder", type=Path, default=Path("draw"), help="where a draw is written")
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--first", type=int, default=1, help="first seed")
    parser.add_argument("--task", default="", help="part of a task's name")
    parser.add_argument(
        "--peers", nargs="*", default=[], help="CCA KSG MINE InfoNCE DV NWJ, or all"
    )
    parser.add_argument("--summary", action="store_true", help="only print tables of the results")
    parser.add_argument("--picture", type=Path, help="with --summary: an SVG to write")
    options = parser.parse_args()
    if not options.summary:
        run(options)
    lines = read(options.results)
    print(summary(lines))
    if options.picture:
        picture(lines, options.picture)


main()
