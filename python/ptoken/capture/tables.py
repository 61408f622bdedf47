"""Tables, streams and rows, as recorders and files know them (spec/SPEC.md, R-03x and R-04x)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from .errors import RecordingError


class Sketch(NamedTuple):
    """A seeded sparse sign projection (spec/SPEC.md, R-060 to R-067)."""

    width: int
    nonzeros: int
    seed: int


@dataclass(frozen=True)
class Stream:
    """A named array with one row per observation."""

    name: str
    kind: str
    """`gradient`, `feature`, `label` or `scalar`."""
    shape: tuple[int, ...]
    """Shape of one row before flattening and sketching; `(1,)` for one number."""
    sketch: Sketch | None = None
    layer: str | None = None
    stage: str | None = None
    role: str | None = None
    unit: str | None = None
    clip_norm: float | None = None
    noise_multiplier: float | None = None

    @property
    def elements(self) -> int:
        """Elements of one row before any sketch."""
        return math.prod(self.shape)

    @property
    def width(self) -> int:
        """Numbers recorded per row."""
        return self.sketch.width if self.sketch else self.elements

    def describe(self) -> dict[str, Any]:
        """What a recorder is told about it (spec/WIRE.md, W-10)."""
        said: dict[str, Any] = {
            "name": self.name,
            "kind": self.kind,
            "shape": list(self.shape),
            "width": self.width,
            "sketch": "sparse-sign" if self.sketch else "none",
        }
        if self.sketch:
            said["sketch_seed"] = str(self.sketch.seed)
            said["sketch_nonzeros"] = self.sketch.nonzeros
        for key in ("layer", "stage", "role", "unit", "clip_norm", "noise_multiplier"):
            if getattr(self, key) is not None:
                said[key] = getattr(self, key)
        return said


@dataclass(frozen=True)
class Table:
    """Observations of one unit and one mode, with their streams."""

    name: str
    unit: str
    """`example` or `batch`."""
    mode: str
    """`probe` or `trace`."""
    streams: tuple[Stream, ...]
    schedule: str | None = None
    has_weight: bool = False
    has_members: bool = False

    def describe(self) -> dict[str, Any]:
        """What a recorder is told about it."""
        return {
            "name": self.name,
            "unit": self.unit,
            "mode": self.mode,
            "schedule": self.schedule,
            "has_weight": self.has_weight,
            "has_local_steps": False,
            "has_members": self.has_members,
            "streams": [stream.describe() for stream in self.streams],
        }


class Sketched(NamedTuple):
    """Gradients of a layer that were sketched where they were taken, chunk by chunk: they never were in memory whole."""

    rows: Any
    """`[rows, width]`."""
    shape: tuple[int, ...]
    """Shape of one row before the sketch."""


class Column(NamedTuple):
    """The rows of one stream in one step: host arrays `[rows, ...]` that are joined side by side."""

    stream: Stream
    parts: Sequence[np.ndarray]
    is_sketched: bool = False


@dataclass
class Rows:
    """One step's rows of one table."""

    table: Table
    ids: np.ndarray
    """uint8 `[rows, 16]`."""
    columns: list[Column]
    weights: np.ndarray | None = None
    """float64 `[rows]`, where the table has weights."""
    members: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None
    """uint32 `[rows]` members of each row, their ids uint8 `[members, 16]`, their weights float64 `[members]`."""


def require_rows(table: str, rows: int, like: str, sizes: dict[str, tuple[int, ...]]) -> None:
    """Refuses arrays that do not have one row for each example.

    Raises RecordingError with the table, the array, what was expected and what was found.
    """
    for name, shape in sizes.items():
        if not shape or shape[0] != rows:
            found = f"shape {list(shape)}" if shape else "a single number"
            raise RecordingError(
                f"{table}/{name}: expected {rows} rows (as {like}), found {found}. "
                "Pass one row for each example."
            )


def require_distinct(table: Table) -> None:
    """Refuses two streams of one name in a table (R-041)."""
    names = [stream.name for stream in table.streams]
    for name in names:
        if names.count(name) > 1:
            raise RecordingError(
                f"{table.name}/{name}: expected one stream of this name, found {names.count(name)}. Give one of them "
                "another name, or leave it out."
            )


def require_same(table: Table, found: Table) -> None:
    """Refuses rows of other streams than the table's: a stream is of one kind throughout (R-048)."""
    if found == table:
        return
    there, here = ({stream.name: stream for stream in t.streams} for t in (table, found))
    for name in [*there, *(name for name in here if name not in there)]:
        if there.get(name) == here.get(name):
            continue
        expected, other = (
            f"{s.kind} rows of shape {list(s.shape)}" if s else "no such stream"
            for s in (there.get(name), here.get(name))
        )
        if expected == other:
            expected, other = (
                str(s.describe()) if s else "" for s in (there.get(name), here.get(name))
            )
        raise RecordingError(
            f"{table.name}/{name}: expected {expected} as in the first recorded step, found {other}. "
            "A stream keeps its shape: pad, crop or choose what is recorded."
        )
    raise RecordingError(
        f"{table.name}: expected the streams in the order of the first recorded step, found another order."
    )
