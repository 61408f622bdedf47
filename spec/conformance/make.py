"""Remakes valid/ and invalid/: python make.py [FOLDER]."""

import json
import shutil
import sys
from pathlib import Path

from expected import reading
from faults import FAULTS
from tree import write
from variants import VALID


def save(path, value):
    path.write_text(json.dumps(value, sort_keys=True, indent=1) + "\n")


def main(folder):
    for name in ("valid", "invalid"):
        shutil.rmtree(folder / name, ignore_errors=True)
        (folder / name).mkdir(parents=True)
    for name, build in VALID.items():
        tree = build()
        write(tree, folder / "valid" / f"{name}.h5")
        save(folder / "valid" / f"{name}.json", reading(tree))
    index = {}
    for fault in FAULTS:
        if fault.name in index:
            raise ValueError(f"two faults have the name {fault.name}")
        tree = VALID[fault.base]()
        fault.change(tree)
        write(tree, folder / "invalid" / f"{fault.name}.h5")
        index[fault.name] = {"requirement": fault.requirement, "fault": fault.words}
    save(folder / "invalid" / "faults.json", index)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent)
