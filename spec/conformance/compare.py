"""Compares two readers on every conformance file, and on seeded mutations of the valid ones.

usage: python compare.py PTOKEN-INSPECT [--mutations COUNT] [--seed FIRST]

The readers are `PTOKEN-INSPECT reading` and reader.py. Both must read each valid file as its JSON
says, refuse each invalid one under its requirement, and agree on each mutation: on accepting it,
and then on the reading.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent


def run(command):
    done = subprocess.run(command, capture_output=True, text=True)
    try:
        return json.loads(done.stdout)
    except json.JSONDecodeError:
        return {"crashed": f"status {done.returncode}: {(done.stderr or done.stdout)[-200:]}"}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("inspect")
    parser.add_argument("--mutations", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    readers = {
        "ptoken": [options.inspect, "reading"],
        "reader.py": [sys.executable, str(HERE / "reader.py")],
    }
    problems = []

    def check(path, expected):
        for name, command in readers.items():
            found = run([*command, str(path)])
            if found != expected:
                words = found.get("refused") or found.get("crashed") or "another reading"
                problems.append(
                    f"{path.name}: {name}: {words}, expected {expected.get('refused', 'its JSON')}"
                )

    def mutate(number):
        source = valid[number % len(valid)]
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "mutated.h5"
            command = [sys.executable, HERE / "mutate.py", source, str(number), target]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                problems.append(f"{source.name}, seed {number}: {done.stderr[-200:]}")
                return None
            ours, theirs = (run([*command, str(target)]) for command in readers.values())
            are_refused = "refused" in ours, "refused" in theirs
            if are_refused[0] != are_refused[1] or (not any(are_refused) and ours != theirs):
                words = [
                    found.get("refused") or found.get("crashed", "accepted")
                    for found in (ours, theirs)
                ]
                what = done.stdout.strip()
                problems.append(f"{source.name}, seed {number} ({what}): {words[0]} and {words[1]}")
            return are_refused[0], ours.get("refused") == theirs.get("refused")

    valid = sorted((HERE / "valid").glob("*.h5"))
    faults = json.loads((HERE / "invalid" / "faults.json").read_text())
    with ThreadPoolExecutor(2) as pool:
        checks = [
            pool.submit(check, path, json.loads(path.with_suffix(".json").read_text()))
            for path in valid
        ]
        checks += [
            pool.submit(check, HERE / "invalid" / f"{name}.h5", {"refused": [fault["requirement"]]})
            for name, fault in faults.items()
        ]
        seeds = range(options.seed, options.seed + options.mutations)
        outcomes = [outcome for outcome in pool.map(mutate, seeds) if outcome]
        for done in checks:
            done.result()
    refused = sum(outcome[0] for outcome in outcomes)
    same = sum(outcome[1] for outcome in outcomes)
    print(
        f"{len(valid)} valid, {len(faults)} invalid files, {len(outcomes)} mutations "
        f"({refused} refused, {same} of all under the same numbers): {len(problems)} disagreements"
    )
    for problem in problems:
        print(problem, file=sys.stderr)
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
