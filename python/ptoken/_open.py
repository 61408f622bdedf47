"""Opens files of either format."""

from __future__ import annotations

import builtins
import json
import os
import re
from importlib import resources

from . import _rules
from .analysis import Analysis
from .errors import Place, listed, shown
from .snapshot import Snapshot

_MAJOR, _MINOR = 1, 0
_READERS = {reader.format: reader for reader in (Snapshot, Analysis)}


def open(path: str | os.PathLike[str]) -> Snapshot | Analysis:
    """Opens a snapshot (`run.h5`) or an analysis (`run.analysis.h5`) for reading.

    Checks the structure: every object, type, shape, attribute and limit, no rows; those are
    checked as far as safety needs when they are read. Time grows with the number of streams, not
    of rows. The file is never changed, and nothing outside of it is opened.

    Raises `FormatError` for a file that breaks the specification, `FileNotFoundError` (which
    tells of a recording that has not finished), and `ImportError` without h5py or hdf5plugin.
    """
    try:
        import h5py
        import hdf5plugin  # noqa: F401, brings Zstandard
    except ImportError as error:
        remedy = "reading files needs h5py and hdf5plugin: pip install 'ptoken[read]'"
        raise ImportError(remedy) from error

    path = os.fspath(path)
    if not os.path.exists(path) and os.path.exists(f"{path}.journal"):
        raise FileNotFoundError(
            f"{path}: still being recorded, or its recorder died: there is only {path}.journal. "
            f"'ptoken-inspect recover {path} -o ok.h5' makes a file of it."
        )
    with builtins.open(path, "rb"):
        pass  # for Python's own errors of what is absent or not allowed
    place = Place(path)
    with place.reading("R-001"):
        file = h5py.File(path, "r", locking="best-effort")
    try:
        return _read(file, place)
    except BaseException:
        file.close()
        raise


def _read(file, place: Place) -> Snapshot | Analysis:
    from . import _file, _schema

    def text(name: str, requirement: str) -> str:
        value = _file.attribute(file, place, name, {"type": "text", "requirement": requirement})
        if value is None:
            raise place.error("is missing", requirement, name)
        return value

    format, version = text("format", "R-001"), text("version", "R-002")
    if format not in _READERS:
        problem = f"expected {listed(list(_READERS))}, found {shown(format)}"
        raise place.error(problem, "R-001", "format")
    match = re.fullmatch(r"(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]*)", version)
    if not match:
        raise place.error(f"expected major.minor, found {shown(version)}", "R-002", "version")
    if int(match[1]) != _MAJOR:
        problem = f"this ptoken reads versions {_MAJOR}.x, found {version}"
        raise place.error(problem, "R-002", "version")

    newer = int(match[2]) > _MINOR
    name = f"{format}-{_MAJOR}.{_MINOR}.json"
    published = (resources.files(__package__) / "schema" / name).read_bytes()
    root = _schema.load(file, place, json.loads(published), newer=newer, later="W")
    _rules.schema(root["schema"], published, newer)
    return _READERS[format](file, place.file, version, root)
