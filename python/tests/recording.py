"""The real recorder, for tests; it is an error, not a skip, where it is missing."""

import os
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def program(name: str) -> str:
    """A program of ours, built."""
    folder = os.environ.get("PTOKEN_PROGRAMS", str(ROOT / ".build/release"))
    found = shutil.which(name, path=folder)
    assert found, f"{name} is not in {folder}: build it first (swift build -c release)"
    return found


def environment(**changes: str) -> dict[str, str]:
    """The environment of a training script that records."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PTOKEN_")}
    paths = [str(ROOT / "python"), clean.get("PYTHONPATH", "")]
    return {
        **clean,
        "PYTHONPATH": os.pathsep.join(path for path in paths if path),
        "PTOKEN_RECORD": program("ptoken-record"),
        "OMP_NUM_THREADS": "1",
        **changes,
    }
